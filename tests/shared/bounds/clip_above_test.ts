import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { lowerBounds } from "../../../shared/bounds/walk.ts";
import type { Graph } from "../../../shared/graph.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";

/** relu is off at its first neuron, and clip takes that 0 to 1: y = 1 + min(max(x, 0), 9). */
const GRAPH: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 1, name: "x" },
    {
      operator: "affine",
      inputs: [0],
      size: 2,
      name: "z",
      weights: Float64Array.of(1, 1),
      bias: Float64Array.of(-5, 0),
    },
    { operator: "relu", inputs: [1], size: 2, name: "r" },
    { operator: "clip", inputs: [2], size: 2, name: "c", lower: Float64Array.of(1, -9), upper: Float64Array.of(2, 9) },
    { operator: "affine", inputs: [3], size: 1, name: "y", weights: Float64Array.of(1, 1), bias: null },
  ],
};

Deno.test("columnsOf() drops no index that a clip above takes from 0 to another constant", async () => {
  const box = { lower: Float64Array.of(-1), upper: Float64Array.of(1) };
  await withRun([GRAPH], { kernels: referenceKernels() }, async (run) => {
    const pass = await boundGraph(GRAPH, [{ box }], { refine: "linear", rule: "chord" }, run);
    const [lower, negated] = await lowerBounds(pass, 4, {
      groups: Int32Array.of(0, 0),
      start: { layout: "unit", indices: Int32Array.of(0, 0), signs: Int32Array.of(1, -1) },
    });
    const { lower: [low], upper: [high] } = pass.states[4].boxes[0];
    for (const l of [lower, low]) assert.ok(l <= 1 && l > 1 - 1e-12, `${l}`);
    for (const u of [-negated, high]) assert.ok(u >= 2 && u < 2 + 1e-12, `${u}`);
  });
});
