import assert from "node:assert/strict";
import { createKernels } from "../../functions/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { BOXES, RECIPES } from "../exact/random_networks.ts";
import { runCampaign } from "./campaign.ts";

const SEED = 4105;
/** Every recipe with every kind of box, several times. */
const ROUND = RECIPES.length * BOXES.length;

for (
  const [name, kernels, rounds] of [["wasm", createKernels(2 ** 28), 5], ["reference", referenceKernels(), 1]] as const
) {
  Deno.test(`certify() on ${name} kernels never contradicts exact values of random networks (seed ${SEED})`, async () => {
    const plan = { seed: SEED + rounds, networks: rounds * ROUND, points: 4, kernels };
    const report = await runCampaign(plan);
    assert.deepEqual(report.found, []);
    assert.equal(report.violations, 0);
    for (const recipe of RECIPES) assert.equal(report.recipes[recipe], rounds * BOXES.length);
    for (const kind of BOXES) assert.equal(report.boxes[kind], rounds * RECIPES.length);
    assert.ok(report.questions >= 28 * plan.networks, `${report.questions} questions`);
    assert.ok(report.bounds >= 500 * plan.networks, `${report.bounds} bounds`);
    assert.ok(report.witnesses >= 15 * plan.networks, `${report.witnesses} witnesses`);
    assert.ok(report.condensed_bounds >= 20 * plan.networks, `${report.condensed_bounds} condensed bounds`);
    assert.ok(report.replayed_rows >= 30 * plan.networks, `${report.replayed_rows} rows`);
  });
}

Deno.test(`certify() in f32 never contradicts exact values of random networks (seed ${SEED})`, async () => {
  const plan = {
    seed: SEED + 7,
    networks: 3 * ROUND,
    points: 4,
    kernels: createKernels(2 ** 28),
    precision: "f32",
  } as const;
  const report = await runCampaign(plan);
  assert.deepEqual(report.found, []);
  assert.ok(report.bounds >= 500 * plan.networks, `${report.bounds} bounds`);
  assert.ok(report.condensed_bounds >= 15 * plan.networks, `${report.condensed_bounds} condensed bounds`);
  assert.ok(report.replayed_rows >= 20 * plan.networks, `${report.replayed_rows} rows`);
});
