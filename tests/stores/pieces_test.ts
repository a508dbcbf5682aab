import assert from "node:assert/strict";
import { type Entries, piecedBlobs } from "../../functions/storage/pieces.ts";
import type { Bytes } from "../../functions/storage/port.ts";
import { content } from "../suites/bytes.ts";

const SIZES = { inlineBytes: 10, pieceBytes: 10, inFlight: 2 };

/** Entries in a map; the writer dies at its `dies`-th write. */
function entriesIn(kept: Map<string, Bytes>, dies = Infinity): Entries {
  let writes = 0;
  return {
    get: (name) => Promise.resolve(kept.get(name) ?? null),
    has: (name) => Promise.resolve(kept.has(name)),
    set(pieces) {
      for (const [name, bytes] of pieces) {
        if (++writes >= dies) return Promise.reject(new Error("died"));
        kept.set(name, bytes);
      }
      return Promise.resolve();
    },
    delete: (name) => Promise.resolve(void kept.delete(name)),
  };
}

Deno.test("piecedBlobs() shows nothing of a writer that died at any write, and the next one completes it", async () => {
  const bytes = content(45, 1); // five pieces and the head
  for (let dies = 1; dies <= 6; dies++) {
    const kept = new Map<string, Bytes>();
    await assert.rejects(piecedBlobs(entriesIn(kept, dies), SIZES).put("a", bytes), /died/);
    const blobs = piecedBlobs(entriesIn(kept), SIZES);
    assert.equal(await blobs.get("a"), null);
    assert.equal(await blobs.has("a"), false);
    await blobs.put("a", bytes);
    assert.deepEqual(await blobs.get("a"), bytes);
  }
});

Deno.test("piecedBlobs() keeps what was there when a writer of other bytes died", async () => {
  const kept = new Map<string, Bytes>();
  await piecedBlobs(entriesIn(kept), SIZES).put("a", content(45, 1));
  for (let dies = 1; dies <= 6; dies++) {
    await assert.rejects(piecedBlobs(entriesIn(kept, dies), SIZES).put("a", content(45, 2)), /died/);
    assert.deepEqual(await piecedBlobs(entriesIn(kept), SIZES).get("a"), content(45, 1));
  }
});

Deno.test("piecedBlobs() takes a blob of which a piece is lost for absent, until it is put again", async () => {
  const bytes = content(45, 1);
  for (let lost = 0; lost < 5; lost++) {
    const kept = new Map<string, Bytes>();
    const blobs = piecedBlobs(entriesIn(kept), SIZES);
    await blobs.put("a", bytes);
    kept.delete([...kept.keys()].filter((name) => name.startsWith("p:"))[lost]);
    assert.equal(await blobs.get("a"), null);
    await blobs.put("a", bytes);
    assert.deepEqual(await blobs.get("a"), bytes);
  }
});

Deno.test("piecedBlobs() leaves nothing of a blob that is deleted, and reads one cut in other pieces", async () => {
  const kept = new Map<string, Bytes>();
  await piecedBlobs(entriesIn(kept), SIZES).put("a", content(45, 1));
  const blobs = piecedBlobs(entriesIn(kept), { inlineBytes: 4, pieceBytes: 7, inFlight: 3 });
  assert.deepEqual(await blobs.get("a"), content(45, 1));
  await blobs.delete("a");
  assert.equal(kept.size, 0);
});
