/** Files written by torch.onnx (tests/models/make_torch.py) against outputs torch computed in float64. */
import assert from "node:assert/strict";
import { LipcertError } from "../../../shared/errors.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { relativeError } from "../../models/onnxruntime.ts";

interface Expected {
  readonly output: string;
  readonly operators: readonly string[];
  readonly opset: number;
  readonly points: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

const FOLDER = new URL("../../models/torch/", import.meta.url);
const { models } = JSON.parse(Deno.readTextFileSync(new URL("expected.json", FOLDER))) as {
  models: Record<string, Expected>;
};
const read = (name: string) => readModel(Deno.readFileSync(new URL(`${name}.onnx`, FOLDER)));
const readable = Object.keys(models).filter((name) => !name.startsWith("other_"));

Deno.test("readModel() of every torch file computes what torch computes in float64", () => {
  assert.ok(readable.length >= 45);
  for (const name of readable) {
    const { output, points, outputs } = models[name];
    const graph = read(name).graph(output);
    points.forEach((point, i) => {
      const error = relativeError(evaluateTwice(graph, point), outputs[i]);
      assert.ok(error <= 1e-13, `${name} at point ${i}: relative error ${error}`);
    });
  }
});

Deno.test("readModel() describes a torch file: opset, operators of the supported outputs, shapes without batch", () => {
  for (const name of readable) {
    const { description } = read(name);
    assert.equal(description.opset, models[name].opset, name);
    const wanted = models[name].operators.filter((operator) => operator !== "Softmax");
    assert.deepEqual(description.operators, wanted, name);
    assert.deepEqual(description.outputs.map((output) => output.name), [models[name].output], name);
  }
  assert.deepEqual(read("reshaped_opset13").description, {
    inputs: [{ name: "x", shape: [2, 3, 2] }],
    outputs: [{ name: "y", shape: [2, 2] }],
    operators: ["Add", "Constant", "Gemm", "MatMul", "Relu", "Reshape", "Squeeze", "Transpose", "Unsqueeze"],
    opset: 13,
    parameters: 12 * 8 + 8 + 8 * 4 + 4,
    activations: 8,
  });
});

Deno.test("readModel() takes the input's type from a torch file", () => {
  assert.equal(read("mlp_float64").inputType, "float64");
  assert.equal(read("mlp_opset13").inputType, "float32");
});

Deno.test("readModel() merges what it can without rounding and leaves x / std a node of its own", () => {
  const operators = (name: string, output = "y") => read(name).graph(output).nodes.map((node) => node.operator);
  assert.deepEqual(operators("view_dynamic_opset13"), ["input", "affine", "relu", "affine"]);
  assert.deepEqual(operators("reshaped_opset9"), ["input", "affine", "relu", "affine"]);
  assert.deepEqual(operators("residual_opset16"), [
    ...["input", "convolution", "relu", "convolution", "add", "relu"],
    ...["convolution", "convolution", "relu", "add", "affine"],
  ]);
  assert.deepEqual(operators("normalized"), ["input", "shift", "scale", "affine", "relu", "affine", "scale", "shift"]);
});

Deno.test("graph() of an output that cannot be read throws the problem of its node, the other output is served", () => {
  const model = read("two_outputs");
  assert.deepEqual(model.description.outputs, [{ name: "logits", shape: [3] }]);
  assert.throws(() => model.graph("probabilities"), (error: unknown) => {
    assert.ok(error instanceof LipcertError);
    assert.equal(error.type, "unsupported-operator");
    assert.equal(error.members.operator, "Softmax");
    return true;
  });
});

Deno.test("readModel() of a torch file with another operator names node and operator and lists what is supported", () => {
  for (const [name, operator] of [["other_tanh", "Tanh"], ["other_max_pool", "MaxPool"]]) {
    assert.throws(() => read(name), (error: unknown) => {
      assert.ok(error instanceof LipcertError);
      assert.equal(error.type, "unsupported-operator");
      assert.equal(error.members.operator, operator);
      assert.match(String(error.members.node), new RegExp(operator));
      assert.ok(Array.isArray(error.members.supported) && error.members.supported.includes("Gemm"));
      return true;
    });
  }
});
