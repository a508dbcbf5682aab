/** Files of other projects and large trained networks, where the reference collection is at hand. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { LipcertError } from "../../../shared/errors.ts";
import { type OnnxModel, readModel } from "../../../shared/onnx/read_model.ts";
import { collectionTest, filesBelow } from "../../models/collection.ts";
import { evaluate } from "../../models/evaluate.ts";
import { relativeError, runOnnx } from "../../models/onnxruntime.ts";
import { problemOf } from "./refusals.ts";

const SEED = 43;
/** Stored outputs were computed in float64: what is left is the order of sums. */
const SAME = 1e-12;
/** Some of those of other projects' networks were computed in float32. */
const SINGLE = 1e-6;

interface StoredPoint {
  readonly input: readonly number[] | string;
  readonly output: readonly number[];
}

function stem(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
}

/** The model, or null after asserting that the problem names a node and an operator, which is printed. */
function readOrRefused(path: string): { bytes: Uint8Array; model: OnnxModel } | null {
  const bytes = Deno.readFileSync(path), problem = problemOf(bytes);
  if (problem === null) return { bytes, model: readModel(bytes) };
  assertNamesItsPlace(problem, path);
  console.log(`${stem(path)}: ${problem.message}`);
  return null;
}

function assertNamesItsPlace({ message, members }: LipcertError, path: string): void {
  assert.equal(typeof members.node, "string", `${path}: no node: ${message}`);
  assert.equal(typeof members.operator, "string", `${path}: no operator: ${message}`);
  assert.ok(message.includes(String(members.node)) && message.includes(String(members.operator)), message);
}

function assertOutputs(model: OnnxModel, points: readonly StoredPoint[], tolerance: number, what: string): void {
  const graph = model.graph(model.description.outputs[0].name);
  for (const { input, output } of points) {
    if (typeof input === "string") continue; // that of a case before
    const error = relativeError(evaluate(graph, input), output);
    assert.ok(error <= tolerance, `${what}: relative error ${error}`);
  }
}

collectionTest(
  "readModel() reads every file of other projects as onnxruntime does, or names node and operator",
  "external",
  async (folder) => {
    const files = filesBelow(folder, ".onnx");
    assert.ok(files.length >= 12, `${files.length} files in ${folder}`);
    let read = 0;
    for (const path of files) {
      const opened = readOrRefused(path);
      if (opened === null) continue;
      read++;
      const { inputs, outputs } = opened.model.description;
      const size = inputs[0].shape.reduce((product, part) => product * part, 1);
      const number = fc.double({ min: -1, max: 1, noNaN: true }).map(Math.fround);
      const points = fc.sample(fc.array(number, { minLength: size, maxLength: size }), { numRuns: 2, seed: SEED });
      const wanted = await runOnnx(opened.bytes, points, outputs[0].name);
      const graph = opened.model.graph(outputs[0].name);
      points.forEach((point, i) => {
        const error = relativeError(evaluate(graph, point), wanted[i]);
        assert.ok(error <= 1e-5, `${path} at point ${i} of seed ${SEED}: relative error ${error}`);
      });
    }
    assert.ok(read > 0, "nothing was read");
  },
);

collectionTest(
  "readModel() of other projects' networks computes the outputs that were stored for them",
  "external",
  (folder) => {
    for (const path of filesBelow(`${folder}/outputs`, ".json")) {
      const opened = readOrRefused(`${folder}/models/${stem(path)}.onnx`);
      if (opened === null) continue;
      const { cases } = JSON.parse(Deno.readTextFileSync(path));
      const points = cases.map((one: { input: StoredPoint["input"]; output_at_input: number[] }): StoredPoint => ({
        input: one.input,
        output: one.output_at_input,
      }));
      assert.ok(points.length > 0);
      assertOutputs(opened.model, points, SINGLE, stem(path));
    }
  },
);

collectionTest(
  "readModel() of the benchmark networks computes the outputs that were stored for them, or names node and operator",
  "zoo",
  (folder) => {
    const files = filesBelow(`${folder}/models`, ".onnx");
    assert.ok(files.length >= 18, `${files.length} files in ${folder}`);
    for (const path of files) {
      const opened = readOrRefused(path);
      if (opened === null) continue;
      const { inputs } = JSON.parse(Deno.readTextFileSync(`${folder}/inputs/${stem(path)}.json`));
      const points = inputs.map((one: { input: number[]; output_f64: number[] }): StoredPoint => ({
        input: one.input,
        output: one.output_f64,
      }));
      // One point is enough where an evaluation takes long.
      const { activations } = opened.model.description;
      assertOutputs(opened.model, activations > 2000 ? points.slice(0, 1) : points, SAME, stem(path));
    }
  },
);
