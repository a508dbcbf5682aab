/** Models of operators with windows, padding and reductions, for the comparison with onnxruntime. */
import { floats, node } from "../../models/build.ts";
import { numbers, type SmallNetwork } from "./networks.ts";

/** Convolutions are in float32: onnxruntime has no others. */
const f32 = { type: "float32" } as const;

export const WINDOW_CASES: Readonly<Record<string, SmallNetwork>> = {
  "Conv of one channel": {
    ...f32,
    input: [1, 1, 4, 5],
    nodes: [node("Conv", ["x", "w"], ["y"])],
    floats: { w: [[2, 1, 2, 3], numbers(12)] },
  },
  "Conv with strides, uneven pads, dilations and a bias": {
    ...f32,
    input: [1, 2, 7, 6],
    nodes: [
      node("Conv", ["x", "w", "b"], ["y"], {
        kernel_shape: [3, 2],
        strides: [2, 1],
        pads: [1, 0, 2, 3],
        dilations: [2, 3],
      }),
    ],
    floats: { w: [[3, 2, 3, 2], numbers(36)], b: [[3], numbers(3)] },
  },
  "Conv in groups on two images": {
    ...f32,
    input: [2, 4, 3, 3],
    nodes: [node("Conv", ["x", "w", "b"], ["y"], { group: 2, pads: [1, 1, 1, 1] })],
    floats: { w: [[6, 2, 3, 3], numbers(108)], b: [[6], numbers(6)] },
  },
  "Conv of each channel by itself with a kernel of zeros": {
    ...f32,
    input: [1, 3, 3, 3],
    nodes: [node("Conv", ["x", "w"], ["y"], { group: 3 })],
    floats: { w: [[3, 1, 2, 2], [...numbers(8), 0, 0, 0, 0]] },
  },
  "Conv with auto_pad SAME_UPPER": {
    ...f32,
    input: [1, 1, 5, 6],
    nodes: [node("Conv", ["x", "w"], ["y"], { auto_pad: "SAME_UPPER", strides: [2, 3] })],
    floats: { w: [[2, 1, 4, 2], numbers(16)] },
  },
  "Conv with auto_pad SAME_LOWER": {
    ...f32,
    input: [1, 1, 5, 6],
    nodes: [node("Conv", ["x", "w"], ["y"], { auto_pad: "SAME_LOWER", strides: [2, 1] })],
    floats: { w: [[2, 1, 4, 2], numbers(16)] },
  },
  "Conv with auto_pad VALID": {
    ...f32,
    input: [1, 1, 5, 6],
    nodes: [node("Conv", ["x", "w"], ["y"], { auto_pad: "VALID", strides: [2, 2] })],
    floats: { w: [[1, 1, 2, 3], numbers(6)] },
  },
  "Conv of one spatial dimension": {
    ...f32,
    input: [1, 2, 9],
    nodes: [node("Conv", ["x", "w", "b"], ["y"], { strides: [2], pads: [2, 1], dilations: [3] })],
    floats: { w: [[3, 2, 3], numbers(18)], b: [[3], numbers(3)] },
  },
  "Conv of a transposed tensor, then of one with repeated elements": {
    ...f32,
    input: [1, 3, 4, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] }),
      node("Conv", ["t", "w"], ["c"]),
      node("Concat", ["c", "c"], ["d"], { axis: 1 }),
      node("Conv", ["d", "v"], ["y"]),
    ],
    floats: { w: [[2, 2, 2, 2], numbers(16)], v: [[2, 4, 1, 2], numbers(16, 5)] },
  },
  "ConvTranspose": {
    ...f32,
    input: [1, 2, 3, 4],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"])],
    floats: { w: [[2, 3, 2, 3], numbers(36)] },
  },
  "ConvTranspose with strides, pads, dilations, output_padding, groups and a bias": {
    ...f32,
    input: [1, 4, 3, 3],
    nodes: [
      node("ConvTranspose", ["x", "w", "b"], ["y"], {
        strides: [3, 2],
        pads: [1, 0, 2, 1],
        dilations: [1, 2],
        output_padding: [2, 1],
        group: 2,
      }),
    ],
    floats: { w: [[4, 3, 3, 2], numbers(72)], b: [[6], numbers(6)] },
  },
  "ConvTranspose with a stride above the kernel": {
    ...f32,
    input: [1, 1, 3],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [4], pads: [1, 0] })],
    floats: { w: [[1, 2, 2], numbers(4)] },
  },
  "ConvTranspose with output_shape": {
    ...f32,
    input: [1, 2, 3, 3],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2], output_shape: [6, 5] })],
    floats: { w: [[2, 1, 3, 4], numbers(24)] },
  },
  "ConvTranspose with auto_pad SAME_UPPER": {
    ...f32,
    input: [1, 1, 3, 3],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2], auto_pad: "SAME_UPPER" })],
    floats: { w: [[1, 2, 3, 4], numbers(24)] },
  },
  "ConvTranspose with auto_pad SAME_LOWER": {
    ...f32,
    input: [1, 1, 3, 3],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2], auto_pad: "SAME_LOWER" })],
    floats: { w: [[1, 2, 3, 4], numbers(24)] },
  },
  "ConvTranspose with auto_pad VALID": {
    ...f32,
    input: [1, 1, 3, 3],
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 1], auto_pad: "VALID" })],
    floats: { w: [[1, 2, 3, 4], numbers(24)] },
  },
  "AveragePool": {
    ...f32,
    input: [1, 2, 4, 6],
    nodes: [node("AveragePool", ["x"], ["y"], { kernel_shape: [2, 3], strides: [2, 3] })],
  },
  "AveragePool that does not count its padding": {
    ...f32,
    input: [1, 2, 5, 4],
    nodes: [node("AveragePool", ["x"], ["y"], { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 0, 2, 1] })],
  },
  "AveragePool that counts its padding": {
    ...f32,
    input: [1, 1, 5, 4],
    nodes: [
      node("AveragePool", ["x"], ["y"], {
        kernel_shape: [3, 3],
        strides: [2, 1],
        pads: [1, 0, 2, 1],
        count_include_pad: 1,
        ceil_mode: 0,
      }),
    ],
  },
  "AveragePool with auto_pad SAME_UPPER and one with SAME_LOWER": {
    ...f32,
    input: [1, 1, 5, 4],
    nodes: [
      node("AveragePool", ["x"], ["p"], { kernel_shape: [2, 3], auto_pad: "SAME_UPPER" }),
      node("AveragePool", ["p"], ["y"], { kernel_shape: [2, 3], auto_pad: "SAME_LOWER", strides: [1, 2] }),
    ],
  },
  "AveragePool with ceil_mode where the windows are full": {
    ...f32,
    input: [1, 1, 6, 4],
    nodes: [node("AveragePool", ["x"], ["y"], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })],
  },
  "AveragePool with dilations": {
    ...f32,
    input: [1, 1, 7],
    opset: 19,
    nodes: [node("AveragePool", ["x"], ["y"], { kernel_shape: [3], dilations: [2], pads: [1, 1] })],
  },
  "AveragePool of a transposed tensor": {
    ...f32,
    input: [1, 3, 4, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] }),
      node("AveragePool", ["t"], ["y"], { kernel_shape: [2, 2] }),
    ],
  },
  "GlobalAveragePool": {
    ...f32,
    input: [1, 3, 3, 2],
    nodes: [node("GlobalAveragePool", ["x"], ["y"])],
  },
  "BatchNormalization of an image": {
    input: [1, 2, 2, 3],
    nodes: [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], { epsilon: { float: 0.001 } })],
    floats: { s: [[2], [1.5, -0.7]], b: [[2], [0.1, 2]], m: [[2], [0.3, -1.1]], v: [[2], [0.9, 3]] },
  },
  "BatchNormalization of rows, with the epsilon of the standard and a factor of 0": {
    input: [2, 3],
    opset: 15,
    nodes: [
      node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], { training_mode: 0, momentum: { float: 0.9 } }),
    ],
    floats: { s: [[3], [1.5, 0, 2]], b: [[3], [0.1, 2, -1]], m: [[3], [0.3, -1.1, 5]], v: [[3], [0.9, 3, 0]] },
  },
  "BatchNormalization of a transposed sequence": {
    input: [1, 4, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 2, 1] }),
      node("BatchNormalization", ["t", "s", "b", "m", "v"], ["y"]),
    ],
    floats: { s: [[2], [1.5, -0.7]], b: [[2], [0.1, 2]], m: [[2], [0.3, -1.1]], v: [[2], [0.9, 3]] },
  },
  "ReduceSum of all, and with axes as an attribute": {
    input: [2, 3, 2],
    opset: 11,
    nodes: [
      node("ReduceSum", ["x"], ["s"], { axes: [0, -1], keepdims: 0 }),
      node("ReduceSum", ["x"], ["t"], { keepdims: 0 }),
      node("Add", ["s", "t"], ["y"]),
    ],
  },
  "ReduceSum with axes as an input": {
    input: [2, 3, 2],
    nodes: [node("ReduceSum", ["x", "a"], ["s"]), node("ReduceSum", ["s"], ["y"], { noop_with_empty_axes: 1 })],
    ints: { a: [[1], [1]] },
  },
  "ReduceMean of a hidden layer over some axes": {
    input: [2, 3],
    nodes: [
      node("MatMul", ["x", "w"], ["z"]),
      node("Relu", ["z"], ["h"]),
      node("Transpose", ["h"], ["t"]),
      node("ReduceMean", ["t"], ["y"], { axes: [1], keepdims: 1 }),
    ],
    floats: { w: [[3, 5], numbers(15)] },
  },
  "ReduceMean with axes as an input, of repeated elements": {
    input: [2, 3],
    opset: 18,
    nodes: [
      node("Concat", ["x", "x", "x"], ["c"], { axis: 1 }),
      node("ReduceMean", ["c", "a"], ["y"], { keepdims: 0 }),
    ],
    ints: { a: [[1], [-1]] },
  },
  "Pad on both sides with a value": {
    input: [1, 1, 2, 3],
    nodes: [node("Pad", ["x", "p", "v"], ["y"], { mode: "constant" })],
    ints: { p: [[8], [0, 1, 1, 0, 0, 0, 2, 3]] },
    floats: { v: [[], [0.7]] },
  },
  "Pad that crops": {
    input: [1, 3, 4],
    nodes: [node("Pad", ["x", "p"], ["y"])],
    ints: { p: [[6], [0, -1, -2, 0, 0, -1]] },
  },
  "Pad that crops on one side and pads on the other": {
    input: [1, 3, 4],
    nodes: [node("Pad", ["x", "p"], ["y"])],
    ints: { p: [[6], [0, -1, 2, 0, 1, -3]] },
  },
  "Pad with attributes, of a transposed tensor": {
    input: [2, 3],
    opset: 10,
    nodes: [
      node("Transpose", ["x"], ["t"]),
      node("Pad", ["t"], ["y"], { pads: [1, 0, 0, 2], value: { float: -1.5 } }),
    ],
  },
  "Pad of some axes, and of a constant": {
    input: [2, 3],
    opset: 18,
    nodes: [
      node("Pad", ["x", "p", "", "a"], ["q"]),
      node("Pad", ["c", "p", "v", "a"], ["r"]),
      node("Add", ["q", "r"], ["y"]),
    ],
    ints: { p: [[2], [2, 1]], a: [[1], [-1]] },
    floats: { c: [[2, 3], numbers(6)], v: [[], [3]] },
  },
  "Pad before a convolution": {
    ...f32,
    input: [1, 1, 3, 3],
    nodes: [node("Pad", ["x", "p", "v"], ["q"]), node("Conv", ["q", "w"], ["y"], { strides: [2, 2] })],
    ints: { p: [[8], [0, 0, 1, 0, 0, 0, 1, 1]] },
    floats: { w: [[2, 1, 2, 2], numbers(8)] },
    tensors: [floats("v", [], [0], "float32")],
  },
};
