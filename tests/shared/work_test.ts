/** What is computed is what is needed: rows and flops against counts made from shapes and from boxes alone. */
import assert from "node:assert/strict";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { Group, Pass, Work } from "../../shared/bounds/pass.ts";
import { withRun } from "../../shared/bounds/run.ts";
import { certify, costOf, type Query, readModel } from "../../shared/mod.ts";
import type { Graph } from "../../shared/graph.ts";
import { differentiate, withAbs } from "../../shared/jacobian/differentiate.ts";
import { jacobianGroups, normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import type { Box } from "../../shared/numeric/box.ts";
import { unitRow } from "../../shared/properties/analysis.ts";
import module from "../../wasm/dist/kernels.js";

const LINEAR = { refine: "linear", rule: "chord" } as const;
const MODELS = ["synthetic_mlp16", "synthetic_w32_d4", "diabetes_mlp", "iris_mlp8"];
const RADII = [0.005, 0.05, 0.2];

async function load(name: string): Promise<Graph> {
  const model = await readModel(await Deno.readFile(new URL(`../models/reference/${name}.onnx`, import.meta.url)));
  return model.graph(model.description.outputs[0].name);
}

function cube(size: number, radius: number): Box {
  const at = (i: number) => 0.3 + 0.4 * ((i * 5) % 7) / 7;
  return {
    lower: Float64Array.from({ length: size }, (_, i) => at(i) - radius),
    upper: Float64Array.from({ length: size }, (_, i) => at(i) + radius),
  };
}

/** Bounds the first `nodes` nodes: the last box is what intervals make of the refined boxes below. */
function boundPrefix(graph: Graph, nodes: number, groups: readonly Group[]): Promise<Pass> {
  const prefix: Graph = { nodes: graph.nodes.slice(0, nodes) };
  return withRun([graph], { kernels: referenceKernels() }, (run) => boundGraph(prefix, groups, LINEAR, run));
}

interface Count {
  rows: number;
  flops: number;
}

/** Alive indices of an elementwise node from its final boxes: relu with u > 0, a product with d+ > 0. */
function alive(pass: Pass, id: number): number {
  const node = pass.graph.nodes[id];
  if (node.operator === "input") return node.size;
  let count = 0;
  for (let i = 0; i < node.size; i++) {
    const lives = pass.groups.some((group, g) =>
      node.operator === "relu"
        ? pass.states[node.inputs[0]].boxes[g].upper[i] > 0
        : group.ranges!.get(id)!.upper[i] !== 0
    );
    if (lives) count++;
  }
  return count;
}

/**
 * The count for a chain input, affine, bend, affine, bend, …: an interval image a matrix, and at every bend after the
 * first matrix a row for each index that `needs` says intervals leave open, and another where the first leaves it so.
 */
async function countPass(
  graph: Graph,
  groups: readonly Group[],
  final: Pass,
  needs: (box: Box, group: Group, id: number, i: number) => boolean,
): Promise<Count> {
  const count: Count = { rows: 0, flops: 0 };
  const { nodes } = graph;
  for (let id = 1; id < nodes.length; id++) {
    const node = nodes[id];
    if (node.operator === "affine") {
      const rows = nodes[id + 1]?.operator === "derivative_product" ? alive(final, id + 1) : node.size;
      count.flops += 6 * groups.length * rows * alive(final, id - 1);
      continue;
    }
    if (id <= 2) continue; // below the first bend the interval image is exact
    const below = (await boundPrefix(graph, id, groups)).states[id - 1].boxes;
    let rows = 0;
    groups.forEach((group, g) => {
      const { boxes } = final.states[id - 1];
      for (let i = 0; i < node.size; i++) rows += rowsAt(below[g], boxes[g], i, (box) => needs(box, group, id, i));
    });
    count.rows += rows;
    count.flops += rows * rowFlops(final, id - 1, true);
  }
  return count;
}

/** Rows of one index: the end nearer to 0 first; that end is final then, the other still as intervals left it. */
function rowsAt(before: Box, after: Box, i: number, needs: (box: Box) => boolean): number {
  if (!needs(before)) return 0;
  const isLower = before.upper[i] >= -before.lower[i];
  return needs(isLower ? { lower: after.lower, upper: before.upper } : { lower: before.lower, upper: after.upper })
    ? 2
    : 1;
}

/** One row from an affine node (its own row: nothing to multiply) or from the last node down to the box. */
function rowFlops(pass: Pass, from: number, startsAtMatrix: boolean): number {
  const { nodes } = pass.graph;
  let flops = 4 * alive(pass, 0);
  for (let id = startsAtMatrix ? from - 1 : from; id > 0; id--) {
    const node = nodes[id];
    if (node.operator === "affine") {
      const out = id === nodes.length - 2 ? node.size : alive(pass, id + 1);
      flops += (node.bias ? 4 : 2) * out + 2 * out * alive(pass, id - 1);
    } else flops += 4 * (id === nodes.length - 1 ? node.size : alive(pass, id));
  }
  return flops;
}

const straddles = (box: Box, i: number) => box.lower[i] < 0 && box.upper[i] > 0;

for (const name of MODELS) {
  Deno.test(`work of ${name}: rows only where bounds are open and needed, flops as counted from shapes`, async () => {
    const graph = await load(name);
    const outputs = graph.nodes[graph.nodes.length - 1].size;
    const seeds = Array.from({ length: outputs }, (_, k) => unitRow(outputs, k));
    for (const radius of RADII) {
      const groups = [{ box: cube(graph.nodes[0].size, radius) }];
      await withRun([graph], { kernels: referenceKernels() }, async (run) => {
        const forward = await boundGraph(graph, groups, LINEAR, run);
        const expected = await countPass(
          graph,
          groups,
          forward,
          (box, _group, _id, i) => box.lower[i] <= 0 && box.upper[i] >= 0 && box.lower[i] < box.upper[i],
        );
        assert.deepEqual({ ...run.work }, expected, `network, radius ${radius}`);

        const jacobian = withAbs(differentiate(graph));
        const pairs = jacobianGroups(forward, jacobian, seeds);
        const before = { ...run.work };
        await normBounds(forward, seeds, LINEAR, run);
        const done: Work = { rows: run.work.rows - before.rows, flops: run.work.flops - before.flops };
        const final = await boundPrefix(jacobian, jacobian.nodes.length, pairs);
        const counted = await countPass(jacobian, pairs, final, (box, group, id, i) => {
          const range = group.ranges!.get(id);
          return straddles(box, i) && (range === undefined || range.lower[i] < range.upper[i]);
        });
        counted.rows += pairs.length;
        counted.flops += pairs.length * rowFlops(final, jacobian.nodes.length - 1, false);
        assert.deepEqual(done, counted, `Jacobian, radius ${radius}`);
      });
    }
  });
}

Deno.test("work.gflop of a certificate is the counted flops, and costOf() is never below them", async () => {
  const kernels = wasmKernels(module);
  for (const name of MODELS) {
    const model = await readModel(await Deno.readFile(new URL(`../models/reference/${name}.onnx`, import.meta.url)));
    const output = model.description.outputs[0].name;
    const graph = model.graph(output);
    const outputs = Array.from({ length: graph.nodes[graph.nodes.length - 1].size }, (_, k) => k);
    const { lower, upper } = cube(graph.nodes[0].size, 0.05);
    for (const relaxation of ["interval", "recurjac", "linear"] as const) {
      const properties: Query["property"][] = [
        { type: "lipschitz", outputs },
        { type: "jacobian_bounds", outputs },
        { type: "output_bounds", outputs },
      ];
      for (const property of properties) {
        const { type } = property;
        const query: Query = {
          model_digest: model.digest,
          output,
          region: { lower: [...lower], upper: [...upper] },
          property,
          options: { relaxation, preactivation: "crown", arithmetic: "f64" },
        };
        kernels.resetPeak();
        const { work } = await certify(model, query, { kernels });
        const cost = costOf(graph, query);
        assert.ok(
          work.gflop * 1e9 <= cost.flops,
          `${name} ${type}: ${work.gflop * 1e9} flops, ${cost.flops} announced`,
        );
        assert.ok(kernels.memory().peakBytes <= cost.bytes, `${name} ${type}: ${kernels.memory().peakBytes} bytes`);
        if (type !== "output_bounds") continue;
        const counted = await withRun([graph], { kernels: referenceKernels() }, async (run) => {
          const forward = await boundGraph(graph, [{ box: { lower, upper } }], LINEAR, run);
          const rows = 2 * outputs.length;
          const walk = rows * rowFlops(forward, graph.nodes.length - 1, true);
          return relaxation === "interval" ? run.work.flops : run.work.flops + walk;
        });
        assert.equal(work.gflop, counted / 1e9, `${name} ${relaxation}`);
      }
    }
  }
});
