/** The contract of {@link Blobs}: every backend passes it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Blobs } from "../../functions/storage/port.ts";
import { content, ODD_KEYS, WRONG_KEYS } from "./bytes.ts";
import { type BlobBackend, clientOf, LIFETIME_MS, type Opened, testOver } from "./storage.ts";

/** On both sides of the limits of every backend. */
const LENGTHS = [0, 1, 61_439, 61_440, 61_441, 65_536, 524_288, 524_289, 1_100_000];

export function blobsSuite(backend: BlobBackend): void {
  const test = (fact: string, body: (blobs: Blobs, opened: Opened<Blobs>) => Promise<void>) =>
    testOver(backend, `blobs ${fact}`, (opened) => body(opened.clients[0], opened));

  test("are absent until they are put", async (blobs) => {
    assert.equal(await blobs.get("a"), null);
    assert.equal(await blobs.has("a"), false);
    await blobs.delete("a");
  });

  test("come back byte for byte, to every client", async (blobs, opened) => {
    for (const [i, length] of LENGTHS.entries()) {
      const bytes = content(length, i);
      await blobs.put(`${length}`, bytes);
      assert.deepEqual(await clientOf(opened, i).get(`${length}`), bytes);
      assert.equal(await clientOf(opened, i + 1).has(`${length}`), true);
    }
  });

  test("of five megabytes come back byte for byte", async (blobs) => {
    const bytes = content(5_000_001, 1);
    await blobs.put("large", bytes);
    assert.deepEqual(await blobs.get("large"), bytes);
  });

  test("of any bytes come back", async (blobs) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (drawn) => {
        const bytes = new Uint8Array(drawn);
        await blobs.put("drawn", bytes);
        assert.deepEqual(await blobs.get("drawn"), bytes);
      }),
      { numRuns: 20 },
    );
  });

  test("take odd keys, and keep them apart", async (blobs) => {
    for (const [i, key] of ODD_KEYS.entries()) await blobs.put(key, content(50 + i, i));
    for (const [i, key] of ODD_KEYS.entries()) assert.deepEqual(await blobs.get(key), content(50 + i, i), key);
  });

  test("refuse keys and lifetimes that not every backend takes", async (blobs) => {
    for (const key of WRONG_KEYS) {
      await assert.rejects(blobs.get(key), RangeError);
      await assert.rejects(blobs.has(key), RangeError);
      await assert.rejects(blobs.put(key, content(1, 1)), RangeError);
      await assert.rejects(blobs.delete(key), RangeError);
    }
    for (const expiresInMs of [0, -1, 1.5, NaN, Infinity]) {
      await assert.rejects(blobs.put("a", content(1, 1), { expiresInMs }), RangeError);
    }
    assert.equal(await blobs.get("a"), null);
  });

  test("are gone when their time is over, and not before", async (blobs, { pass }) => {
    for (const length of [10, 700_000]) {
      await blobs.put(`${length}`, content(length, 1), { expiresInMs: LIFETIME_MS });
      assert.deepEqual(await blobs.get(`${length}`), content(length, 1));
    }
    await blobs.put("kept", content(10, 2));
    await pass(LIFETIME_MS + 100);
    for (const key of ["10", "700000"]) {
      assert.equal(await blobs.get(key), null);
      assert.equal(await blobs.has(key), false);
    }
    assert.deepEqual(await blobs.get("kept"), content(10, 2));
    await blobs.put("10", content(10, 1));
    assert.deepEqual(await blobs.get("10"), content(10, 1));
  });

  test("put again have the later expiry", async (blobs, { pass }) => {
    await blobs.put("a", content(10, 1), { expiresInMs: LIFETIME_MS });
    await blobs.put("a", content(10, 1));
    await pass(LIFETIME_MS + 100);
    assert.deepEqual(await blobs.get("a"), content(10, 1));
  });

  test("are absent once deleted, and can be put again", async (blobs) => {
    for (const length of [10, 700_000]) {
      await blobs.put("a", content(length, 1));
      await blobs.delete("a");
      assert.equal(await blobs.get("a"), null);
      assert.equal(await blobs.has("a"), false);
      await blobs.put("a", content(length, 1));
      assert.deepEqual(await blobs.get("a"), content(length, 1));
    }
  });

  test("are whole or absent while they are written", async (blobs, opened) => {
    const bytes = content(3_000_000, 1);
    const writing = blobs.put("a", bytes);
    for (let look = 0; look < 20; look++) {
      const seen = await clientOf(opened, look).get("a");
      if (seen !== null) assert.deepEqual(seen, bytes);
    }
    await writing;
    assert.deepEqual(await blobs.get("a"), bytes);
  });

  test("of racing writers are whole, even if the writers do not agree", async (blobs, opened) => {
    const drafts = [1, 2, 3, 4].map((seed) => content(1_200_000, seed));
    await Promise.all(drafts.map((draft, i) => clientOf(opened, i).put("a", draft)));
    const seen = await blobs.get("a");
    assert.ok(drafts.some((draft) => seen !== null && isEqual(seen, draft)));
  });
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
