import assert from "node:assert/strict";
import { boxMaximum, isInside, rowsInside } from "../../../shared/linear/empty.ts";
import { roomiest } from "../../../shared/linear/polytope.ts";
import {
  add,
  compare,
  type Exact,
  exact,
  isAtMost,
  maximum,
  multiply,
  sign,
  subtract,
  ZERO,
} from "../../exact/dyadic.ts";
import { Random } from "../../exact/random.ts";
import { type Polytope, randomPolytope } from "./polytopes.ts";

const SEED = 20_261_204;

/** max over the box of sum y_i (a_i . x + b_i + e_i), exactly. */
function exactMaximum(
  { halfSpaces: { rows, constants }, box }: Polytope,
  errors: Float64Array,
  y: Float64Array,
): Exact {
  const n = box.lower.length;
  let sum = ZERO;
  for (let i = 0; i < y.length; i++) sum = add(sum, multiply(exact(y[i]), add(exact(constants[i]), exact(errors[i]))));
  for (let j = 0; j < n; j++) {
    let slope = ZERO;
    for (let i = 0; i < y.length; i++) slope = add(slope, multiply(exact(y[i]), exact(rows[i * n + j])));
    sum = add(sum, maximum(multiply(slope, exact(box.lower[j])), multiply(slope, exact(box.upper[j]))));
  }
  return sum;
}

/** {@link boxMaximum} without its radius. */
function unroundedMaximum({ halfSpaces: { rows, constants }, box }: Polytope, errors: Float64Array, y: Float64Array) {
  const n = box.lower.length;
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += y[i] * (constants[i] + errors[i]);
  for (let j = 0; j < n; j++) {
    let slope = 0;
    for (let i = 0; i < y.length; i++) slope += y[i] * rows[i * n + j];
    sum += Math.max(slope * box.lower[j], slope * box.upper[j]);
  }
  return sum;
}

Deno.test(`(24) boxMaximum() is never below the exact maximum; without its radius it is (seed ${SEED})`, () => {
  const random = new Random(SEED);
  let caught = 0;
  for (let k = 0; k < 400; k++) {
    const polytope = randomPolytope(random, random.integer(1, 9), random.integer(1, 7));
    const { halfSpaces, box } = polytope, m = halfSpaces.constants.length;
    const tiny = k % 7 === 0 ? 2 ** -1040 : 1;
    for (let at = 0; at < halfSpaces.rows.length; at++) halfSpaces.rows[at] *= tiny;
    for (let i = 0; i < m; i++) halfSpaces.constants[i] *= tiny;
    const errors = Float64Array.from({ length: m }, () => random.chance(0.5) ? 0 : random.unit() * 1e-3 * tiny);
    const best = roomiest(halfSpaces, box).multipliers.map((y) => (y < Infinity ? y : 0));
    for (
      const y of [
        best,
        best.map((value) => value * random.unit()),
        Float64Array.from({ length: m }, () => random.unit()),
      ]
    ) {
      const truth = exactMaximum(polytope, errors, y), bound = boxMaximum(halfSpaces, errors, box, y);
      assert.ok(compare(truth, exact(bound)) <= 0, `${k}, ${polytope.shape}`);
      const near = Math.abs(bound) * 1e-6 + boxMaximum(halfSpaces, errors, box, y.map((value) => value / 1024));
      assert.ok(isAtMost(subtract(exact(bound), truth), Math.abs(near) + 1e-9), `${k}, ${polytope.shape}: far above`);
      if (!isAtMost(truth, unroundedMaximum(polytope, errors, y))) caught++;
    }
  }
  assert.ok(caught > 100, `${caught}`);
});

Deno.test(`isInside() is true only where every half-space holds, exactly (seed ${SEED})`, () => {
  const random = new Random(SEED, 1);
  let inside = 0, outside = 0;
  for (let k = 0; k < 600; k++) {
    const { halfSpaces, box } = randomPolytope(random, random.integer(1, 6), random.integer(1, 5));
    const { rows, constants } = halfSpaces, n = box.lower.length;
    const errors = Float64Array.from(constants, () => random.chance(0.5) ? 0 : random.unit() * 1e-2);
    const { point } = roomiest(halfSpaces, box);
    const holds = constants.every((b, i) => {
      let value = subtract(exact(b), exact(errors[i]));
      for (let j = 0; j < n; j++) value = add(value, multiply(exact(rows[i * n + j]), exact(point[j])));
      return sign(value) > 0;
    });
    const said = isInside(halfSpaces, errors, box, point);
    assert.ok(holds || !said);
    if (said) inside++;
    else outside++;
    if (rowsInside(halfSpaces, errors, point, box).every(Boolean)) assert.ok(said);
  }
  assert.ok(inside > 50 && outside > 50, `${inside}, ${outside}`);
});

Deno.test("boxMaximum() proves nothing from what is not finite or not >= 0", () => {
  const box = { lower: Float64Array.of(0), upper: Float64Array.of(1) };
  const half = { rows: Float64Array.of(1), constants: Float64Array.of(-2) };
  const bound = (rows: number, constant: number, error: number, y: number, upper = 1) =>
    boxMaximum({ rows: Float64Array.of(rows), constants: Float64Array.of(constant) }, Float64Array.of(error), {
      lower: box.lower,
      upper: Float64Array.of(upper),
    }, Float64Array.of(y));
  assert.ok(boxMaximum(half, null, box, Float64Array.of(1)) < 0);
  for (const bad of [NaN, Infinity, -Infinity]) {
    assert.equal(bound(bad, -2, 0, 1), Infinity);
    assert.equal(bound(1, bad, 0, 1), Infinity);
    assert.equal(bound(1, -2, bad, 1), Infinity);
    assert.equal(bound(1, -2, 0, bad), Infinity);
    assert.equal(bound(1, -2, 0, 1, bad), Infinity);
  }
  assert.equal(bound(1, -2, -1, 1), Infinity);
  assert.equal(bound(1, -2, 0, -1), Infinity);
  assert.ok(bound(1, -2, 1.5, 1) >= 0.5);
});
