import assert from "node:assert/strict";
import { createKernels } from "../../functions/kernels.ts";
import { readModel } from "../../shared/mod.ts";
import { outputAt } from "../exact/network.ts";
import { Random } from "../exact/random.ts";
import { randomNetwork, RECIPES } from "../exact/random_networks.ts";
import { combine } from "../exact/vector.ts";
import { checkCertificates, emptyTally } from "./certificates.ts";
import { onnxBytes } from "./onnx_bytes.ts";
import { center } from "./samples.ts";

const SEED = 4107;

Deno.test(`readModel() of random networks computes the same real function, to the last bit (seed ${SEED})`, async () => {
  for (let index = 0; index < 10 * RECIPES.length; index++) {
    const network = randomNetwork(SEED, index, 24), random = new Random(SEED, index);
    const model = await readModel(onnxBytes(network.graph, random));
    const graph = model.graph("y");
    for (const point of [center(network), network.lower, network.upper]) {
      const difference = combine(outputAt(network.graph, point), outputAt(graph, point), -1);
      assert.ok(difference.numerators.every((n) => n === 0n), network.name);
    }
  }
});

Deno.test(`certify() of models read from bytes never contradicts exact values of what was written (seed ${SEED})`, async () => {
  const kernels = createKernels(2 ** 28), tally = emptyTally();
  for (let index = 0; index < 6 * RECIPES.length; index++) {
    const network = randomNetwork(SEED, index, 24), random = new Random(SEED, index);
    const model = await readModel(onnxBytes(network.graph, random));
    await checkCertificates(network, kernels, random, 3, tally, model);
  }
  assert.deepEqual(tally.found, []);
  assert.ok(tally.bounds > 10_000, `${tally.bounds} bounds`);
});
