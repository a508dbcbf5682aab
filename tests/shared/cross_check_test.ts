import assert from "node:assert/strict";
import { crossCheck } from "../../shared/cross_check.ts";
import type { Graph } from "../../shared/graph.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { readModel } from "../../shared/mod.ts";
import { Random } from "../exact/random.ts";
import { randomNetwork, RECIPES } from "../exact/random_networks.ts";
import { evaluate } from "../models/evaluate.ts";
import { onnxBytes } from "../soundness/onnx_bytes.ts";

const SEED = 1818;

/** A runtime that computes `graph` in float64 and is `off` by that much, relative to the output. */
const runtime = (graph: Graph, off = 0) => (points: readonly Float64Array[]) =>
  Promise.resolve(points.map((x) => new Map([["y", evaluate(graph, x).map((y) => y + off * (1 + Math.abs(y)))]])));

Deno.test(`crossCheck() agrees with a float64 runtime on leaky relu, clip and abs, and tells one that is off (seed ${SEED})`, async () => {
  let checked = 0;
  for (let index = 0; index < 6 * RECIPES.length; index++) {
    const { graph, recipe } = randomNetwork(SEED, index, 12);
    if (!["leaky", "clipped", "mixed"].includes(recipe)) continue;
    const model = await readModel(onnxBytes(graph, new Random(SEED, index)));
    await crossCheck(model, runtime(graph), referenceKernels());
    await assert.rejects(crossCheck(model, runtime(graph, 1e-6), referenceKernels()), { type: "model-misread" });
    checked++;
  }
  assert.equal(checked, 18);
});
