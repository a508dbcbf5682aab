/** What a question is announced to cost is never below what it does cost, on every kind of network. */
import assert from "node:assert/strict";
import type { Graph } from "../../shared/graph.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import { certify, costOf, LipcertError, type Model, type Query, readModel } from "../../shared/mod.ts";
import module from "../../wasm/dist/kernels.js";
import { convolutionalNetwork, randomNetwork as growingNetwork } from "../bench/growth.ts";
import { randomConvolutional } from "../exact/random_convolutional.ts";
import { randomNetwork } from "../exact/random_networks.ts";
import { modelOf } from "../soundness/certificates.ts";

const SEED = 4150;
const kernels = wasmKernels(module);

/** Every property once, over all outputs or features, or over one. */
function propertiesOf({ nodes }: Graph): Query["property"][] {
  const outputs = Array.from({ length: nodes[nodes.length - 1].size }, (_, k) => k);
  const features = Array.from({ length: nodes[0].size }, (_, i) => i);
  return [
    { type: "lipschitz", outputs },
    { type: "lipschitz", rows: [outputs.map((k) => k % 2 === 0 ? 1 : -1)] },
    { type: "jacobian_bounds", outputs: [0] },
    { type: "output_bounds", outputs },
    { type: "monotonicity", output: 0, features },
    { type: "monotonicity", output: 0, features: [0] },
    ...(outputs.length > 1 ? [{ type: "robustness", label: 0 } as const] : []),
  ];
}

const OPTIONS: readonly Query["options"][] = [
  { relaxation: "linear", preactivation: "crown", arithmetic: "f64" },
  { relaxation: "recurjac", preactivation: "crown", arithmetic: "f64" },
  { relaxation: "interval", preactivation: "crown", arithmetic: "f64" },
  { relaxation: "linear", preactivation: "interval", arithmetic: "f64" },
  { relaxation: "interval", preactivation: "interval", arithmetic: "f64" },
];

/** What was announced over what was spent, and the nodes of a search. */
interface Margins {
  readonly flops: number;
  readonly bytes: number;
  readonly nodes: number;
}

type Region = Query["region"];

async function withinCost(
  model: Model,
  region: Region,
  property: Query["property"],
  options: Query["options"],
  what: string,
): Promise<Margins> {
  const output = model.description.outputs[0].name;
  const query: Query = { model_digest: model.digest, output, region, property, options };
  const cost = costOf(model.graph(output), query);
  kernels.resetPeak();
  const { work, method } = await certify(model, query, { kernels });
  const { peakBytes } = kernels.memory(), flops = work.gflop * 1e9;
  const told =
    `${what}, ${property.type}, ${options.relaxation} on ${options.preactivation}, ${options.search?.max_nodes}`;
  assert.ok(flops <= cost.flops, `${told}: ${flops} flops, ${cost.flops} announced`);
  assert.ok(peakBytes <= cost.bytes, `${told}: ${peakBytes} bytes, ${cost.bytes} announced`);
  return { flops: cost.flops / flops, bytes: cost.bytes / peakBytes, nodes: method.search.nodes };
}

/** Over every property and option: the least margins met, and how often the whole was compared. */
async function compareAll(model: Model, region: Region, options: readonly Query["options"][], what: string) {
  const margins: Margins[] = [];
  const graph = model.graph(model.description.outputs[0].name);
  for (const property of propertiesOf(graph)) {
    for (const chosen of options) margins.push(await withinCost(model, region, property, chosen, what));
  }
  return margins;
}

Deno.test(`costOf() is never below what random convolutional and residual networks take (seed ${SEED})`, async () => {
  for (let index = 0; index < 77; index++) {
    const { graph, lower, upper, name } = randomConvolutional(SEED, index);
    const region = { lower: [...lower], upper: [...upper] };
    await compareAll(modelOf(graph, name), region, OPTIONS, name);
  }
});

Deno.test(`costOf() is never below what random dense networks take (seed ${SEED})`, async () => {
  for (let index = 0; index < 54; index++) {
    const { graph, lower, upper, name } = randomNetwork(SEED, index, 48);
    const region = { lower: [...lower], upper: [...upper] };
    await compareAll(modelOf(graph, name), region, OPTIONS, name);
  }
});

Deno.test("costOf() is never below what mnist_cnn_small takes, from few undetermined neurons to nearly all", async () => {
  const model = await readModel(
    await Deno.readFile(new URL("../models/reference/mnist_cnn_small.onnx", import.meta.url)),
  );
  for (const radius of [0, 0.001, 0.004, 0.02, 0.1, 0.4]) {
    const region = cube(784, radius);
    const margins = await compareAll(model, region, OPTIONS.slice(0, 1), `radius ${radius}`);
    // Not absurdly above either: where most neurons are undetermined the estimate is what is spent, a few times over.
    if (radius === 0.1) {
      for (const { flops } of margins) assert.ok(flops < 12, `${flops} times what radius 0.1 takes`);
    }
    if (radius > 0) {
      for (const { bytes } of margins) assert.ok(bytes < 12, `${bytes} times the bytes held at radius ${radius}`);
    }
  }
});

Deno.test("costOf() is never below what a network whose rows walk in tiles takes", async () => {
  const { graph, box } = convolutionalNetwork(6, 20);
  for (const widen of [0.3, 1, 10]) {
    const radius = (box.upper[0] - box.lower[0]) / 2;
    const region = {
      lower: Array.from(box.lower, (l) => l - (widen - 1) * radius),
      upper: Array.from(box.upper, (u) => u + (widen - 1) * radius),
    };
    await compareAll(modelOf(graph, "tiles"), region, OPTIONS.slice(0, 2), `radius ${widen * radius}`);
  }
});

Deno.test("certify() of a convolutional network over the budget is refused with the figures before anything runs", async () => {
  const { graph, lower, upper, name } = randomConvolutional(SEED, 0);
  const model = modelOf(graph, name);
  const query: Query = {
    model_digest: model.digest,
    output: "y",
    region: { lower: [...lower], upper: [...upper] },
    property: { type: "lipschitz", outputs: [0] },
    options: OPTIONS[0],
  };
  const cost = costOf(graph, query);
  assert.ok(await certify(model, query, { kernels, budget: cost }));
  for (const budget of [{ ...cost, flops: cost.flops - 1 }, { ...cost, bytes: cost.bytes - 1 }]) {
    const refused = certify(model, query, { kernels, budget, onProgress: () => assert.fail("it ran") });
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof LipcertError && error.type === "over-budget");
      assert.deepEqual(error.members, { estimated: cost, allowed: budget });
      return true;
    });
  }
});

function cube(size: number, radius: number): Region {
  const at = (i: number) => 0.3 + 0.4 * ((i * 5) % 7) / 7;
  const end = (side: number) => Array.from({ length: size }, (_, i) => at(i) + side * radius);
  return { lower: end(-1), upper: end(1) };
}

/** 300 neurons over a box on which all of them are open. */
function wide(): { readonly graph: Graph; readonly region: Region } {
  const { graph, box: { lower, upper } } = growingNetwork(150, 2);
  return { graph, region: { lower: Array.from(lower, (l) => l - 5), upper: Array.from(upper, (u) => u + 5) } };
}

/** Radii of the claims among the properties, around the middle of a region. */
function radiiOf({ nodes }: Graph, { lower, upper }: Region): Query["property"][] {
  const outputs = Array.from({ length: nodes[nodes.length - 1].size }, (_, k) => k);
  const features = Array.from({ length: nodes[0].size }, (_, i) => i);
  const claims = [
    { type: "lipschitz", at_most: 1, outputs },
    { type: "monotonicity", output: 0, features },
    ...(outputs.length > 1 ? [{ type: "robustness", label: 0 } as const] : []),
  ] as const;
  const center = lower.map((l, i) => l / 2 + upper[i] / 2);
  const max = Math.max(...upper.map((u, i) => u - lower[i]), 1e-3);
  return claims.map((of) => ({ type: "radius", of, center, max, gap: 0.25 }));
}

Deno.test(`costOf() is never below what a search takes, whatever is asked (seed ${SEED})`, async () => {
  let nodes = 0;
  for (let index = 0; index < 36; index++) {
    for (const { graph, lower, upper, name } of [randomNetwork(SEED, index, 24), randomConvolutional(SEED, index)]) {
      const region = { lower: [...lower], upper: [...upper] };
      const max_nodes = [0, 2, 400][index % 3],
        options = { ...OPTIONS[index % OPTIONS.length], search: { max_nodes, gap: 0 } };
      const properties = [...propertiesOf(graph), ...radiiOf(graph, region)];
      for (const property of properties) {
        nodes += (await withinCost(modelOf(graph, name), region, property, options, name)).nodes;
      }
    }
  }
  assert.ok(nodes > 2000, `only ${nodes} nodes`);
});

Deno.test("costOf() is never below what a search takes where more neurons are open than a small network has", async () => {
  const { graph, region } = wide(), property = { type: "lipschitz", outputs: [1] } as const;
  const options = { ...OPTIONS[0], search: { max_nodes: 32, gap: 0 } };
  const margins = await withinCost(modelOf(graph, "wide"), region, property, options, "wide");
  // All of it is spent: the announcement could not be less.
  assert.ok(
    margins.nodes === 32 && margins.flops < 1.25,
    `${margins.flops} times what is taken, ${margins.nodes} nodes`,
  );
});

Deno.test("a search with a time limit takes no more than what that was announced with, on a clock that stands still", async () => {
  const { graph, region } = wide(), model = modelOf(graph, "wide");
  const property = { type: "lipschitz", outputs: [1] } as const;
  const clock = { now: () => 0, pause: () => Promise.resolve() };
  const ask = async (threads: number) => {
    const query: Query = {
      model_digest: model.digest,
      output: model.description.outputs[0].name,
      region,
      property,
      options: { ...OPTIONS[0], search: { max_nodes: 100_000, gap: 0, time_ms: 16 } },
    };
    const cost = costOf(graph, query, threads);
    const { method: { search }, work, reproducible } = await certify(model, query, { kernels, clock, threads });
    assert.deepEqual([search.stopped_by, reproducible], ["time", false]);
    assert.ok(work.gflop * 1e9 <= cost.flops && cost.flops < 3e9, `${work.gflop} GFLOP, ${cost.flops} announced`);
    return search.nodes;
  };
  assert.ok(await ask(2) > await ask(1));
});

Deno.test("a search that the kernels have no memory for ends with the bounds of one pass, and within their budget", async () => {
  const { graph, region } = wide(), model = modelOf(graph, "wide");
  const ask = async (maxBytes: number | undefined, options: Query["options"]) => {
    const kernels = wasmKernels(module, maxBytes === undefined ? {} : { maxBytes });
    const property = { type: "output_bounds", outputs: [0, 1] } as const;
    const output = model.description.outputs[0].name;
    const query = { model_digest: model.digest, output, region, property, options };
    return { ...await certify(model, query, { kernels }), ...kernels.memory() };
  };
  const search = { max_nodes: 64, gap: 0 }, once = await ask(undefined, OPTIONS[0]);
  const free = await ask(undefined, { ...OPTIONS[0], search }), maxBytes = once.peakBytes + 2 ** 18;
  assert.ok(
    free.method.search.nodes > 0 && free.peakBytes > maxBytes,
    `${free.peakBytes} bytes, not above ${maxBytes}`,
  );
  const small = await ask(maxBytes, { ...OPTIONS[0], search });
  assert.deepEqual(small.method.search, { nodes: 0, open: 4, stopped_by: "memory" });
  assert.deepEqual([small.finding, small.reproducible], [once.finding, false]);
  assert.ok(small.peakBytes <= maxBytes && small.bytes === 0 && free.bytes === 0);
});
