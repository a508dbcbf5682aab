import assert from "node:assert/strict";
import type { Graph, Node } from "../../shared/graph.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { Random } from "../exact/random.ts";
import { boundEverything, RELAXATIONS } from "./bounds.ts";
import { falseJacobianBounds, falseLipschitz, falseOutputBounds } from "./findings.ts";
import { ForgottenLayer, HalvedBounds, NoRadius, SwappedSign, UnpaidSingle, ZeroIntercepts } from "./mutants.ts";
import { type Region, samplePoints } from "./samples.ts";
import { falseWalks } from "./walks.ts";

const SEED = 4103;

/** A network of these widths with bell-shaped weights; the same for the same seed. */
function network(seed: number, widths: readonly number[]): Graph {
  const random = new Random(seed);
  const nodes: Node[] = [{ operator: "input", inputs: [], size: widths[0], name: "x" }];
  widths.slice(1).forEach((size, layer) => {
    const from = nodes.length - 1, columns = widths[layer];
    if (layer > 0) nodes.push({ operator: "relu", inputs: [from], size: columns, name: `h${layer}` });
    const weights = Float64Array.from({ length: size * columns }, () => random.normal() / Math.sqrt(columns));
    const bias = Float64Array.from({ length: size }, () => 0.3 * random.normal());
    nodes.push({ operator: "affine", inputs: [nodes.length - 1], size, name: `z${layer}`, weights, bias });
  });
  return { nodes };
}

function cube(size: number, radius: number): Region {
  return { lower: new Float64Array(size).fill(0.3 - radius), upper: new Float64Array(size).fill(0.3 + radius) };
}

/** What a backend claims that exact values contradict. A bound that crosses another one is a contradiction, too. */
async function falseClaims(kernels: Kernels, graph: Graph, box: Region, refine: "interval" | "linear") {
  const samples = samplePoints(graph, box, new Random(SEED), 24);
  try {
    const { outputs, entries, norms } = await boundEverything(kernels, graph, box, RELAXATIONS.linear, refine);
    const byOutput = norms.map((upper, output) => ({ output, upper, lower: null }));
    return [
      ...falseOutputBounds(samples, outputs),
      ...falseJacobianBounds(samples, entries),
      ...falseLipschitz(samples, { upper: Math.max(...norms), lower: null, outputs: byOutput, witness: null }),
    ];
  } catch (error) {
    assert.match(String(error), /cross/);
    return [String(error)];
  }
}

Deno.test("the mutant without radius claims more than the exact value at a point, the engine does not", async () => {
  const graph = network(SEED, [12, 16, 16, 5]), point = cube(12, 0);
  for (const refine of ["interval", "linear"] as const) {
    assert.deepEqual(await falseClaims(referenceKernels(), graph, point, refine), []);
    assert.ok((await falseClaims(new NoRadius(referenceKernels()), graph, point, refine)).length > 0);
  }
  const { found } = await falseWalks(new NoRadius(referenceKernels()), graph, point, RELAXATIONS.linear);
  assert.ok(found.some((text) => text.includes("radius")) && found.some((text) => text.includes("magnitudes")));
});

Deno.test("the mutant with halved preactivation bounds loses exact values of its own boxes, the engine does not", async () => {
  const graph = network(SEED, [12, 16, 16, 5]), box = cube(12, 0.2);
  for (const refine of ["interval", "linear"] as const) {
    assert.deepEqual(await falseClaims(referenceKernels(), graph, box, refine), []);
    assert.ok((await falseClaims(new HalvedBounds(referenceKernels()), graph, box, refine)).length > 0);
  }
});

Deno.test("the mutant with zero intercepts claims more than its exact replay proves, the engine does not", async () => {
  const graph = network(SEED, [12, 16, 16, 5]), box = cube(12, 0.2);
  assert.deepEqual((await falseWalks(referenceKernels(), graph, box, RELAXATIONS.linear)).found, []);
  const { found } = await falseWalks(new ZeroIntercepts(referenceKernels()), graph, box, RELAXATIONS.linear);
  assert.ok(found.some((text) => text.includes("proved")));
  assert.ok((await falseClaims(new ZeroIntercepts(referenceKernels()), graph, box, "linear")).length > 0);
});

Deno.test("the mutant that swaps the lines by sign contradicts exact values or itself, the engine does not", async () => {
  const graph = network(SEED, [12, 16, 16, 5]), box = cube(12, 0.2);
  assert.deepEqual((await falseWalks(referenceKernels(), graph, box, RELAXATIONS.linear)).found, []);
  assert.ok((await falseClaims(new SwappedSign(referenceKernels()), graph, box, "linear")).length > 0);
});

Deno.test("the mutant that forgets the charge of one layer is told by the magnitudes, though its bounds may hold", async () => {
  const graph = network(SEED, [6, 7, 9, 11, 3]), box = cube(6, 2); // wide: no neuron is dropped
  assert.deepEqual((await falseWalks(referenceKernels(), graph, box, RELAXATIONS.linear)).found, []);
  for (const width of [7, 9, 11]) {
    const { found } = await falseWalks(new ForgottenLayer(referenceKernels(), width), graph, box, RELAXATIONS.linear);
    assert.ok(found.some((text) => text.includes("magnitudes")), `a layer of ${width}`);
  }
});

Deno.test("the mutant that pays f32 coefficients as f64 claims more than the exact value at points, f32 does not", async () => {
  let caught = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const graph = network(SEED + seed, [16, 24, 16, 8]), point = cube(16, 0);
    assert.deepEqual(await falseClaims(referenceKernels().single, graph, point, "linear"), [], `seed ${SEED + seed}`);
    if ((await falseClaims(new UnpaidSingle(referenceKernels()), graph, point, "linear")).length > 0) caught++;
  }
  assert.ok(caught >= 6, `${caught} of 12 caught`);
});

Deno.test("f32 without radius, with zero intercepts or swapped lines is caught, f32 itself is not", async () => {
  const graph = network(SEED, [12, 16, 16, 5]), point = cube(12, 0), box = cube(12, 0.2);
  const single = () => referenceKernels().single;
  assert.deepEqual((await falseWalks(single(), graph, box, RELAXATIONS.linear)).found, []);
  assert.ok((await falseClaims(new NoRadius(single()), graph, point, "linear")).length > 0);
  const { found } = await falseWalks(new NoRadius(single()), graph, point, RELAXATIONS.linear);
  assert.ok(found.some((text) => text.includes("radius")) && found.some((text) => text.includes("magnitudes")));
  assert.ok((await falseClaims(new ZeroIntercepts(single()), graph, box, "linear")).length > 0);
  assert.ok((await falseClaims(new SwappedSign(single()), graph, box, "linear")).length > 0);
});
