import assert from "node:assert/strict";
import fc from "fast-check";
import { type Decimal, decimalOf, negate } from "../../../shared/vnnlib/decimal.ts";
import { functionalOf, truthOf } from "../../../shared/vnnlib/functional.ts";
import { doublesIn, enclosing, pointAt } from "../../../shared/vnnlib/point.ts";
import { add, compare, exact, multiply, roundDown, roundUp, ZERO } from "../../exact/dyadic.ts";
import { exactOf } from "./formulas.ts";

const SEED = 74;

const decimal = fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -4, max: 1 })).map(([d, e]) =>
  `${d}e${e}`
);

function read(text: string): Decimal {
  return decimalOf(text)!;
}

Deno.test("truthOf() contradicts no exact value where coefficients and limit are no doubles", () => {
  let decided = 0;
  const parts = fc.array(fc.tuple(decimal, fc.double({ min: -4, max: 4, noNaN: true })), {
    minLength: 1,
    maxLength: 3,
  });
  // Limits beside the value itself: what rounding hides must stay undecided.
  fc.assert(
    fc.property(parts, fc.integer({ min: -30, max: 30 }), (terms, away) => {
      const value = terms.reduce((sum, [c, y]) => add(sum, multiply(exactOf(read(c)), exact(y))), ZERO);
      const near = roundDown(value);
      const limit = read(near.toPrecision(15 + Math.abs(away) % 4));
      const outputs = new Map(terms.map(([c], k) => [k, read(c)] as const).filter(([, { digits }]) => digits !== 0n));
      const linear = { constant: negate(limit), inputs: new Map(), outputs };
      const functional = functionalOf({ linear, at: 0 }, terms.length);
      const row = terms.reduce((sum, [, y], k) => add(sum, multiply(exact(functional.row[k]), exact(y))), ZERO);
      const range = { lower: roundDown(row), upper: roundUp(row) };
      const found = truthOf(functional, range, terms.map(([, y]) => ({ lower: y, upper: y })));
      const isMet = compare(value, exactOf(limit)) <= 0;
      if (found !== null) assert.equal(found, isMet, JSON.stringify({ terms, limit: String(limit.digits) }));
      if (found !== null) decided++;
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert.ok(decided > 400, `${decided} decided (seed ${SEED})`);
});

Deno.test("pointAt() is written inside the box, and its cell holds what is written as either number", () => {
  const ends = fc.tuple(decimal, decimal, fc.boolean(), fc.constantFrom(0, 1, 0.3, 0.5));
  fc.assert(
    fc.property(fc.array(ends, { minLength: 1, maxLength: 4 }), (drawn) => {
      const sorted = drawn.map(([a, b, same]) =>
        [read(a), read(same ? a : b)].sort((p, q) => compare(exactOf(p), exactOf(q)))
      );
      const box = { lower: sorted.map(([l]) => l), upper: sorted.map(([, u]) => u) };
      const outside = enclosing(box), doubles = doublesIn(box);
      const at = doubles.lower.map((l, i) => {
        const share = drawn[i][3];
        return share === 1 ? doubles.upper[i] : l + share * (doubles.upper[i] - l);
      });
      const { texts, cell } = pointAt(at, box);
      sorted.forEach(([l, u], i) => {
        assert.ok(compare(exact(outside.lower[i]), exactOf(l)) <= 0);
        assert.ok(compare(exact(outside.upper[i]), exactOf(u)) >= 0);
        const written = exactOf(read(texts[i]));
        assert.ok(compare(written, exactOf(l)) >= 0 && compare(written, exactOf(u)) <= 0, texts[i]);
        for (const number of [written, exact(Number(texts[i]))]) {
          assert.ok(compare(exact(cell.lower[i]), number) <= 0 && compare(exact(cell.upper[i]), number) >= 0);
        }
      });
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("pointAt() does not write a double by digits that lie outside of the box", () => {
  // The double below 0.3 lies in the box, its shortest digits do not.
  const end = read("0.299999999999999995");
  const box = { lower: [read("0")], upper: [end] };
  assert.equal(doublesIn(box).upper[0], 0.3);
  const { texts } = pointAt(Float64Array.of(0.3), box);
  assert.equal(compare(exactOf(read(texts[0])), exactOf(end)), 0);
});
