/** Forms of windows, padding, normalization and branches that are not read. */
import type { ProblemType } from "../../../shared/errors.ts";
import { floats, node } from "../../models/build.ts";
import { numbers, type SmallNetwork } from "./networks.ts";

/** What is refused, the problem's type and message, and the model; the node at fault is named "n". */
export type Form = readonly [string, ProblemType, RegExp, SmallNetwork];

const n = (...args: Parameters<typeof node>) => node(args[0], args[1], args[2], args[3] ?? {}, "n");
const kernel = { w: [[2, 1, 2, 2], numbers(8)] } as const;
const plane = [1, 1, 4, 4] as const;

function conv(attributes: Parameters<typeof node>[3], network: Partial<SmallNetwork> = {}): SmallNetwork {
  return { input: plane, nodes: [n("Conv", ["x", "w"], ["y"], attributes)], floats: kernel, ...network };
}

function pool(attributes: Parameters<typeof node>[3]): SmallNetwork {
  return { input: plane, nodes: [n("AveragePool", ["x"], ["y"], attributes)] };
}

function transposed(attributes: Parameters<typeof node>[3]): SmallNetwork {
  return {
    input: plane,
    nodes: [n("ConvTranspose", ["x", "k"], ["y"], attributes)],
    floats: { k: [[1, 1, 2, 2], numbers(4)] },
  };
}

function normalization(
  attributes: Parameters<typeof node>[3],
  parameters: Readonly<Record<"s" | "b" | "m" | "v", readonly number[]>>,
): SmallNetwork {
  return {
    input: [1, 2],
    nodes: [n("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], attributes)],
    tensors: Object.entries(parameters).map(([name, values]) => floats(name, [values.length], values, "float64")),
  };
}

const plain = { s: [1, 2], b: [0, 1], m: [0, 1], v: [1, 2] } as const;

export const WINDOW_FORMS: readonly Form[] = [
  ["Conv with a kernel that depends on the input", "unsupported-attribute", /kernel must be a constant/, {
    input: plane,
    nodes: [n("Conv", ["x", "x"], ["y"])],
  }],
  ["Conv of a constant", "unsupported-attribute", /Conv of a constant/, {
    input: plane,
    nodes: [n("Conv", ["c", "w"], ["d"]), node("Add", ["x", "d"], ["y"])],
    floats: { ...kernel, c: [[1, 1, 2, 2], numbers(4)] },
  }],
  [
    "Conv in three dimensions",
    "shape-mismatch",
    /one or two spatial/,
    conv({}, {
      input: [1, 1, 2, 2, 2],
      floats: { w: [[1, 1, 1, 1, 1], [1]] },
    }),
  ],
  ["Conv with other channels", "shape-mismatch", /other channels/, conv({}, { input: [1, 3, 4, 4] })],
  ["Conv in groups that do not divide", "shape-mismatch", /3 groups/, conv({ group: 3 })],
  ["Conv with no groups", "shape-mismatch", /0 groups/, conv({ group: 0 })],
  ["Conv with another kernel_shape", "shape-mismatch", /kernel_shape/, conv({ kernel_shape: [2, 3] })],
  ["Conv with a stride of 0", "shape-mismatch", /strides/, conv({ strides: [0, 1] })],
  ["Conv with negative pads", "shape-mismatch", /pads/, conv({ pads: [-1, 0, 0, 0] })],
  ["Conv with pads of one axis only", "shape-mismatch", /pads/, conv({ pads: [1, 1] })],
  [
    "Conv with auto_pad and pads",
    "unsupported-attribute",
    /both given/,
    conv({ auto_pad: "VALID", pads: [1, 0, 0, 0] }),
  ],
  ["Conv with another auto_pad", "unsupported-attribute", /auto_pad "SAME"/, conv({ auto_pad: "SAME" })],
  [
    "Conv with a window larger than the tensor",
    "shape-mismatch",
    /larger than the tensor/,
    conv({ dilations: [4, 1] }),
  ],
  ["Conv with a bias of another size", "shape-mismatch", /bias/, {
    ...conv({}),
    nodes: [n("Conv", ["x", "w", "b"], ["y"])],
    floats: { ...kernel, b: [[3], numbers(3)] },
  }],
  [
    "Conv with an output of 2^25 numbers",
    "unsupported-attribute",
    /too large/,
    conv({}, { input: [1, 1, 4096, 4096] }),
  ],
  ["Conv after Conv with 2^24 numbers together", "unsupported-attribute", /dense form/, {
    input: [1, 1, 3000, 3000],
    nodes: [node("Conv", ["x", "k"], ["z"]), n("Conv", ["z", "k"], ["y"])],
    floats: { k: [[1, 1, 2, 2], numbers(4)] },
  }],
  [
    "Conv with windows that begin 2^31 positions away",
    "unsupported-attribute",
    /reach too far/,
    conv({ pads: [2 ** 31, 0, 2 ** 31, 0], strides: [2 ** 31, 1] }),
  ],
  ["Conv with a thousand windows that see one position", "unsupported-attribute", /little but padding/, {
    input: [1, 1, 1, 1],
    nodes: [n("Conv", ["x", "k"], ["y"], { pads: [999, 0, 999, 0] })],
    floats: { k: [[1, 1, 1000, 1], numbers(1000)] },
  }],
  ["Conv with 10^18 padded positions", "unsupported-attribute", /too large/, conv({ pads: [1e9, 1e9, 1e9, 1e9] })],
  [
    "ConvTranspose to a larger shape than its windows reach",
    "shape-mismatch",
    /windows reach/,
    transposed({
      output_shape: [9, 5],
    }),
  ],
  ["ConvTranspose that pads everything away", "shape-mismatch", /no output/, transposed({ pads: [3, 0, 2, 0] })],
  [
    "ConvTranspose with negative output_padding",
    "shape-mismatch",
    /output_padding/,
    transposed({
      output_padding: [-1, 0],
    }),
  ],
  [
    "AveragePool with a last window that is not full",
    "unsupported-attribute",
    /ceil_mode/,
    pool({
      kernel_shape: [3, 3],
      strides: [2, 2],
      ceil_mode: 1,
    }),
  ],
  [
    "AveragePool of padding alone",
    "unsupported-attribute",
    /padding alone/,
    pool({
      kernel_shape: [1, 1],
      pads: [1, 0, 0, 0],
    }),
  ],
  ["AveragePool without a kernel", "unsupported-attribute", /kernel_shape is missing/, pool({})],
  [
    "AveragePool with a kernel of 10^9 positions",
    "shape-mismatch",
    /larger than the tensor/,
    pool({
      kernel_shape: [1e9, 1],
    }),
  ],
  [
    "AveragePool with a kernel of 10^9 positions that fits into the padding",
    "unsupported-attribute",
    /dense form/,
    pool({ kernel_shape: [1e9, 1], pads: [1e9 - 1, 0, 0, 0] }),
  ],
  ["GlobalAveragePool without a spatial dimension", "shape-mismatch", /no spatial/, {
    input: [1, 2],
    nodes: [n("GlobalAveragePool", ["x"], ["y"])],
  }],
  ["Pad by reflection", "unsupported-attribute", /reflect/, {
    input: [1, 3],
    nodes: [n("Pad", ["x", "p"], ["y"], { mode: "reflect" })],
    ints: { p: [[4], [0, 1, 0, 1]] },
  }],
  ["Pad that crops everything", "shape-mismatch", /no elements/, {
    input: [1, 3],
    nodes: [n("Pad", ["x", "p"], ["y"])],
    ints: { p: [[4], [0, -2, 0, -1]] },
  }],
  ["Pad of other axes than there are pads", "shape-mismatch", /pads do not fit/, {
    input: [1, 3],
    nodes: [n("Pad", ["x", "p"], ["y"])],
    ints: { p: [[2], [1, 1]] },
  }],
  ["BatchNormalization in training mode", "unsupported-attribute", /training mode/, {
    ...normalization({ training_mode: 1 }, plain),
    opset: 15,
  }],
  ["BatchNormalization of every position", "unsupported-attribute", /every position/, {
    ...normalization({ spatial: 0 }, plain),
    opset: 8,
  }],
  [
    "BatchNormalization with a variance of minus epsilon",
    "unsupported-attribute",
    /channel 1 .* out of range/,
    normalization(
      { epsilon: { float: 0.5 } },
      { ...plain, v: [1, -0.5] },
    ),
  ],
  [
    "BatchNormalization with a factor that underflows",
    "unsupported-attribute",
    /channel 0 .* out of range/,
    normalization(
      {},
      { ...plain, s: [2 ** -1030, 1], v: [2 ** 60, 1] },
    ),
  ],
  [
    "BatchNormalization with parameters of another size",
    "shape-mismatch",
    /input 4/,
    normalization(
      {},
      { ...plain, v: [1, 2, 3] },
    ),
  ],
  ["a reduction of a constant", "unsupported-attribute", /ReduceMean of a constant/, {
    input: [1, 2],
    nodes: [n("ReduceMean", ["a"], ["m"]), node("Add", ["x", "m"], ["y"])],
    floats: { a: [[2], [1, 2]] },
  }],
];

export const BRANCH_FORMS: readonly Form[] = [
  ["Concat of parts that do not fit", "shape-mismatch", /do not fit together/, {
    input: [2, 3],
    nodes: [node("Transpose", ["x"], ["t"]), n("Concat", ["x", "t"], ["y"], { axis: 1 })],
  }],
  ["Concat of branches that are too large together", "unsupported-attribute", /dense form/, {
    input: [1, 2 ** 22],
    nodes: [node("Relu", ["x"], ["h"]), n("Concat", ["x", "h"], ["y"], { axis: 1 })],
  }],
  ["Split into sizes that do not add up", "shape-mismatch", /does not split/, {
    input: [1, 5],
    nodes: [n("Split", ["x", "s"], ["y", "z"], { axis: 1 })],
    ints: { s: [[2], [2, 2]] },
  }],
  ["Split into equal parts that there are not", "shape-mismatch", /does not split/, {
    input: [1, 5],
    nodes: [n("Split", ["x"], ["y", "z"], { axis: 1 })],
  }],
  ["Clip with ends of several numbers", "shape-mismatch", /one number/, {
    input: [1, 2],
    nodes: [n("Clip", ["x", "a"], ["y"])],
    floats: { a: [[2], [1, 2]] },
  }],
  ["Clip with an end that depends on the input", "unsupported-attribute", /min must be a constant/, {
    input: [1, 2],
    nodes: [n("Clip", ["x", "x"], ["y"])],
  }],
  ["PRelu with slopes that would enlarge the tensor", "shape-mismatch", /slope does not broadcast/, {
    input: [1, 2],
    nodes: [n("PRelu", ["x", "s"], ["y"])],
    floats: { s: [[3, 1], [1, 2, 3]] },
  }],
  ["LeakyRelu of a constant that rounds", "unsupported-attribute", /without rounding/, {
    input: [1, 2],
    nodes: [n("LeakyRelu", ["a"], ["b"], { alpha: { float: 0.3 } }), node("Add", ["x", "b"], ["y"])],
    floats: { a: [[1], [-1 / 3]] },
  }],
];
