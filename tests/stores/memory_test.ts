import assert from "node:assert/strict";
import { memoryBlobs, memoryRecords } from "../../functions/adapters/memory.ts";
import { certificatesIn } from "../../functions/storage/certificates.ts";
import { modelsIn } from "../../functions/storage/models.ts";
import { storageSuite } from "../suites/all_storage.ts";
import { standingClock } from "../suites/storage.ts";

const ROOM = 64 * 2 ** 20;

for (const hasRecords of [true, false]) {
  storageSuite({
    name: hasRecords ? "memory" : "memory without records",
    hasRecords,
    open() {
      const { now, pass } = standingClock();
      const storage = { blobs: memoryBlobs(ROOM, now), records: hasRecords ? memoryRecords(ROOM, now) : null };
      return Promise.resolve({ clients: [storage], pass, close() {} });
    },
  });
}

function storageOf(limitBytes: number) {
  const { now } = standingClock();
  return { blobs: memoryBlobs(limitBytes, now), records: memoryRecords(ROOM, now) };
}

function certificate(i: number) {
  return { id: `id${i}`, question: `q${i}`, reproducible: true, bytes: new Uint8Array(9_488) };
}

Deno.test("memoryBlobs() forgets what was not used for longest when its bytes run out", async () => {
  const store = certificatesIn(storageOf(100_000)); // ten of 9,488 bytes and 512 beside them
  for (let i = 0; i < 10; i++) await store.put(certificate(i));
  await store.get("id0");
  await store.put(certificate(10));
  assert.notEqual(await store.get("id0"), null);
  assert.equal(await store.get("id1"), null);
  assert.equal(await store.findByQuestion("q1"), null);
  assert.notEqual(await store.get("id10"), null);
});

Deno.test("certificatesIn() answers anew the question of a certificate that the backend lost", async () => {
  for (const hasRecords of [true, false]) {
    const { blobs, records } = storageOf(11_000);
    const store = certificatesIn({ blobs, records: hasRecords ? records : null });
    await store.put(certificate(1));
    await store.put(certificate(2));
    assert.equal((await store.put({ ...certificate(1), id: "again" })).id, "again");
    assert.equal((await store.findByQuestion("q1"))?.id, "again");
  }
});

Deno.test("modelsIn() does not describe a model whose file the backend lost", async () => {
  const storage = storageOf(100_000);
  const models = modelsIn(storage);
  const description = { inputs: [], outputs: [], operators: [], opset: 13, parameters: 0, activations: 0 };
  await models.put("m", new Uint8Array(1000), description);
  assert.deepEqual(await models.describe("m"), description);
  await storage.blobs.delete("model/m");
  assert.equal(await models.describe("m"), null);
});
