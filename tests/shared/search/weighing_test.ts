import assert from "node:assert/strict";
import fc from "fast-check";
import { onGrid } from "../../../shared/search/weighing.ts";
import { add, compare, exact, ONE, ZERO } from "../../exact/dyadic.ts";

const SEED = 26;

Deno.test(`(26): weights are not negative and add up to 1 exactly, in any order (seed ${SEED})`, () => {
  const part = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 2 ** -41, 2 ** -60, 1));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 40 }), (parts) => {
      const sum = parts.reduce((a, b) => a + b, 0);
      const weights = Float64Array.from(parts, (one) => sum > 1e-300 ? one / sum : 1 / parts.length);
      const before = weights.slice();
      onGrid(weights);
      assert.ok(weights.every((w) => w >= 0 && w <= 1));
      assert.equal(compare(Array.from(weights, exact).reduce(add, ZERO), ONE), 0);
      // Nor does it matter how they are added in floating point.
      assert.equal(weights.reduce((a, b) => a + b, 0), 1);
      assert.equal(weights.reduceRight((a, b) => a + b, 0), 1);
      weights.forEach((w, i) => assert.ok(Math.abs(w - before[i]) <= parts.length * 2 ** -39));
    }),
    { seed: SEED, numRuns: 2000 },
  );
});
