import assert from "node:assert/strict";
import { regionOf } from "../../../shared/search/region.ts";
import { Random } from "../../exact/random.ts";
import { type Miscount, undercharged } from "./charges.ts";
import { drawPieces } from "./pieces.ts";

const SEED = 20_261_131, NETWORKS = 26;

const drawn = (await Promise.all(Array.from({ length: NETWORKS }, (_, index) => drawPieces(SEED, index, 2)))).flat();
const count = (miscount: Miscount) =>
  drawn.reduce((sum, one, at) => sum + undercharged(one, new Random(SEED, at), miscount).length, 0);

const none = (row: Float64Array) => new Float64Array(row.length);
const MISCOUNTS: Readonly<Record<string, Miscount>> = {
  "a start that is free": { sum: (sum) => ({ ...sum, charge: 0 }) },
  "gradients that are free": { objective: (one) => ({ ...one, charges: none(one.charges) }) },
  "preactivations that are free": { region: (one) => ({ ...one, charges: none(one.charges) }) },
  "entries that are free": { objective: (one) => ({ ...one, entryCharges: none(one.entryCharges) }) },
  "numbers that are exact": {
    region: ({ network, box }) => regionOf({ ...network, error: 0 }, box),
  },
  "a factor that covers the roundings of the sum alone": { region: (one) => ({ ...one, factor: one.factor / 64 }) },
};

Deno.test(`a pushed sum is charged at least what its numbers are off by (seed ${SEED})`, () => {
  assert.deepEqual(drawn.flatMap((one, at) => undercharged(one, new Random(SEED, at))), []);
});

for (const [what, miscount] of Object.entries(MISCOUNTS)) {
  Deno.test(`exact sums notice ${what} (seed ${SEED})`, () => assert.ok(count(miscount) > 0));
}
