import assert from "node:assert/strict";
import fc from "fast-check";
import { formOfDoubles, numeratorAt } from "../../../shared/linear/exact_form.ts";
import { entryOf, normOf } from "../../../shared/linear/exact_norm.ts";
import { doublesAround } from "../../../shared/numeric/dyadic.ts";
import {
  absolute,
  add,
  compare,
  divide,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  multiply,
  neighbour,
  powerOfTwo,
  sign,
} from "../../exact/dyadic.ts";

const SEED = 20_261_210;
const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { seed: SEED, numRuns: 400 });

const integer = (numerator: bigint): Exact => ({ numerator, exponent: 0, denominator: 1n });

/** lower <= value <= upper, and no double lies between them. */
function isTightAround({ lower, upper }: { readonly lower: number; readonly upper: number }, value: Exact): boolean {
  const holds = (lower === -Infinity || isAtLeast(value, lower)) && (upper === Infinity || isAtMost(value, upper));
  if (lower === upper) return holds && compare(exact(lower), value) === 0;
  return holds && neighbour(lower, 1) === upper && (lower === -Infinity || compare(exact(lower), value) < 0);
}

Deno.test(`doublesAround() are the doubles next to a quotient, equal where it is one (seed ${SEED})`, () => {
  const numerator = fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
    exponent = fc.integer({ min: -1200, max: 1000 });
  check(fc.property(numerator, exponent, fc.bigInt({ min: 1n, max: 2n ** 70n }), (n, e, d) => {
    const value = divide(multiply(integer(n), powerOfTwo(e)), integer(d));
    assert.ok(isTightAround(doublesAround(n, e, d), value), `${n} 2^${e} / ${d}`);
  }));
  check(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
    const { numerator, exponent, denominator } = exact(x);
    assert.deepEqual(doublesAround(numerator, exponent, denominator), { lower: x + 0, upper: x + 0 });
  }));
});

Deno.test("doublesAround() beyond the largest double ends at infinity, and next to 0 at the smallest", () => {
  assert.deepEqual(doublesAround(1n, 1024, 1n), { lower: Number.MAX_VALUE, upper: Infinity });
  assert.deepEqual(doublesAround(-1n, 1024, 1n), { lower: -Infinity, upper: -Number.MAX_VALUE });
  assert.deepEqual(doublesAround(1n, -1100, 3n), { lower: 0, upper: 2 ** -1074 });
});

Deno.test(`normOf(), entryOf() and numeratorAt() round the number itself, once (seed ${SEED})`, () => {
  const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 5 });
  check(fc.property(numbers, fc.bigInt({ min: 1n, max: 2n ** 60n }), (values, denominator) => {
    const form = { ...formOfDoubles(values.slice(0, -1), values.at(-1)!), denominator };
    const real = values.map((x) => divide(exact(x), integer(denominator)));
    const gradient = real.slice(0, -1);
    assert.ok(isTightAround(normOf(form), gradient.map(absolute).reduce(add)));
    gradient.forEach((one, j) => assert.ok(isTightAround(entryOf(form, j), one)));
    const value = gradient.map((one, j) => multiply(one, exact(values[j]))).reduce(add, real.at(-1)!);
    assert.equal(numeratorAt(form, values.slice(0, -1)) > 0n, sign(value) > 0);
  }));
});
