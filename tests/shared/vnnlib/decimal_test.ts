import assert from "node:assert/strict";
import fc from "fast-check";
import {
  add,
  compare,
  compareWithDouble,
  type Decimal,
  decimalOf,
  multiply,
  roundDown,
  roundUp,
  textOf,
} from "../../../shared/vnnlib/decimal.ts";
import * as truth from "../../exact/dyadic.ts";
import { exactOf } from "./formulas.ts";

const SEED = 71;

function read(text: string): Decimal {
  const value = decimalOf(text);
  assert.ok(value !== null, text);
  return value;
}

/** Decimals as files write them: short ones, doubles in full, and some beside a double. */
const decimals = fc.oneof(
  fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -6, max: 6 })).map(([d, e]) => `${d}e${e}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: -360, max: 260 }))
    .map(([d, e]) => `${d}e${e}`),
  fc.tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.nat(9)).map(([x, d]) => `${x}000000000000000000000${d}`)
    .filter((text) => !text.includes("e")),
);

Deno.test("decimalOf() reads what a file may spell, and nothing else", () => {
  for (
    const [text, value] of [["-0", 0], ["1.", 1], [".5", 0.5], ["+2e1", 20], ["-1.25E-1", -0.125], ["007", 7]] as const
  ) {
    assert.equal(compareWithDouble(read(text), value), 0, text);
  }
  for (const text of ["", "-", ".", "e5", "NaN", "inf", "1/2", "0x10", "1e", "1e+", "--1", "1_0", "1e1.5"]) {
    assert.equal(decimalOf(text), null, text);
  }
  assert.throws(() => decimalOf("1e999999"), RangeError);
});

Deno.test("roundDown() and roundUp() are the doubles next to a decimal, itself where it is one", () => {
  fc.assert(
    fc.property(decimals, (text) => {
      const value = read(text);
      const lower = roundDown(value), upper = roundUp(value);
      if (lower > -Infinity) assert.ok(truth.isAtLeast(exactOf(value), lower), `${text} >= ${lower}`);
      if (upper < Infinity) assert.ok(truth.isAtMost(exactOf(value), upper), `${text} <= ${upper}`);
      const isDouble = Number.isFinite(lower) && truth.compare(exactOf(value), truth.exact(lower)) === 0;
      if (isDouble) assert.equal(upper, lower);
      else if (lower !== -Infinity && upper !== Infinity) assert.equal(truth.neighbour(lower, 1) + 0, upper, text); // + 0: no -0
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

Deno.test("roundDown() of a number beyond the doubles is the largest one", () => {
  assert.equal(roundDown(read("1e400")), Number.MAX_VALUE);
  assert.equal(roundUp(read("1e400")), Infinity);
  assert.equal(roundDown(read("-1e400")), -Infinity);
  assert.equal(roundDown(read("1e-400")), 0);
  assert.equal(roundUp(read("1e-400")), 2 ** -1074);
});

Deno.test("add(), multiply() and compare() are exact, and a number is written as it is read", () => {
  fc.assert(
    fc.property(decimals, decimals, (a, b) => {
      const [x, y] = [read(a), read(b)];
      const [p, q] = [exactOf(x), exactOf(y)];
      assert.equal(truth.compare(exactOf(add(x, y)), truth.add(p, q)), 0);
      assert.equal(truth.compare(exactOf(multiply(x, y)), truth.multiply(p, q)), 0);
      assert.equal(compare(x, y), Math.sign(truth.compare(p, q)));
      assert.equal(compare(read(textOf(x)), x), 0);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
