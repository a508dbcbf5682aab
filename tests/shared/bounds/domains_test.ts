import assert from "node:assert/strict";
import { boundGraph, refine } from "../../../shared/bounds/bound_graph.ts";
import type { Group, Pass, Run } from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import type { Graph } from "../../../shared/graph.ts";
import { entryBounds, normBounds } from "../../../shared/jacobian/jacobian_bounds.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { type Box, pointBox } from "../../../shared/numeric/box.ts";
import { unitRow } from "../../../shared/properties/analysis.ts";
import module from "../../../wasm/dist/kernels.js";
import { Random } from "../../exact/random.ts";
import { randomNetwork } from "../../exact/random_networks.ts";

const SEED = 20_261_124;
const LINEAR = { refine: "linear", rule: "chord" } as const;
const CONDENSED = { ...LINEAR, condense: "always" } as const;

/** Sub-boxes of a box, each with neurons of its own dead or stable. */
function subBoxes(box: Box, count: number, random: Random): Box[] {
  return Array.from({ length: count }, () => {
    const lower = box.lower.map((l, i) => l + random.between(0, 0.4) * (box.upper[i] - l));
    const upper = box.upper.map((u, i) => Math.max(lower[i], u - random.between(0, 0.4) * (u - box.lower[i])));
    return { lower, upper };
  });
}

interface Everything {
  readonly outputs: Box[];
  readonly norms: number[];
  readonly entries: Box[];
}

function everything(graph: Graph, groups: readonly Group[], kernels = referenceKernels()): Promise<Everything> {
  const size = graph.nodes[graph.nodes.length - 1].size;
  const seeds = [0, size - 1].map((output) => unitRow(size, output));
  return withRun([graph], { kernels }, async (run) => {
    const forward = await boundGraph(graph, groups, LINEAR, run);
    const last = graph.nodes.length - 1;
    await refine(forward, last, groups.map(() => Array.from({ length: size }, (_, i) => i)));
    return {
      outputs: forward.states[last].boxes,
      norms: await normBounds(forward, seeds, CONDENSED, run),
      entries: await entryBounds(forward, seeds, [0], LINEAR, run),
    };
  });
}

Deno.test(`(12) boundGraph() gives a domain the same bits alone and among seven (seed ${SEED})`, async () => {
  for (let index = 0; index < 27; index++) {
    const network = randomNetwork(SEED, index, 24);
    const { graph } = network;
    const random = new Random(SEED, index);
    const boxes = subBoxes(network, 7, random);
    const groups = boxes.map((one) => ({ box: one }));
    for (const kernels of [referenceKernels(), wasmKernels(module)]) {
      const together = await everything(graph, groups, kernels);
      for (let d = 0; d < groups.length; d++) {
        const alone = await everything(graph, [groups[d]], kernels);
        assert.deepEqual(together.outputs[d], alone.outputs[0], `network ${index}, domain ${d}: outputs`);
        assert.deepEqual(together.norms.slice(2 * d, 2 * d + 2), alone.norms, `network ${index}, domain ${d}: norms`);
        assert.deepEqual(together.entries.slice(2 * d, 2 * d + 2), alone.entries, `network ${index}, domain ${d}`);
      }
    }
  }
});

/** relu(x) - relu(-x) on [-1, 1]: both neurons unstable, norm bound 2; either phase makes it 1. */
const KINK: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 1, name: "x" },
    { operator: "affine", inputs: [0], size: 2, name: "z", weights: Float64Array.of(1, -1), bias: null },
    { operator: "relu", inputs: [1], size: 2, name: "h" },
    { operator: "affine", inputs: [2], size: 1, name: "y", weights: Float64Array.of(1, -1), bias: null },
  ],
};
const WHOLE: Box = { lower: Float64Array.of(-1), upper: Float64Array.of(1) };

function boundKink<T>(groups: readonly Group[], read: (pass: Pass, run: Run) => T | Promise<T>): Promise<T> {
  return withRun([KINK], { kernels: referenceKernels() }, async (run) => {
    return await read(await boundGraph(KINK, groups, LINEAR, run), run);
  });
}

Deno.test("boundGraph() takes phases as closed decisions: z and its derivative are fixed", async () => {
  const phases = [[1, -1], [-1, 1], [0, 0]].map((decided) => ({
    box: WHOLE,
    phases: new Map([[2, Int8Array.from(decided)]]),
  }));
  const norms = await boundKink(phases, (pass, run) => normBounds(pass, [Float64Array.of(1)], LINEAR, run));
  assert.ok(norms[0] >= 1 && norms[0] < 1 + 1e-12, `active, inactive: ${norms[0]}`);
  assert.ok(norms[1] >= 1 && norms[1] < 1 + 1e-12, `inactive, active: ${norms[1]}`);
  assert.ok(norms[2] >= 2 && norms[2] < 2 + 1e-12, `free: ${norms[2]}`);
  const boxes = await boundKink(phases, (pass) => pass.states[1].boxes);
  assert.deepEqual([boxes[0].lower[0], boxes[0].upper[1]], [0, 0]);
  assert.deepEqual([boxes[1].upper[0], boxes[1].lower[1]], [0, 0]);
});

Deno.test("boundGraph() proves a domain empty where a phase contradicts its bounds", async () => {
  const box = { lower: Float64Array.of(0.5), upper: Float64Array.of(1) };
  const empty = await boundKink(
    [{ box, phases: new Map([[2, Int8Array.of(-1, 0)]]) }, { box, phases: new Map([[2, Int8Array.of(1, -1)]]) }],
    (pass) => [...pass.empty],
  );
  assert.deepEqual(empty, [1, 0]);
});

Deno.test("boundGraph() intersects with inherited bounds and refuses crossed ones without them", async () => {
  const inherited = new Map([[1, { lower: Float64Array.of(-0.25, -1), upper: Float64Array.of(0.5, 1) }]]);
  const [box] = await boundKink([{ box: WHOLE, inherited }], (pass) => pass.states[1].boxes);
  assert.equal(box.lower[0], -0.25);
  assert.equal(box.upper[0], 0.5);
  assert.deepEqual([box.lower[1], box.upper[1]], [-1, 1]);
  await assert.rejects(
    withRun([KINK], { kernels: referenceKernels() }, async (run) => {
      const pass = await boundGraph(KINK, [{ box: WHOLE }], LINEAR, run);
      pass.states[3].boxes[0].lower[0] = 20;
      pass.states[3].boxes[0].upper[0] = 30;
      await refine(pass, 3, [[0]]);
    }),
    /cross/,
  );
});

Deno.test("lipschitz of relu on [-1, 0] covers the closed box, and of a point its ambient Clarke Jacobian", async () => {
  const relu: Graph = {
    nodes: [KINK.nodes[0], { operator: "relu", inputs: [0], size: 1, name: "y" }],
  };
  const norm = (box: Box) =>
    withRun([relu], { kernels: referenceKernels() }, async (run) => {
      const pass = await boundGraph(relu, [{ box }], LINEAR, run);
      return (await normBounds(pass, [Float64Array.of(1)], LINEAR, run))[0];
    });
  assert.ok(await norm({ lower: Float64Array.of(-1), upper: Float64Array.of(0) }) >= 1);
  assert.ok(await norm(pointBox(Float64Array.of(0))) >= 1);
  assert.equal(await norm({ lower: Float64Array.of(-1), upper: Float64Array.of(-0.5) }), 0);
});
