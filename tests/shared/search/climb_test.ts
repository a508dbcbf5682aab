/** Climbs over smoothed kinks, on networks of many inputs. */
import assert from "node:assert/strict";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { midpoint } from "../../../shared/numeric/box.ts";
import { climbSmoothed, climbsSmoothed } from "../../../shared/search/climb_smoothed.ts";
import { boundingOf } from "../../../shared/search/expand.ts";
import type { Aim } from "../../../shared/search/objective.ts";
import { regionOf } from "../../../shared/search/region.ts";
import { problemOf } from "../../../shared/search/roots.ts";
import { valueAt } from "../../../shared/search/value_at.ts";
import { Random } from "../../exact/random.ts";
import { chain, condensed, passOf } from "../condensed/networks.ts";

const SEED = 20_261_124, FEATURES = 70, WIDTH = 16;

/** 70-16-16-1 over a box around 0: most neurons are undetermined. */
async function wide(index: number, aim: Aim) {
  const random = new Random(SEED, index);
  const affine = (rows: number, columns: number) => ({
    operator: "affine" as const,
    weights: Float64Array.from({ length: rows * columns }, () => random.integer(-64, 64) / 64),
    bias: Float64Array.from({ length: rows }, () => random.integer(-8, 8) / 16),
  });
  const graph = chain(
    FEATURES,
    [affine(WIDTH, FEATURES), WIDTH],
    [{ operator: "relu" }, WIDTH],
    [affine(WIDTH, WIDTH), WIDTH],
    [{ operator: "relu" }, WIDTH],
    [affine(1, WIDTH), 1],
  );
  const box = { lower: new Float64Array(FEATURES).fill(-0.25), upper: new Float64Array(FEATURES).fill(0.25) };
  const region = regionOf(condensed(await passOf(graph, box)), box, (count) => referenceKernels().vectors(count)!);
  const asked = { aim, upper: Infinity, lower: -Infinity, entries: null };
  return { box, bounding: boundingOf(problemOf(region, { graph, inputs: new Map() }, [asked]), 0) };
}

const AIMS: readonly Aim[] = [
  { kind: "norm", row: Float64Array.of(1) },
  { kind: "norm", row: Float64Array.of(-2) },
  { kind: "entry", row: Float64Array.of(-1), feature: 3 },
];

for (const aim of AIMS) {
  Deno.test(`climbSmoothed() of ${aim.kind} ${aim.row} rises from the middle, within the box, to the same point twice (seed ${SEED})`, async () => {
    let risen = 0, random = 0, climbed = 0;
    for (let index = 0; index < 12; index++) {
      const { box, bounding } = await wide(index, aim), { region, objective, workspace } = bounding;
      const at = (point: Float64Array) => valueAt(region, objective, workspace, point);
      const start = midpoint(box), point = climbSmoothed(bounding, box, start);
      assert.ok(point.every((x, j) => x >= box.lower[j] && x <= box.upper[j]));
      assert.deepEqual(climbSmoothed(bounding, box, start), point);
      const value = at(point);
      assert.ok(value >= at(start));
      if (value > at(start)) risen++;
      // As many corners, drawn.
      const drawn = new Random(SEED, 100 + index);
      let met = -Infinity;
      for (let k = 0; k < 120; k++) {
        met = Math.max(met, at(box.lower.map((l, j) => drawn.chance(0.5) ? l : box.upper[j])));
      }
      random += met;
      climbed += value;
    }
    assert.ok(risen >= 11, `${risen} of 12 rose`);
    assert.ok(climbed > 1.05 * random, `${climbed} climbed, ${random} drawn`);
  });
}

Deno.test("climbsSmoothed() leaves values and few features alone", async () => {
  const { bounding } = await wide(0, AIMS[0]);
  const few = { ...bounding, region: { ...bounding.region, features: 3 } };
  const value = {
    ...bounding,
    objective: { ...bounding.objective, aim: { kind: "value", row: AIMS[0].row } as const },
  };
  assert.deepEqual([bounding, few, value].map((one) => climbsSmoothed(one, 0)), [true, false, false]);
  assert.equal(climbsSmoothed(bounding, 1), false);
});
