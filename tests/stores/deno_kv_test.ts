import assert from "node:assert/strict";
import { denoKvCertificates, denoKvModels } from "../../functions/adapters/deno_kv.ts";
import { LipcertError } from "../../shared/errors.ts";
import { certificateStoreSuite, modelStoreSuite } from "../suites/stores.ts";

certificateStoreSuite("deno kv", async () => {
  const kv = await Deno.openKv(":memory:");
  return { store: denoKvCertificates(kv), close: () => kv.close() };
});

modelStoreSuite("deno kv", async () => {
  const kv = await Deno.openKv(":memory:");
  return { store: denoKvModels(kv), close: () => kv.close() };
});

Deno.test("denoKvModels() does not show a model whose writer stopped before the head", async () => {
  const kv = await Deno.openKv(":memory:");
  try {
    for (let piece = 0; piece < 3; piece++) await kv.set(["model", "m", piece], new Uint8Array(61_440));
    assert.equal(await denoKvModels(kv).bytes("m"), null);
    assert.equal(await denoKvModels(kv).describe("m"), null);
  } finally {
    kv.close();
  }
});

Deno.test("denoKvCertificates() on a closed store is store-unavailable with its cause", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = denoKvCertificates(kv);
  kv.close();
  await assert.rejects(
    store.get("a"),
    (error) => error instanceof LipcertError && error.type === "store-unavailable" && error.cause !== undefined,
  );
});

Deno.test("deno kv certificates outlive the process's handle on the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const certificate = { id: "a", question: "q", reproducible: true, bytes: new Uint8Array(200_000).fill(7) };
    const first = await Deno.openKv(`${folder}/store.sqlite3`);
    await denoKvCertificates(first).put(certificate);
    first.close();
    const second = await Deno.openKv(`${folder}/store.sqlite3`);
    assert.deepEqual((await denoKvCertificates(second).findByQuestion("q"))?.bytes, certificate.bytes);
    second.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
