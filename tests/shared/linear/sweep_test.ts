/** Programs over one polytope, one after the other, against each of them alone. */
import assert from "node:assert/strict";
import { boxMaximum } from "../../../shared/linear/empty.ts";
import { optimise } from "../../../shared/linear/optimise.ts";
import { sweepOf } from "../../../shared/linear/sweep.ts";
import { Random } from "../../exact/random.ts";
import { randomPolytope } from "./polytopes.ts";

const SEED = 20_261_204;

Deno.test(`sweepOf() finds every optimum and its multipliers, or that there is none (seed ${SEED})`, () => {
  const random = new Random(SEED);
  let empty = 0, programs = 0;
  for (let k = 0; k < 300; k++) {
    const n = random.integer(1, 8);
    const { halfSpaces, box, shape } = randomPolytope(random, random.integer(1, 14), n), name = `${k}, ${shape}`;
    const sweep = sweepOf(halfSpaces, box, 10_000);
    if (sweep === null) continue;
    if (sweep.emptiness !== null) {
      const most = boxMaximum(halfSpaces, null, box, sweep.emptiness);
      assert.ok(most < 1e-7, `${name}: ${most}`);
      empty++;
      continue;
    }
    for (let i = 0; i < 12; i++) {
      const c = Float64Array.from({ length: n }, () => random.chance(0.3) ? 0 : random.normal());
      const found = sweep.maximise(c), alone = optimise(halfSpaces, box, c);
      if (found === null || alone.isEmpty) continue;
      programs++;
      const near = (a: number, what: string) =>
        assert.ok(
          Math.abs(a - alone.value) <= 1e-7 * (1 + Math.abs(alone.value)),
          `${name}: ${what} ${a}, ${alone.value}`,
        );
      near(found.point.reduce((sum, x, j) => sum + c[j] * x, 0), "point");
      near(boxMaximum(halfSpaces, null, box, found.multipliers, c), "multipliers");
    }
  }
  assert.ok(empty > 20 && programs > 1500, `${empty} were empty, ${programs} programs`);
});

Deno.test("sweepOf() ends where its pivots are used up", () => {
  const box = { lower: Float64Array.of(0, 0), upper: Float64Array.of(1, 1) };
  const sweep = sweepOf({ rows: Float64Array.of(-1, -2), constants: Float64Array.of(1) }, box, 1);
  const answers = [[1, 1], [-1, 1], [1, -1], [-1, -1]].map((c) => sweep?.maximise(Float64Array.from(c)) ?? null);
  assert.equal(answers.at(-1), null);
});
