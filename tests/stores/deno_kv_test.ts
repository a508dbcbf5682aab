import assert from "node:assert/strict";
import { denoKvBlobs, denoKvRecords } from "../../functions/adapters/deno_kv.ts";
import { certificatesIn } from "../../functions/storage/certificates.ts";
import type { Storage } from "../../functions/storage/port.ts";
import { LipcertError } from "../../shared/errors.ts";
import { storageSuite } from "../suites/all_storage.ts";
import { content } from "../suites/bytes.ts";
import { standingClock } from "../suites/storage.ts";

function storageOn(kv: Deno.Kv, now: () => number = Date.now): Storage {
  return { blobs: denoKvBlobs(kv, now), records: denoKvRecords(kv, now) };
}

storageSuite({
  name: "deno kv",
  hasRecords: true,
  async open() {
    const folder = await Deno.makeTempDir();
    const handles = [await Deno.openKv(`${folder}/store.sqlite3`), await Deno.openKv(`${folder}/store.sqlite3`)];
    const { now, pass } = standingClock();
    return {
      clients: handles.map((kv) => storageOn(kv, now)),
      pass,
      async close() {
        for (const kv of handles) kv.close();
        await Deno.remove(folder, { recursive: true });
      },
    };
  },
});

Deno.test("denoKvBlobs() on a closed store is store-unavailable with its cause", async () => {
  const kv = await Deno.openKv(":memory:");
  const { blobs, records } = storageOn(kv);
  kv.close();
  for (const call of [() => blobs.get("a"), () => blobs.put("a", content(10, 1)), () => records!.get("a")]) {
    await assert.rejects(
      call(),
      (error) => error instanceof LipcertError && error.type === "store-unavailable" && error.cause !== undefined,
    );
  }
});

Deno.test("what is in Deno KV outlives the process's handle on the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const certificate = { id: "a", question: "q", reproducible: true, bytes: content(200_000, 7) };
    const first = await Deno.openKv(`${folder}/store.sqlite3`);
    await certificatesIn(storageOn(first)).put(certificate);
    first.close();
    const second = await Deno.openKv(`${folder}/store.sqlite3`);
    assert.deepEqual((await certificatesIn(storageOn(second)).findByQuestion("q"))?.bytes, certificate.bytes);
    second.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
