import assert from "node:assert/strict";
import fc from "fast-check";
import { LipcertError } from "../../../shared/errors.ts";
import { add, compare, type Decimal, decimalOf, multiply, ZERO } from "../../../shared/vnnlib/decimal.ts";
import { type Counterexamples, readProperty } from "../../../shared/vnnlib/property.ts";
import { holds, type Point, points, properties, propertyText } from "./formulas.ts";

const SEED = 72;

/** Whether the point is one of the counterexamples that were read. */
function contains({ cases }: Counterexamples, point: Point): boolean {
  const inputs = point.inputs.map((text) => decimalOf(text)!), outputs = point.outputs.map((text) => decimalOf(text)!);
  return cases.some(({ box, disjuncts }) =>
    inputs.every((x, i) => compare(box.lower[i], x) <= 0 && compare(x, box.upper[i]) <= 0) &&
    disjuncts.some((constraints) =>
      constraints.every(({ linear }) => compare(valueOf(linear.constant, linear.outputs, outputs), ZERO) <= 0)
    )
  );
}

function valueOf(constant: Decimal, terms: ReadonlyMap<number, Decimal>, outputs: readonly Decimal[]): Decimal {
  return [...terms].reduce((sum, [k, c]) => add(sum, multiply(c, outputs[k])), constant);
}

Deno.test("readProperty() says the same of every point as the formulas it was written from", () => {
  let inside = 0;
  fc.assert(
    fc.property(properties, fc.array(points, { minLength: 20, maxLength: 20 }), (asserted, asked) => {
      const read = readProperty(propertyText(asserted));
      for (const point of asked) {
        const expected = asserted.every((tree) => holds(tree, point));
        if (expected) inside++;
        assert.equal(contains(read, point), expected, JSON.stringify(point));
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
  assert.ok(inside > 200, `only ${inside} points were counterexamples (seed ${SEED})`);
});

Deno.test("readProperty() puts disjuncts over the same box into one case", () => {
  const file = (name: string) => Deno.readTextFileSync(new URL(`../../cli/properties/${name}`, import.meta.url));
  const shape = ({ cases }: Counterexamples) => cases.map(({ disjuncts }) => disjuncts.map((one) => one.length));
  assert.deepEqual(shape(readProperty(file("one_box.vnnlib"))), [[1, 1, 1, 1]]);
  assert.deepEqual(shape(readProperty(file("two_boxes.vnnlib"))), [[1, 1, 1, 1], [1, 1, 1, 1]]);
});

const HEAD = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n";
const BOX = "(assert (<= X_0 1))(assert (>= X_0 0))\n";

/** What is wrong, and what the problem must say. Line 4 follows the head. */
const REFUSED: readonly (readonly [text: string, type: string, says: RegExp])[] = [
  ["", "invalid-query", /no input X_i is declared/],
  ["(".repeat(1e6), "malformed-body", /nested deeper than 100 at line 1, column 101$/],
  [`${HEAD}(assert (and ${"(or ".repeat(200)}`, "malformed-body", /nested deeper than 100 at line 4/],
  [`${HEAD}(assert (<= Y_0 1)`, "malformed-body", /never closed.* at line 4, column 1$/],
  [`${HEAD}(assert (<= Y_0 1)))`, "malformed-body", /closes nothing at line 4, column 20$/],
  [`${HEAD}${"a".repeat(1000)}`, "malformed-body", /longer than 256 characters at line 4, column 1$/],
  [`${HEAD}(assert "x")`, "malformed-body", /character .* at line 4, column 9$/],
  [`${HEAD}(assert (<= Y_0 |a b|))`, "malformed-body", /character "\|"/],
  [`${HEAD}(assert (<= Y_0 \0))`, "malformed-body", /character "\\u0000"/],
  [`${HEAD}(${"a ".repeat(2 ** 20)})`, "malformed-body", /more than 1048576 parts/],
  [`${HEAD}(assert (<= Y_0 NaN))`, "invalid-query", /unknown symbol "NaN" .* at line 4, column 17$/],
  [`${HEAD}(assert (<= Y_0 Infinity))`, "invalid-query", /unknown symbol "Infinity"/],
  [`${HEAD}(assert (<= Y_0 Y_7))`, "invalid-query", /unknown symbol "Y_7" \(it is not declared\)/],
  [`${HEAD}(assert (<= Y_0 1e999999))`, "invalid-query", /too many digits at line 4, column 17$/],
  [`${HEAD}(assert (< Y_0 1))`, "invalid-query", /not \("<" …\) at line 4, column 9$/],
  [`${HEAD}(assert (not (<= Y_0 1)))`, "invalid-query", /not \("not" …\)/],
  [`${HEAD}(assert (<= Y_0 1 2))`, "invalid-query", /compares two terms, not 3/],
  [`${HEAD}(assert (<= (* Y_0 Y_1) 2))`, "invalid-query", /a product of two variables at line 4, column 13$/],
  [`${HEAD}(assert (<= (/ Y_0 2) 2))`, "invalid-query", /a linear term is needed, not \("\/" …\)/],
  [`${HEAD}(assert (<= (+) 2))`, "invalid-query", /"\+" of nothing/],
  [`${HEAD}(assert (or))`, "invalid-query", /"or" of nothing/],
  [`${HEAD}(assert ())`, "invalid-query", /not an empty list/],
  [`${HEAD}(assert true)`, "invalid-query", /not "true"/],
  [`${HEAD}(check-sat)`, "invalid-query", /unknown command \("check-sat" …\) at line 4, column 1$/],
  [`${HEAD}(declare-const X_1 Int)`, "invalid-query", /\(declare-const NAME Real\)/],
  [`${HEAD}(declare-const Z Real)`, "invalid-query", /neither X_i nor Y_j/],
  [`${HEAD}(declare-const Y_1 Real)`, "invalid-query", /Y_1 is declared twice/],
  [`${HEAD}(declare-const X_3 Real)`, "invalid-query", /X_1 is not declared/],
  [`${HEAD}(assert (<= Y_0 1))`, "invalid-query", /X_0 has no lower bound in disjunct 1/],
  [`${HEAD}${BOX}(assert (<= (* 2 X_0) 1))`, "invalid-query", /compares one X_i with a number at line 5/],
  [`${HEAD}${BOX}(assert (<= X_0 Y_0))`, "invalid-query", /compares inputs with outputs at line 5/],
  [
    `${HEAD}${BOX}${"(assert (or (<= Y_0 1) (<= Y_1 1)))".repeat(40)}`,
    "invalid-query",
    /at most 16384 and 1048576 are supported/,
  ],
];

Deno.test("readProperty() refuses what it does not read, naming place and what is supported", () => {
  for (const [text, type, says] of REFUSED) {
    assert.throws(() => readProperty(text), (error) => {
      assert.ok(error instanceof LipcertError, `${text.slice(0, 200)}: ${error}`);
      assert.equal(error.type, type, error.message);
      assert.match(error.message, says);
      if (type === "invalid-query") assert.ok(Array.isArray(error.members.supported), error.message);
      else assert.equal(typeof error.members.line, "number");
      assert.ok(error.message.length < 400, "a problem stays short");
      return true;
    });
  }
});

Deno.test("readProperty() drops empty boxes: nothing satisfies them", () => {
  const { cases } = readProperty(`${HEAD}(assert (<= X_0 0.1))(assert (>= X_0 0.1000000000000000000000000000001))`);
  assert.deepEqual(cases, []);
  assert.deepEqual(readProperty(`${HEAD}${BOX}(assert (<= 1 0))`).cases, []);
  assert.equal(readProperty(`${HEAD}${BOX}(assert (<= 0 0.0))`).cases.length, 1);
});
