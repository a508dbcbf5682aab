import assert from "node:assert/strict";
import { boxMaximum, isInside } from "../../../shared/linear/empty.ts";
import { scalesOf } from "../../../shared/linear/half_spaces.ts";
import { optimise } from "../../../shared/linear/optimise.ts";
import { roomiest } from "../../../shared/linear/polytope.ts";
import { Random } from "../../exact/random.ts";
import { highsOptimum, highsRoom } from "./highs.ts";
import { type Polytope, randomPolytope } from "./polytopes.ts";

const SEED = 20_261_201;

function polytopes(count: number, stream: number): Polytope[] {
  const random = new Random(SEED, stream);
  return Array.from({ length: count }, (_, k) => {
    const isLarge = k % 40 === 39;
    return randomPolytope(random, random.integer(1, isLarge ? 60 : 12), random.integer(1, isLarge ? 90 : 8));
  });
}

const leastRoom = ({ halfSpaces, box }: Polytope, point: Float64Array): number => {
  const scales = scalesOf(halfSpaces, box), n = point.length;
  return halfSpaces.constants.reduce((least, b, i) => {
    if (scales[i] === 0) return least;
    return Math.min(least, point.reduce((sum, x, j) => sum + halfSpaces.rows[i * n + j] * x, b) / scales[i]);
  }, Infinity);
};

const near = (a: number, b: number, message: string) => {
  assert.ok(Math.abs(a - b) <= 1e-7 * (1 + Math.abs(b)), `${message}: ${a}, not ${b}`);
};

Deno.test(`roomiest() finds the optimum, a point that has it and multipliers that prove it (seed ${SEED})`, () => {
  let empty = 0;
  polytopes(400, 1).forEach((polytope, k) => {
    const { halfSpaces, box, shape } = polytope, name = `${k}, ${shape}`;
    const { point, multipliers, room, outcome } = roomiest(halfSpaces, box);
    assert.equal(outcome, "optimal", name);
    assert.ok(point.every((x, j) => box.lower[j] <= x && x <= box.upper[j]), name);
    const scales = scalesOf(halfSpaces, box);
    if (halfSpaces.constants.some((b, i) => scales[i] === 0 && constantOf(polytope, i, b) < 0)) {
      assert.ok(room < 0 && boxMaximum(halfSpaces, null, box, multipliers) < 0, name);
      empty++;
      return;
    }
    if (scales.every((scale) => scale === 0)) return assert.equal(room, Infinity);
    near(room, highsRoom(halfSpaces, box).value, name);
    near(leastRoom(polytope, point), room, `${name}, point`);
    near(boxMaximum(halfSpaces, null, box, multipliers), room, `${name}, multipliers`);
    near(multipliers.reduce((sum, y, i) => sum + y * scales[i], 0), 1, `${name}, unit`);
    if (room < -1e-8) {
      assert.ok(boxMaximum(halfSpaces, null, box, multipliers) < 0, name);
      empty++;
    } else if (room > 1e-8 && scales.every((scale) => scale > 0)) {
      assert.ok(isInside(halfSpaces, null, box, point), name);
    }
  });
  assert.ok(empty > 60, `${empty} were empty`);
});

function constantOf({ halfSpaces: { rows }, box: { lower } }: Polytope, i: number, b: number): number {
  return lower.reduce((sum, l, j) => sum + rows[i * lower.length + j] * l, b);
}

Deno.test(`optimise() finds the optimum or that there is none (seed ${SEED})`, () => {
  let empty = 0, thin = 0;
  const random = new Random(SEED, 3);
  polytopes(400, 2).forEach((polytope, k) => {
    const { halfSpaces, box, shape } = polytope, name = `${k}, ${shape}`;
    const objective = box.lower.map(() => random.chance(0.2) ? 0 : random.normal());
    const found = optimise(halfSpaces, box, objective);
    assert.equal(found.outcome, "optimal", name);
    // The question has a stable answer only where the polytope is not about to become empty.
    const { room } = roomiest(halfSpaces, box);
    if (room < -1e-8) {
      empty++;
      assert.ok(found.isEmpty && boxMaximum(halfSpaces, null, box, found.multipliers) < 0, name);
      return;
    }
    assert.ok(!found.isEmpty, name);
    if (room < 1e-8) thin++;
    const { status, value } = highsOptimum(halfSpaces, box, objective);
    if (status === "Optimal") near(found.value, value, name);
    assert.ok(leastRoom(polytope, found.point) > -1e-7, `${name}, point`);
    near(boxMaximum(halfSpaces, null, box, found.multipliers, objective), found.value, `${name}, multipliers`);
  });
  assert.ok(empty > 60 && thin > 10, `${empty} were empty, ${thin} thin`);
});

Deno.test("roomiest() under a limit of steps still gives a point of the box and multipliers that are none below 0", () => {
  for (const { halfSpaces, box } of polytopes(60, 4)) {
    for (const steps of [0, 1, 3]) {
      const { point, multipliers } = roomiest(halfSpaces, box, { steps });
      assert.ok(point.every((x, j) => box.lower[j] <= x && x <= box.upper[j]));
      assert.ok(multipliers.every((y) => y >= 0));
    }
  }
});
