import assert from "node:assert/strict";
import { formOfDoubles, numeratorAt } from "../../../shared/linear/exact_form.ts";
import { hasOpenCone } from "../../../shared/linear/cone.ts";
import { pointBeside } from "../../../shared/linear/point_beside.ts";
import { POINT_LIMITS } from "../../../shared/witness/exact_gradients.ts";
import { signOfRoom } from "./exact_programs.ts";
import { Random } from "../../exact/random.ts";

const SEED = 20_261_211;

/** l <= row . x <= l + width as two forms. */
function sliver(row: readonly number[], least: number, width: number) {
  return [formOfDoubles(row, -least), formOfDoubles(row.map((c) => -c), least + width)];
}

Deno.test(`pointBeside() is in the box and in every form, exactly, and found in most slivers of two inputs (seed ${SEED})`, () => {
  let found = 0;
  const count = 200;
  for (let index = 0; index < count; index++) {
    const random = new Random(SEED, index), n = random.integer(2, 4);
    const row = Array.from({ length: n }, () => random.integer(1, 8) * random.sign() / 4);
    const box = { lower: new Float64Array(n).fill(-2), upper: new Float64Array(n).fill(2) };
    const near = box.lower.map(() => random.between(-1, 1));
    const forms = sliver(
      row,
      row.reduce((sum, c, j) => sum + c * near[j], 0),
      random.pick([2 ** -52, 2 ** -50, 2 ** -40]),
    );
    const point = pointBeside(forms, box, near);
    if (point === null) continue;
    found++;
    assert.ok(point.every((x, j) => box.lower[j] <= x && x <= box.upper[j]));
    for (const form of forms) assert.ok(numeratorAt(form, point) >= 0n);
  }
  assert.ok(found > 0.9 * count, `${found} of ${count}`);
});

Deno.test("pointBeside() finds what a coordinate's range leaves: a corner, the one double between, and nothing between doubles", () => {
  const box = { lower: Float64Array.of(-1, 0.5), upper: Float64Array.of(1, 0.5) };
  const corner = [formOfDoubles([1, 0], -1)];
  assert.deepEqual(pointBeside(corner, box, Float64Array.of(0, 0.5)), Float64Array.of(1, 0.5));
  const line = { lower: Float64Array.of(0), upper: Float64Array.of(1) };
  // 3 x = 1 has no double; 3 x = 1.5 has one.
  assert.equal(pointBeside(sliver([3], 1, 0), line, Float64Array.of(1 / 3)), null);
  assert.deepEqual(pointBeside(sliver([3], 1.5, 0), line, Float64Array.of(1 / 3)), Float64Array.of(0.5));
  assert.deepEqual(
    pointBeside(sliver([3], 1, 2 ** -52), line, Float64Array.of(0.3)),
    Float64Array.of(1 / 3 + 2 ** -54),
  );
});

Deno.test(`hasOpenCone() is right wherever the rows are few (seed ${SEED})`, () => {
  let open = 0, closed = 0;
  for (let index = 0; index < 400; index++) {
    const random = new Random(SEED, 1000 + index), n = random.integer(1, 3), m = random.integer(1, 5);
    const rows = Array.from({ length: m }, () => Array.from({ length: n }, () => random.integer(-3, 3)))
      .filter((row) => row.some((c) => c !== 0));
    const end = (side: number) => Int8Array.from({ length: n }, () => (random.chance(0.3) ? 0 : side));
    const lower = end(-1), upper = lower.map((l) => (l === 0 ? 1 : random.integer(0, 1)));
    const found = hasOpenCone(rows.map((row) => row.map(BigInt)), { lower, upper }, POINT_LIMITS);
    const program = { rows, constants: rows.map(() => 0), lower: Array.from(lower), upper: Array.from(upper) };
    const real = signOfRoom(program) === 1;
    assert.equal(found, real, `${rows.join("; ")} in ${lower} to ${upper}`);
    real ? open++ : closed++;
  }
  assert.ok(open > 50 && closed > 50, `${open} open, ${closed} not`);
});
