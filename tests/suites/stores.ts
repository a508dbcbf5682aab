/** The contract of a store, as functions: every adapter passes it. */
import assert from "node:assert/strict";
import type { CertificateStore, KeptCertificate, ModelStore } from "../../functions/services.ts";
import { content } from "./bytes.ts";
import type { Backend } from "./storage.ts";

const DESCRIPTION = {
  inputs: [{ name: "x", shape: [2] }],
  outputs: [{ name: "y", shape: [1] }],
  operators: ["Gemm"],
  opset: 13,
  parameters: 3,
  activations: 0,
};

function certificate(id: string, question: string, reproducible = true, length = 800): KeptCertificate {
  const seed = [...id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
  return { id, question, reproducible, bytes: content(length, seed) };
}

export interface StoreBackend<T> extends Backend {
  open(): Promise<{ store: T; close: () => void | Promise<void> }>;
}

function testStore<T>(backend: StoreBackend<T>, fact: string, body: (store: T) => Promise<void>): void {
  const { name, ignore = false, keepsResources = false, open } = backend;
  Deno.test({
    name: `${name} ${fact}`,
    ignore,
    sanitizeOps: !keepsResources,
    sanitizeResources: !keepsResources,
    async fn() {
      const { store, close } = await open();
      try {
        await body(store);
      } finally {
        await close();
      }
    },
  });
}

/**
 * Registers the certificate store's contract; `open` hands an empty store and what closes it.
 *
 * `hasRecords`: writers whose certificates differ agree on one. Without, only those agree whose certificates are the
 * same, and only reproducible ones are found by their question.
 */
export function certificateStoreSuite(backend: StoreBackend<CertificateStore>, hasRecords = true): void {
  function test(fact: string, body: (store: CertificateStore) => Promise<void>): void {
    testStore(backend, `certificates ${fact}`, body);
  }

  test("are null for an unknown id and an unknown question", async (store) => {
    assert.equal(await store.get("a"), null);
    assert.equal(await store.findByQuestion("q"), null);
  });

  test("come back byte for byte by id and by question", async (store) => {
    for (const length of [0, 1, 61_440, 61_441, 65_536, 900_000]) {
      const kept = certificate(`id${length}`, `q${length}`, true, length);
      assert.deepEqual(await store.put(kept), { id: kept.id, bytes: kept.bytes });
      assert.deepEqual(await store.get(kept.id), kept.bytes);
      assert.deepEqual((await store.findByQuestion(kept.question))?.bytes, kept.bytes);
    }
  });

  test("put twice stay as they are", async (store) => {
    await store.put(certificate("a", "q"));
    assert.equal((await store.put(certificate("a", "q"))).id, "a");
    assert.deepEqual(await store.get("a"), certificate("a", "q").bytes);
  });

  test("answer a question with the first reproducible one", async (store) => {
    await store.put(certificate("first", "q"));
    assert.equal((await store.put(certificate("second", "q"))).id, "first");
    assert.equal((await store.put(certificate("third", "q", false))).id, "first");
    assert.equal((await store.findByQuestion("q"))?.id, "first");
    assert.deepEqual(await store.get("second"), certificate("second", "q").bytes);
  });

  const testAgreement: typeof test = (fact, body) => hasRecords && test(fact, body);

  testAgreement("let a reproducible one replace one that is not, never the reverse", async (store) => {
    await store.put(certificate("loose", "q", false));
    assert.equal((await store.put(certificate("looser", "q", false))).id, "loose");
    assert.equal((await store.put(certificate("firm", "q"))).id, "firm");
    assert.equal((await store.put(certificate("late", "q", false))).id, "firm");
    assert.equal((await store.findByQuestion("q"))?.id, "firm");
    assert.deepEqual(await store.get("loose"), certificate("loose", "q", false).bytes);
  });

  test("that were interrupted answer no question, and are there by id", async (store) => {
    const cut = { ...certificate("cut", "q", false), interrupted: true };
    assert.deepEqual(await store.put(cut), { id: "cut", bytes: cut.bytes });
    assert.equal(await store.findByQuestion("q"), null);
    assert.deepEqual(await store.get("cut"), cut.bytes);
    await store.put(certificate("whole", "q"));
    assert.deepEqual(await store.put({ ...cut, id: "later" }), { id: "later", bytes: cut.bytes });
    assert.equal((await store.findByQuestion("q"))?.id, "whole");
  });

  testAgreement("give every racing writer the same answer", async (store) => {
    const writers = Array.from({ length: 8 }, (_, i) => certificate(`writer${i}`, "q", true, 100_000 + i));
    const answers = await Promise.all(writers.map((writer) => store.put(writer)));
    const winner = await store.findByQuestion("q");
    for (const answer of answers) assert.deepEqual(answer, winner);
    assert.ok(writers.some(({ id }) => id === winner?.id));
  });

  test("of racing writers of the same one are that one", async (store) => {
    const kept = certificate("a", "q", true, 100_000);
    const answers = await Promise.all(Array.from({ length: 6 }, () => store.put(kept)));
    for (const answer of answers) assert.deepEqual(answer, { id: "a", bytes: kept.bytes });
    assert.deepEqual(await store.findByQuestion("q"), { id: "a", bytes: kept.bytes });
  });

  test("that are reproducible answer after one that is not", async (store) => {
    await store.put(certificate("loose", "q", false));
    assert.equal((await store.put(certificate("firm", "q"))).id, "firm");
    assert.equal((await store.put(certificate("late", "q", false))).id, "firm");
    assert.equal((await store.findByQuestion("q"))?.id, "firm");
    assert.deepEqual(await store.get("loose"), certificate("loose", "q", false).bytes);
  });

  test("give a racing reproducible writer the question", async (store) => {
    const writers = Array.from({ length: 8 }, (_, i) => certificate(`writer${i}`, "q", i === 5));
    await Promise.all(writers.map((writer) => store.put(writer)));
    assert.equal((await store.findByQuestion("q"))?.id, "writer5");
  });

  test("are whole or absent while they are written", async (store) => {
    const kept = certificate("a", "q", true, 2_000_000);
    const writing = store.put(kept);
    for (let look = 0; look < 20; look++) {
      const seen = await store.get("a");
      if (seen !== null) assert.deepEqual(seen, kept.bytes);
    }
    await writing;
    assert.deepEqual(await store.get("a"), kept.bytes);
  });
}

/** Registers the model store's contract. */
export function modelStoreSuite(backend: StoreBackend<ModelStore>): void {
  function test(fact: string, body: (store: ModelStore) => Promise<void>): void {
    testStore(backend, `models ${fact}`, body);
  }

  test("are null when unknown", async (store) => {
    assert.equal(await store.describe("m"), null);
    assert.equal(await store.bytes("m"), null);
  });

  test("of five megabytes come back byte for byte with their description", async (store) => {
    const bytes = content(5_000_001, 1);
    await store.put("m", bytes, DESCRIPTION);
    assert.deepEqual(await store.bytes("m"), bytes);
    assert.deepEqual(await store.describe("m"), DESCRIPTION);
  });

  test("with a long description come back", async (store) => {
    const long = { ...DESCRIPTION, inputs: [{ name: "x".repeat(200_000), shape: [2] }] };
    await store.put("m", content(10, 1), long);
    assert.deepEqual(await store.describe("m"), long);
  });

  test("written by two at once are whole", async (store) => {
    const bytes = content(1_500_000, 2);
    await Promise.all([store.put("m", bytes, DESCRIPTION), store.put("m", bytes, DESCRIPTION)]);
    assert.deepEqual(await store.bytes("m"), bytes);
  });

  test("that are described have all their bytes", async (store) => {
    const bytes = content(3_000_000, 3);
    const writing = store.put("m", bytes, DESCRIPTION);
    for (let look = 0; look < 20; look++) {
      if (await store.describe("m") !== null) assert.deepEqual(await store.bytes("m"), bytes);
    }
    await writing;
    assert.deepEqual(await store.describe("m"), DESCRIPTION);
  });
}
