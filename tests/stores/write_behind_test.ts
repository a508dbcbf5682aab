import assert from "node:assert/strict";
import { denoKvBlobs, denoKvRecords } from "../../functions/adapters/deno_kv.ts";
import { memoryBlobs, memoryRecords } from "../../functions/adapters/memory.ts";
import { writeBehind } from "../../functions/adapters/write_behind.ts";
import type { CertificateStore, KeptCertificate } from "../../functions/services.ts";
import { certificatesIn } from "../../functions/storage/certificates.ts";
import { certificateStoreSuite } from "../suites/stores.ts";

const ROOM = 2 ** 20;
const never = (error: unknown) => assert.fail(String(error));

function memoryStore(limitBytes: number): CertificateStore {
  return certificatesIn({ blobs: memoryBlobs(limitBytes, Date.now), records: memoryRecords(ROOM, Date.now) });
}

certificateStoreSuite({
  name: "write behind memory",
  open() {
    const store = writeBehind(memoryStore(64 * ROOM), 64 * ROOM, never);
    return Promise.resolve({ store, close: () => store.settled() });
  },
});

certificateStoreSuite({
  name: "write behind deno kv",
  async open() {
    const kv = await Deno.openKv(":memory:");
    const storage = { blobs: denoKvBlobs(kv, Date.now), records: denoKvRecords(kv, Date.now) };
    const store = writeBehind(certificatesIn(storage), ROOM, never);
    return {
      store,
      async close() {
        await store.settled();
        kv.close();
      },
    };
  },
});

function certificate(id: string, reproducible = true): KeptCertificate {
  return { id, question: `q of ${id}`, reproducible, bytes: new TextEncoder().encode(id) };
}

/** A memory store whose writes wait for `release`, and fail where told. */
function slowStore(fails = false) {
  const inner = memoryStore(ROOM);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const store: CertificateStore = {
    ...inner,
    async put(kept) {
      await released;
      if (fails) throw new Error("disk full");
      return await inner.put(kept);
    },
  };
  return { store, inner, release };
}

Deno.test("writeBehind() answers before the write and writes in the end", async () => {
  const { store, inner, release } = slowStore();
  const behind = writeBehind(store, ROOM, never);
  const { id, question, bytes } = certificate("a");
  assert.deepEqual(await behind.put(certificate("a")), { id, bytes });
  assert.equal(await inner.get("a"), null);
  assert.deepEqual(await behind.get("a"), bytes);
  assert.deepEqual(await behind.findByQuestion(question), { id, bytes });
  release();
  await behind.settled();
  assert.deepEqual(await inner.get("a"), bytes);
  assert.deepEqual(await behind.findByQuestion(question), { id, bytes });
});

Deno.test("writeBehind() waits for the write of what cannot be computed again, and when too much waits", async () => {
  for (const [limit, reproducible] of [[ROOM, false], [0, true]] as const) {
    const { store, inner, release } = slowStore();
    const behind = writeBehind(store, limit, never);
    let answered = false;
    const put = behind.put(certificate("a", reproducible)).then(() => answered = true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(answered, false);
    release();
    await put;
    assert.notEqual(await inner.get("a"), null);
  }
});

Deno.test("writeBehind() tells of a write that failed, and forgets the certificate", async () => {
  const { store, release } = slowStore(true);
  const failures: unknown[] = [];
  const behind = writeBehind(store, ROOM, (error) => failures.push(error));
  await behind.put(certificate("a"));
  release();
  await behind.settled();
  assert.match(String(failures), /disk full/);
  assert.equal(await behind.get("a"), null);
});
