/** Every operator in the forms it is read in, against onnxruntime in float64 (in float32 where it has no other kernel). */
import assert from "node:assert/strict";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { SUPPORTED_OPERATORS } from "../../../shared/onnx/registry.ts";
import { floats, ints, node } from "../../models/build.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { relativeError, runOnnx } from "../../models/onnxruntime.ts";
import { BRANCH_CASES } from "./cases_branches.ts";
import { WINDOW_CASES } from "./cases_windows.ts";
import { numbers, type SmallNetwork, smallNetwork } from "./networks.ts";

const INT64 = 7, FLOAT = 1, DOUBLE = 11;
const MAX = 2n ** 63n - 1n;

const CASES: Readonly<Record<string, SmallNetwork>> = {
  ...BRANCH_CASES,
  ...WINDOW_CASES,
  "Gemm with transB": {
    input: [1, 4],
    nodes: [node("Gemm", ["x", "w", "b"], ["y"], { transB: 1 })],
    floats: { w: [[3, 4], numbers(12)], b: [[3], numbers(3)] },
  },
  "Gemm with alpha, beta and C of shape [1, 3]": {
    input: [1, 4],
    nodes: [node("Gemm", ["x", "w", "c"], ["y"], { alpha: { float: 0.3 }, beta: { float: 0.5 } })],
    floats: { w: [[4, 3], numbers(12)], c: [[1, 3], numbers(3)] },
  },
  "Gemm with beta 0 and a scalar C": {
    input: [1, 4],
    nodes: [node("Gemm", ["x", "w", "c"], ["y"], { beta: { float: 0 } })],
    floats: { w: [[4, 3], numbers(12)], c: [[], [7]] },
  },
  "Gemm of several rows with transA and C of shape [3, 1]": {
    input: [4, 3],
    nodes: [node("Gemm", ["x", "w", "c"], ["y"], { transA: 1 })],
    floats: { w: [[4, 2], numbers(8)], c: [[3, 1], numbers(3)] },
  },
  "Gemm with the constant on the left": {
    input: [4, 2],
    nodes: [node("Gemm", ["w", "x"], ["y"], { transA: 1, transB: 0 })],
    floats: { w: [[4, 3], numbers(12)] },
  },
  "Gemm with the constant on the left and the input transposed": {
    input: [2, 4],
    nodes: [node("Gemm", ["w", "x", "c"], ["y"], { transB: 1 })],
    floats: { w: [[3, 4], numbers(12)], c: [[2], numbers(2)] },
  },
  "MatMul by a matrix": {
    input: [1, 4],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[4, 3], numbers(12)] },
  },
  "MatMul by a vector": {
    input: [2, 4],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[4], numbers(4)] },
  },
  "MatMul of a vector by a matrix": {
    input: [4],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[4, 3], numbers(12)] },
  },
  "MatMul with the constant on the left": {
    input: [1, 4, 2],
    nodes: [node("MatMul", ["w", "x"], ["y"])],
    floats: { w: [[3, 4], numbers(12)] },
  },
  "MatMul of rank 3 by a matrix": {
    input: [1, 3, 4],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[4, 2], numbers(8)] },
  },
  "MatMul with leading dimensions that broadcast both ways": {
    input: [1, 3, 1, 2, 4],
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[2, 4, 3], numbers(24)] },
  },
  "MatMul of a transposed tensor": {
    input: [1, 4, 3],
    nodes: [node("Transpose", ["x"], ["t"], { perm: [0, 2, 1] }), node("MatMul", ["t", "w"], ["y"])],
    floats: { w: [[4, 2], numbers(8)] },
  },
  "MatMul of a tensor with repeated elements": {
    input: [1, 3],
    nodes: [node("Gather", ["x", "i"], ["t"], { axis: 1 }), node("MatMul", ["t", "w"], ["y"])],
    floats: { w: [[4, 2], numbers(8)] },
    ints: { i: [[4], [0, 2, 2, -2]] },
  },
  "Add, Sub, Mul and Div by constants": {
    input: [1, 4],
    nodes: [
      node("Add", ["x", "a"], ["p"]),
      node("Sub", ["p", "b"], ["q"]),
      node("Mul", ["q", "c"], ["r"]),
      node("Relu", ["r"], ["h"]),
      node("Div", ["h", "d"], ["y"]),
    ],
    floats: { a: [[4], numbers(4)], b: [[1], [0.7]], c: [[1, 4], numbers(4, 5)], d: [[], [0.3]] },
  },
  "constants minus and times a tensor": {
    input: [1, 4],
    nodes: [node("Sub", ["a", "x"], ["p"]), node("Relu", ["p"], ["h"]), node("Mul", ["b", "h"], ["y"])],
    floats: { a: [[4], numbers(4)], b: [[4], numbers(4, 3)] },
  },
  "Add to a transposed tensor": {
    input: [1, 2, 3],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 2, 1] }),
      node("Add", ["t", "a"], ["p"]),
      node("Relu", ["p"], ["h"]),
      node("Mul", ["h", "b"], ["y"]),
    ],
    floats: { a: [[3, 2], numbers(6)], b: [[3, 1], numbers(3)] },
  },
  "Add that enlarges the tensor": {
    input: [1, 3],
    nodes: [node("Add", ["x", "a"], ["p"]), node("Relu", ["p"], ["y"])],
    floats: { a: [[4, 1], numbers(4)] },
  },
  "Mul of a part of a hidden layer": {
    input: [1, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["z"]),
      node("Add", ["z", "a"], ["p"]),
      node("Relu", ["p"], ["h"]),
      node("Slice", ["h", "from", "to", "axes", "steps"], ["s"]),
      node("Mul", ["s", "b"], ["y"]),
    ],
    floats: { w: [[3, 5], numbers(15)], a: [[5], numbers(5)], b: [[3], numbers(3)] },
    ints: { from: [[1], [-1]], to: [[1], [-MAX]], axes: [[1], [1]], steps: [[1], [-2]] },
  },
  "Slice with attributes": {
    input: [2, 5],
    opset: 9,
    nodes: [node("Slice", ["x"], ["y"], { starts: [1, -3], ends: [2, 1000], axes: [0, 1] })],
  },
  "Gather of a scalar index drops the axis": {
    input: [3, 2, 2],
    nodes: [node("Gather", ["x", "i"], ["y"], { axis: 1 })],
    ints: { i: [[], [1]] },
  },
  "Transpose of the output": {
    input: [1, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["z"]),
      node("Reshape", ["z", "s"], ["r"]),
      node("Relu", ["r"], ["h"]),
      node("Transpose", ["h"], ["y"]),
    ],
    floats: { w: [[3, 6], numbers(18)] },
    ints: { s: [[3], [0, 2, -1]] },
  },
  "Transpose of the input alone": {
    input: [2, 3, 2],
    nodes: [node("Transpose", ["x"], ["y"], { perm: [2, 0, 1] })],
  },
  "Reshape with allowzero": {
    input: [2, 3],
    opset: 14,
    nodes: [node("Reshape", ["x", "s"], ["y"], { allowzero: 1 })],
    ints: { s: [[3], [3, 1, 2]] },
  },
  "Flatten at every kind of axis": {
    input: [2, 3, 2],
    nodes: [
      node("Flatten", ["x"], ["a"], { axis: 2 }),
      node("Flatten", ["a"], ["b"], { axis: 0 }),
      node("Flatten", ["b"], ["c"], { axis: -1 }),
      node("Flatten", ["c"], ["y"]),
    ],
  },
  "Squeeze and Unsqueeze with attributes": {
    input: [1, 3, 1],
    opset: 11,
    nodes: [
      node("Squeeze", ["x"], ["a"], { axes: [-1] }),
      node("Unsqueeze", ["a"], ["b"], { axes: [0, -1] }),
      node("Squeeze", ["b"], ["y"]),
    ],
  },
  "Squeeze and Unsqueeze with inputs": {
    input: [1, 3, 1],
    nodes: [node("Squeeze", ["x", "a"], ["s"]), node("Unsqueeze", ["s", "b"], ["y"])],
    ints: { a: [[1], [2]], b: [[2], [1, 3]] },
  },
  "Identity, and Dropout of opset 7 and of opset 12 with its inputs": {
    input: [1, 3],
    nodes: [
      node("Identity", ["x"], ["a"]),
      node("Dropout", ["a"], ["b"]),
      node("Dropout", ["b", "ratio", "mode"], ["c", "mask"]),
      node("Relu", ["c"], ["y"]),
    ],
    tensors: [
      floats("ratio", [], [0.5], "float32"),
      { name: "mode", dims: [], dataType: 9, rawData: new Uint8Array([0]) },
    ],
  },
  "a shape computed from the tensor's own": {
    input: ["batch", 2, 3],
    nodes: [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "zero"], ["n"]),
      node("Unsqueeze", ["n", "axes"], ["n1"]),
      node("Slice", ["s", "one", "three"], ["rest"]),
      node("Gather", ["rest", "zero"], ["p"]),
      node("Gather", ["rest", "axes1"], ["q"]),
      node("Mul", ["p", "q"], ["pq"]),
      node("Sub", ["pq", "one"], ["less"]),
      node("Add", ["less", "one"], ["more"]),
      node("Div", ["more", "one"], ["all"]),
      node("Concat", ["n1", "all"], ["shape"], { axis: 0 }),
      node("Reshape", ["x", "shape"], ["y"]),
    ],
    ints: { zero: [[], [0]], axes: [[1], [0]], axes1: [[1], [1]], one: [[1], [1]], three: [[1], [3]] },
  },
  "ConstantOfShape, Constant and Cast make constants": {
    input: [1, 3],
    nodes: [
      node("Constant", [], ["s"], { value: ints("", [2], [1, 3]) }),
      node("ConstantOfShape", ["s"], ["ones"], { value: ints("", [1], [2]) }),
      node("Cast", ["ones"], ["twos"], { to: DOUBLE }),
      node("Constant", [], ["third"], { value: floats("", [], [1 / 3], "float64") }),
      node("Cast", ["third"], ["rounded"], { to: FLOAT }),
      node("Cast", ["rounded"], ["wide"], { to: DOUBLE }),
      node("Mul", ["x", "twos"], ["p"]),
      node("Add", ["p", "wide"], ["y"]),
    ],
  },
  "Constant by each of its attributes": {
    input: [1, 2],
    nodes: [
      node("Constant", [], ["f"], { value_float: { float: 1.5 } }),
      node("Constant", [], ["s"], { value_ints: [2, 1] }),
      node("Constant", [], ["i"], { value_int: 1 }),
      node("Gather", ["s", "i"], ["one"]),
      node("Cast", ["one"], ["one64"], { to: INT64 }),
      node("Unsqueeze", ["one64", "axes"], ["shape"]),
      node("Cast", ["f"], ["g"], { to: DOUBLE }),
      node("Reshape", ["g", "shape"], ["h"]),
      node("Add", ["x", "h"], ["y"]),
    ],
    ints: { axes: [[1], [0]] },
  },
  "float constants folded where they are exact": {
    input: [1, 3],
    nodes: [
      node("Add", ["a", "b"], ["p"]),
      node("Mul", ["p", "a"], ["q"]),
      node("Sub", ["q", "b"], ["r"]),
      node("Div", ["r", "four"], ["s"]),
      node("Relu", ["s"], ["t"]),
      node("Concat", ["t", "b"], ["u"], { axis: 0 }),
      node("Transpose", ["u"], ["v"]),
      node("MatMul", ["x", "v"], ["y"]),
    ],
    floats: { a: [[1, 3], numbers(3)], b: [[1, 3], numbers(3, 9)], four: [[], [4]] },
  },
  "an output that does not depend on the input": {
    input: [1, 2],
    nodes: [node("Identity", ["a"], ["y"])],
    floats: { a: [[1, 3], numbers(3)] },
  },
  "nodes in another order than they are computed in": {
    input: [1, 3],
    nodes: [node("Relu", ["z"], ["y"]), node("MatMul", ["x", "w"], ["z"])],
    floats: { w: [[3, 2], numbers(6)] },
  },
};

for (const [name, network] of Object.entries(CASES)) {
  Deno.test(`readModel() agrees with onnxruntime: ${name}`, async () => {
    const bytes = smallNetwork(network);
    const model = readModel(bytes);
    const size = model.description.inputs[0].shape.reduce((product, part) => product * part, 1);
    const points = [numbers(size), numbers(size, 7).map((value) => value / 3), new Array<number>(size).fill(0)];
    const wanted = await runOnnx(bytes, points, "y");
    const tolerance = network.type === "float32" ? 1e-6 : 1e-14;
    points.forEach((point, i) => {
      const got = evaluateTwice(model.graph("y"), point);
      assert.ok(relativeError(got, wanted[i]) <= tolerance, `${got} instead of ${wanted[i]} at [${point}]`);
    });
  });
}

Deno.test("SUPPORTED_OPERATORS lists exactly the operators these models use", () => {
  const used = new Set(Object.values(CASES).flatMap(({ nodes }) => nodes.map(({ opType }) => opType)));
  assert.deepEqual(SUPPORTED_OPERATORS.map(({ operator }) => operator), [...used].sort());
});
