/** Exactness of single operations against rational arithmetic in BigInt. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { dyadic, exactly, exactProduct, exactQuotient, exactSum } from "../../../shared/onnx/exact.ts";

const SEED = 77;

/** A double as an integer multiple of 2^-1074. */
function scaled(value: number): bigint {
  const { mantissa, exponent } = dyadic(value);
  return mantissa << BigInt(exponent + 1074);
}

/** Doubles of all magnitudes, with few significant bits often enough that exact results occur. */
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.tuple(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: -1074, max: 960 })).map(([m, e]) => m * 2 ** e),
  fc.tuple(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.integer({ min: -560, max: -520 })).map(([m, e]) =>
    m * 2 ** e
  ),
  fc.integer({ min: -100, max: 100 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(Math.fround).filter(Number.isFinite),
);

Deno.test("dyadic() is the value: mantissa times a power of two", () => {
  fc.assert(
    fc.property(double, (value) => {
      const { mantissa, exponent } = dyadic(value);
      // Two exact steps, since 2^-1074 times a mantissa of 53 bits has to pass through the normal range.
      const half = Math.trunc(exponent / 2);
      assert.equal(Number(mantissa) * 2 ** half * 2 ** (exponent - half) + 0, value + 0);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert.throws(() => dyadic(Infinity), RangeError);
});

Deno.test(`exactSum() is a sum exactly when the sum is a double (seed ${SEED})`, () => {
  const seen = { exact: 0, inexact: 0 };
  fc.assert(
    fc.property(double, double, (a, b) => {
      const sum = a + b;
      const exact = Number.isFinite(sum) && scaled(a) + scaled(b) === scaled(sum);
      assert.equal(exactSum(a, b), exact ? sum : null);
      seen[exact ? "exact" : "inexact"]++;
    }),
    { seed: SEED, numRuns: 5000 },
  );
  assert.ok(seen.exact > 300 && seen.inexact > 300, JSON.stringify(seen));
});

Deno.test(`exactProduct() is a product exactly when the product is a double (seed ${SEED})`, () => {
  const seen = { exact: 0, inexact: 0, tinyInexact: 0 };
  fc.assert(
    fc.property(double, double, (a, b) => {
      const product = a * b;
      const exact = Number.isFinite(product) && scaled(a) * scaled(b) === scaled(product) << 1074n;
      assert.equal(exactProduct(a, b), exact ? product : null);
      seen[exact ? "exact" : "inexact"]++;
      if (!exact && Math.abs(product) < 2 ** -960) seen.tinyInexact++;
    }),
    { seed: SEED, numRuns: 5000 },
  );
  assert.ok(seen.exact > 300 && seen.inexact > 300 && seen.tinyInexact > 30, JSON.stringify(seen));
});

Deno.test(`exactQuotient() is a quotient exactly when the quotient is a double (seed ${SEED})`, () => {
  const seen = { exact: 0, inexact: 0 };
  fc.assert(
    fc.property(double, double, fc.boolean(), (q, b, multiply) => {
      const a = multiply ? q * b : q;
      if (!Number.isFinite(a)) return;
      const quotient = a / b;
      const exact = Number.isFinite(quotient) && scaled(quotient) * scaled(b) === scaled(a) << 1074n;
      assert.equal(exactQuotient(a, b), exact ? quotient : null);
      seen[exact ? "exact" : "inexact"]++;
    }),
    { seed: SEED, numRuns: 5000 },
  );
  assert.ok(seen.exact > 300 && seen.inexact > 300, JSON.stringify(seen));
});

Deno.test("exactly() stops at the first result that would round", () => {
  const asked: number[] = [];
  const result = exactly(4, (i) => {
    asked.push(i);
    return i === 2 ? null : i;
  });
  assert.equal(result, null);
  assert.deepEqual(asked, [0, 1, 2]);
  assert.deepEqual(exactly(3, (i) => 2 * i), new Float64Array([0, 2, 4]));
});
