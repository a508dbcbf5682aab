import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { lowerBounds } from "../../../shared/bounds/walk.ts";
import type { Graph, Node } from "../../../shared/graph.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import module from "../../../wasm/dist/kernels.js";

const scale = (input: number, factor: number): Node => ({
  operator: "scale",
  inputs: [input],
  size: 1,
  factors: Float64Array.of(factor),
  inverse: false,
  name: `${factor} of ${input}`,
});
const add = (a: number, b: number, sign: 1 | -1): Node => ({
  operator: "add",
  inputs: [a, b],
  signs: [1, sign],
  size: 1,
  name: `${a} and ${b}`,
});

/**
 * y = 2^60 (h - g) + h - 2^60 (h - g) with h = g = x: y is x. The coefficients that reach h are 2^60, 1 and -2^60 one after
 * the other, in floats 0; h - g is almost 0 on a thin box, so nothing above pays for what their sum loses.
 */
const CANCELLING: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 1, name: "x" },
    scale(0, 1),
    scale(0, 1),
    add(1, 2, -1),
    scale(3, -(2 ** 60)),
    add(1, 4, 1),
    add(1, 2, -1),
    scale(6, 2 ** 60),
    add(7, 5, 1),
  ],
};

Deno.test("(19) branches: every addition of coefficients is charged, also where a later one cancels it", async () => {
  const box = { lower: Float64Array.of(1), upper: Float64Array.of(1 + 2 ** -40) };
  for (const kernels of [referenceKernels(), wasmKernels(module)]) {
    const [lower, negatedUpper] = await withRun([CANCELLING], { kernels }, async (run) => {
      const pass = await boundGraph(CANCELLING, [{ box }], { refine: "interval", rule: "chord" }, run);
      return await lowerBounds(pass, CANCELLING.nodes.length - 1, {
        groups: Int32Array.of(0, 0),
        start: { layout: "dense", coefficients: Float64Array.of(1, -1) },
      });
    });
    assert.ok(lower <= 1 && -negatedUpper >= 1, `y is between 1 and 1 + 2^-40, claimed ${lower} to ${-negatedUpper}`);
  }
});
