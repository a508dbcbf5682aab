/** Models of branches that part and meet, and of activations with slopes and ends, for the comparison with onnxruntime. */
import { floats, node } from "../../models/build.ts";
import { numbers, type SmallNetwork } from "./networks.ts";

const f32 = { type: "float32" } as const;
const square = { w: [[3, 3], numbers(9)], v: [[3, 3], numbers(9, 4)] } as const;

export const BRANCH_CASES: Readonly<Record<string, SmallNetwork>> = {
  "Add of the input to a hidden layer": {
    input: [1, 3],
    nodes: [node("MatMul", ["x", "w"], ["z"]), node("Relu", ["z"], ["h"]), node("Add", ["h", "x"], ["y"])],
    floats: square,
  },
  "Sub of two branches, and the difference added to one of them": {
    input: [1, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["a"]),
      node("Relu", ["a"], ["h"]),
      node("MatMul", ["x", "v"], ["b"]),
      node("Abs", ["b"], ["g"]),
      node("Sub", ["h", "g"], ["d"]),
      node("Relu", ["d"], ["e"]),
      node("Add", ["e", "g"], ["y"]),
    ],
    floats: square,
  },
  "Add of two matrix products": {
    input: [1, 3],
    nodes: [node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["x", "v"], ["b"]), node("Add", ["a", "b"], ["y"])],
    floats: square,
  },
  "x + x and x - x": {
    input: [1, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Add", ["h", "h"], ["a"]),
      node("Sub", ["x", "x"], ["b"]),
      node("Add", ["a", "b"], ["y"]),
    ],
  },
  "a tensor and its transpose": {
    input: [3, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["z"]),
      node("Relu", ["z"], ["h"]),
      node("Transpose", ["h"], ["t"]),
      node("Sub", ["h", "t"], ["y"]),
    ],
    floats: square,
  },
  "two branches transposed alike, and two transposed differently": {
    input: [1, 2, 3],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 2, 1] }),
      node("Relu", ["x"], ["h"]),
      node("Transpose", ["h"], ["u"], { perm: [0, 2, 1] }),
      node("Add", ["t", "u"], ["s"]),
      node("Reshape", ["h", "shape"], ["r"]),
      node("Sub", ["s", "r"], ["y"]),
    ],
    ints: { shape: [[3], [1, 3, 2]] },
  },
  "Add that enlarges both branches": {
    input: [1, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Transpose", ["x"], ["t"]),
      node("Add", ["h", "t"], ["y"]),
    ],
  },
  "Add of tensors of different rank": {
    input: [1, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Reshape", ["x", "shape"], ["f"]),
      node("Add", ["f", "h"], ["y"]),
    ],
    ints: { shape: [[1], [3]] },
  },
  "Neg of a branch and of a constant": {
    input: [1, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Neg", ["h"], ["m"]),
      node("Neg", ["c"], ["d"]),
      node("Add", ["x", "m"], ["s"]),
      node("Mul", ["s", "d"], ["y"]),
    ],
    floats: { c: [[3], numbers(3)] },
  },
  "Mul by 1 of a branch that meets itself again": {
    input: [1, 3],
    nodes: [node("Relu", ["x"], ["h"]), node("Mul", ["h", "one"], ["k"]), node("Add", ["h", "k"], ["y"])],
    floats: { one: [[], [1]] },
  },
  "Concat of the input and a hidden layer, along two axes": {
    input: [2, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Concat", ["x", "h", "x"], ["c"], { axis: 1 }),
      node("Abs", ["c"], ["d"]),
      node("Concat", ["c", "d"], ["e"], { axis: 0 }),
      node("MatMul", ["e", "w"], ["y"]),
    ],
    floats: { w: [[9, 2], numbers(18)] },
  },
  "Concat of the input transposed and a hidden layer transposed": {
    input: [2, 3],
    nodes: [
      node("Transpose", ["x"], ["t"]),
      node("Relu", ["t"], ["h"]),
      node("Concat", ["t", "h"], ["y"], { axis: 1 }),
    ],
  },
  "Conv of a transposed tensor and of its activations": {
    ...f32,
    input: [1, 3, 3, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] }),
      node("Relu", ["t"], ["h"]),
      node("Conv", ["t", "k"], ["a"]),
      node("Conv", ["h", "k"], ["b"]),
      node("Sub", ["a", "b"], ["y"]),
    ],
    floats: { k: [[2, 2, 2, 2], numbers(16)] },
  },
  "Concat of one tensor with itself reversed": {
    input: [1, 3],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Slice", ["h", "from", "to", "axes", "steps"], ["s"]),
      node("Concat", ["s", "h"], ["y"], { axis: -1 }),
    ],
    ints: { from: [[1], [-1]], to: [[1], [-100]], axes: [[1], [1]], steps: [[1], [-1]] },
  },
  "Concat with constants": {
    input: [1, 3],
    nodes: [node("Relu", ["x"], ["h"]), node("Concat", ["c", "h", "c", "x"], ["y"], { axis: 1 })],
    floats: { c: [[1, 2], numbers(2)] },
  },
  "Concat of two layers of the same values": {
    input: [1, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["a"]),
      node("MatMul", ["x", "v"], ["b"]),
      node("Add", ["b", "c"], ["d"]),
      node("Concat", ["a", "d"], ["e"], { axis: 1 }),
      node("Relu", ["e"], ["y"]),
    ],
    floats: { ...square, c: [[3], numbers(3)] },
  },
  "Split into equal parts that swap their places": {
    input: [1, 4],
    opset: 11,
    nodes: [
      node("Split", ["x"], ["a", "b"], { axis: 1 }),
      node("Relu", ["a"], ["h"]),
      node("Sub", ["b", "h"], ["d"]),
      node("Concat", ["d", "a"], ["y"], { axis: 1 }),
    ],
  },
  "Split by an attribute and by an input": {
    input: [5, 2],
    nodes: [
      node("Split", ["x", "sizes"], ["a", "b", "c"], { axis: 0 }),
      node("Add", ["a", "c"], ["d"]),
      node("Mul", ["b", "f"], ["e"]),
      node("Concat", ["e", "d"], ["y"], { axis: -2 }),
    ],
    ints: { sizes: [[3], [1, 3, 1]] },
    floats: { f: [[3, 2], numbers(6)] },
  },
  "Split by an attribute": {
    input: [1, 5],
    opset: 12,
    nodes: [node("Split", ["x"], ["a", "b"], { axis: -1, split: [3, 2] }), node("Relu", ["b"], ["y"])],
  },
  "Split into parts that cannot be equal, and of a constant": {
    input: [1, 5],
    opset: 18,
    nodes: [
      node("Split", ["x"], ["a", "b"], { axis: 1, num_outputs: 2 }),
      node("Split", ["c"], ["d", "e"], { num_outputs: 2 }),
      node("Add", ["b", "e"], ["y"]),
    ],
    floats: { c: [[4], numbers(4)] },
  },
  "LeakyRelu with its default slope and with another": {
    ...f32,
    input: [1, 3],
    nodes: [node("LeakyRelu", ["x"], ["h"]), node("LeakyRelu", ["h"], ["y"], { alpha: { float: 0.3 } })],
  },
  "LeakyRelu with a negative slope and one above 1": {
    ...f32,
    input: [1, 3],
    nodes: [
      node("LeakyRelu", ["x"], ["h"], { alpha: { float: -0.5 } }),
      node("Neg", ["h"], ["m"]),
      node("LeakyRelu", ["m"], ["y"], { alpha: { float: 1.5 } }),
    ],
  },
  "LeakyRelu of a constant": {
    ...f32,
    input: [1, 3],
    nodes: [node("LeakyRelu", ["c"], ["d"], { alpha: { float: 0.5 } }), node("Add", ["x", "d"], ["y"])],
    floats: { c: [[3], numbers(3)] },
  },
  "PRelu with a slope for each channel of a transposed tensor": {
    ...f32,
    input: [1, 3, 2],
    nodes: [node("Transpose", ["x"], ["t"], { perm: [0, 2, 1] }), node("PRelu", ["t", "s"], ["y"])],
    floats: { s: [[2, 1], [0.25, -1.5]] },
  },
  "PRelu with one slope, of a part": {
    ...f32,
    input: [1, 4],
    nodes: [node("Split", ["x"], ["a", "b"], { axis: 1 }), node("PRelu", ["b", "s"], ["y"])],
    floats: { s: [[1], [0.25]] },
  },
  "Clip with attributes": {
    ...f32,
    input: [1, 4],
    opset: 9,
    nodes: [node("Clip", ["x"], ["y"], { min: { float: -0.5 }, max: { float: 1 } })],
  },
  "Clip with inputs": {
    input: [1, 4],
    nodes: [node("Clip", ["x", "a", "b"], ["y"])],
    tensors: [floats("a", [], [-0.5], "float64"), floats("b", [], [1], "float64")],
  },
  "Clip with one end, and with none": {
    input: [1, 4],
    nodes: [
      node("Clip", ["x", "a"], ["p"]),
      node("Clip", ["p", "", "b"], ["q"]),
      node("Clip", ["q"], ["y"]),
    ],
    tensors: [floats("a", [], [-0.5], "float64"), floats("b", [], [1], "float64")],
  },
  "Clip at 0 from below is Relu": {
    input: [1, 4],
    nodes: [node("Clip", ["x", "a"], ["y"])],
    tensors: [floats("a", [], [0], "float64")],
  },
  "Clip with min above max": {
    input: [1, 4],
    nodes: [node("Clip", ["x", "a", "b"], ["p"]), node("Add", ["p", "x"], ["y"])],
    tensors: [floats("a", [], [2], "float64"), floats("b", [], [-1], "float64")],
  },
  "Clip and Abs of a constant and of a part": {
    input: [1, 4],
    nodes: [
      node("Clip", ["c", "a", "b"], ["d"]),
      node("Abs", ["d"], ["e"]),
      node("Split", ["x"], ["p", "q"], { axis: 1 }),
      node("Abs", ["p"], ["r"]),
      node("Clip", ["r", "a", "b"], ["s"]),
      node("Mul", ["s", "e"], ["y"]),
    ],
    floats: { c: [[2], [-3, 0.3]] },
    tensors: [floats("a", [], [-0.5], "float64"), floats("b", [], [1], "float64")],
  },
};
