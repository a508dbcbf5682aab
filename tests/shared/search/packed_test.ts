/** Saved searches as bytes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LipcertError } from "../../../shared/errors.ts";
import { search } from "../../../shared/search/loop.ts";
import { packSearch, unpackSearch } from "../../../shared/search/packed.ts";
import type { SavedTree } from "../../../shared/search/saved.ts";
import type { Piece } from "../../../shared/search/piece.ts";
import { drawRegion } from "./pieces.ts";
import { taskOf } from "./search_claims.ts";

const SEED = 20_261_135;

async function savedSearches(): Promise<SavedTree<Piece>[]> {
  const saves: SavedTree<Piece>[] = [];
  for (let index = 0; index < 12; index++) {
    const drawn = await drawRegion(SEED, index);
    if (drawn === undefined) continue;
    const { roots, task } = taskOf(drawn, 60);
    await search(roots, task, { onRound: (save) => void saves.push(save()) });
  }
  return saves;
}

Deno.test(`a saved search is the same after it was bytes, bit for bit (seed ${SEED})`, async () => {
  const saves = await savedSearches();
  assert.ok(saves.length > 10 && saves.some(({ frontier }) => frontier.length > 1));
  for (const saved of saves) {
    const bytes = packSearch(saved), again = unpackSearch(bytes);
    assert.deepEqual(again, saved);
    // -0, NaN and the order of members too.
    assert.deepEqual(packSearch(again), bytes);
  }
});

Deno.test("numbers that JSON has not, and arrays that nodes share, come through", async () => {
  const [saved] = await savedSearches(), [one] = saved.frontier;
  const { node } = one, odd = { ...node, upper: Infinity, multipliers: Float32Array.of(NaN, -0, -Infinity) };
  const frontier = [{ node: odd, order: 0 }, { node: odd, order: -0 }], packed = packSearch({ ...saved, frontier });
  const { frontier: [a, b] } = unpackSearch(packed);
  assert.deepEqual(a.node, odd);
  assert.ok(Object.is(b.order, -0));
  assert.equal(a.node.multipliers, b.node.multipliers);
  assert.ok(
    packed.length < packSearch({ ...saved, frontier: [frontier[0], { node: structuredClone(odd), order: 1 }] }).length,
  );
});

Deno.test("bytes that are no saved search are refused, whatever was done to them", async () => {
  const [saved] = await savedSearches(), bytes = packSearch(saved);
  const refused = (changed: Uint8Array) =>
    assert.throws(
      () => unpackSearch(changed),
      (error) => error instanceof LipcertError && error.type === "malformed-body",
    );
  for (const length of [0, 3, 11, 12, 40, bytes.length - 8]) refused(bytes.slice(0, length));
  refused(bytes.with(0, 0));
  refused(bytes.with(4, 2));
  refused(bytes.with(11, 255));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      try {
        unpackSearch(bytes.with(at, value));
      } catch (error) {
        if (!(error instanceof LipcertError)) throw error;
      }
    }),
    { numRuns: 300, seed: SEED },
  );
});
