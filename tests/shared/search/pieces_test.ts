/** Bounds of pieces against all their activation regions, over the rationals. */
import assert from "node:assert/strict";
import { Random } from "../../exact/random.ts";
import { falsePiece } from "./piece_claims.ts";
import { drawPieces } from "./pieces.ts";

const SEED = 20_261_130, NETWORKS = 78;

Deno.test(`bounds of h, p, J and of every aim hold on pieces of troubled networks, with any multipliers (seed ${SEED})`, async () => {
  let pieces = 0, regions = 0;
  for (let index = 0; index < NETWORKS; index++) {
    for (const drawn of await drawPieces(SEED, index, 4)) {
      assert.deepEqual(falsePiece(drawn, new Random(SEED, index)), []);
      pieces++;
      regions += drawn.truths.length;
    }
  }
  assert.ok(pieces > 2 * NETWORKS && regions > 10 * NETWORKS, `${pieces} pieces, ${regions} regions`);
});
