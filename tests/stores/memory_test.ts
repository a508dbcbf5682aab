import assert from "node:assert/strict";
import { memoryCertificates, memoryModels } from "../../functions/adapters/memory.ts";
import { certificateStoreSuite, modelStoreSuite } from "../suites/stores.ts";

const ROOM = 64 * 2 ** 20;

certificateStoreSuite("memory", () => Promise.resolve({ store: memoryCertificates(ROOM), close: () => {} }));
modelStoreSuite("memory", () => Promise.resolve({ store: memoryModels(ROOM), close: () => {} }));

function certificate(i: number) {
  return { id: `id${i}`, question: `q${i}`, reproducible: true, bytes: new Uint8Array(9_488) };
}

Deno.test("memoryCertificates() forgets what was not used for longest when its bytes run out", async () => {
  const store = memoryCertificates(100_000); // ten of 9,488 bytes and 512 beside them
  for (let i = 0; i < 10; i++) await store.put(certificate(i));
  await store.get("id0");
  await store.put(certificate(10));
  assert.notEqual(await store.get("id0"), null);
  assert.equal(await store.get("id1"), null);
  assert.equal(await store.findByQuestion("q1"), null);
  assert.notEqual(await store.get("id10"), null);
});

Deno.test("memoryCertificates() answers a forgotten question anew", async () => {
  const store = memoryCertificates(10_000);
  await store.put(certificate(1));
  await store.put(certificate(2));
  assert.equal((await store.put({ ...certificate(1), id: "again" })).id, "again");
  assert.equal((await store.findByQuestion("q1"))?.id, "again");
});
