import assert from "node:assert/strict";
import { createKernels } from "../../functions/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { STRUCTURES } from "../exact/random_convolutional.ts";
import { SCALES } from "../exact/random_windows.ts";
import { runConvolutional } from "./convolutional.ts";
import { AGREEMENT } from "./twin.ts";

const SEED = 4109;

for (
  const [name, kernels, rounds] of [["wasm", createKernels(2 ** 28), 3], ["reference", referenceKernels(), 1]] as const
) {
  Deno.test(`bounds on ${name} kernels of convolutional networks hold exact values and agree with the dense twin (seed ${SEED})`, async () => {
    const networks = rounds * STRUCTURES.length;
    const plan = { seed: SEED + rounds, networks, points: 4, kernels, questionsEvery: 11 };
    const report = await runConvolutional(plan);
    assert.deepEqual(report.found, []);
    assert.equal(report.violations, 0);
    for (const structure of STRUCTURES) assert.equal(report.structures[structure], rounds);
    for (const scale of SCALES) assert.ok(report.scales[scale]! >= rounds);
    assert.ok(report.bounds >= 2000 * networks, `${report.bounds} bounds`);
    assert.ok(report.twin_bounds >= 2000 * networks, `${report.twin_bounds} bounds of both`);
    assert.ok(report.twin_difference <= AGREEMENT, `${report.twin_difference} of the reach`);
    // One network whose values lie on a kink, and one in twenty more: four relaxations each.
    assert.ok(report.twin_ties <= 4 * (1 + networks / 20), `${report.twin_ties} ties`);
    assert.ok(report.points >= 4 * networks && report.regions >= 3 * networks, `${report.regions} regions`);
    assert.ok(report.replayed_rows >= 2 * networks, `${report.replayed_rows} rows`);
    assert.ok(report.questions >= 28 * rounds, `${report.questions} questions`);
  });
}

Deno.test(`bounds in f32 of convolutional networks hold exact values (seed ${SEED})`, async () => {
  const networks = 4 * STRUCTURES.length, kernels = createKernels(2 ** 28);
  const plan = { seed: SEED + 9, networks, points: 4, kernels, questionsEvery: 5, precision: "f32" } as const;
  const report = await runConvolutional(plan);
  assert.deepEqual(report.found, []);
  for (const structure of STRUCTURES) assert.ok(report.structures[structure]! >= 1);
  assert.ok(report.bounds >= 500 * networks, `${report.bounds} bounds`);
  assert.ok(report.replayed_rows >= networks, `${report.replayed_rows} rows`);
});
