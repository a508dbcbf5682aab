import assert from "node:assert/strict";
import fc from "fast-check";
import {
  add,
  compare,
  divide,
  exact,
  isAtLeast,
  isAtMost,
  multiply,
  neighbour,
  roundDown,
  roundUp,
  subtract,
  toNumber,
} from "./dyadic.ts";

const SEED = 4101;
const double = fc.double({ noNaN: true, noDefaultInfinity: true });

Deno.test(`exact() takes every double as it is (seed ${SEED})`, () => {
  fc.assert(
    fc.property(double, (x) => {
      assert.equal(toNumber(exact(x)), x === 0 ? 0 : x);
      assert.equal(roundUp(exact(x)), x === 0 ? 0 : x);
      // x plus a third of the smallest double lies strictly between x and its neighbour.
      const third = divide(exact(Number.MIN_VALUE), exact(3));
      const above = add(exact(x), third);
      assert.equal(roundUp(above), neighbour(x, 1));
      assert.ok(Math.abs(roundDown(above)) === Math.abs(x));
      assert.ok(!isAtMost(above, x) && isAtLeast(above, x));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("exact() knows known sums: 0.1 + 0.2 lies below the double 0.30000000000000004", () => {
  const sum = add(exact(0.1), exact(0.2));
  assert.equal(compare(sum, exact(0.1 + 0.2)), -1);
  assert.equal(roundUp(sum), 0.1 + 0.2);
  assert.equal(roundDown(sum), 0.3);
  assert.throws(() => exact(NaN), RangeError);
  assert.throws(() => divide(exact(1), exact(0)), RangeError);
});

Deno.test(`exact arithmetic obeys the laws of the rationals (seed ${SEED})`, () => {
  const number = fc.oneof(double, fc.integer({ min: -8, max: 8 }));
  fc.assert(
    fc.property(number, number, number, (x, y, z) => {
      const [a, b, c] = [exact(x), exact(y), exact(z)];
      assert.equal(compare(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c))), 0);
      assert.equal(compare(add(subtract(a, b), b), a), 0);
      if (y !== 0) assert.equal(compare(multiply(divide(a, b), b), a), 0);
      assert.equal(compare(a, b), Math.sign(x - y) || 0);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
