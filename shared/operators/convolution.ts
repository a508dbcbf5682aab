import type { ConvolutionNode } from "../graph.ts";
import { convolutionAdjoint, convolutionPlain } from "./convolution_plain.ts";
import type { LinearOperator } from "./operator.ts";

/** y = W x + b with the matrix of a convolution, given by its kernel. Its adjoint shares the kernel. */
export const convolution: LinearOperator<ConvolutionNode> = {
  kind: "linear",
  mixes: true,
  offset: (node, i) => node.bias?.[i] ?? 0,
  plain: convolutionPlain,
  rowMatrix: () => {
    throw new RangeError("not yet");
  },
  image: () => {
    throw new RangeError("not yet");
  },
  prepare: () => {
    throw new RangeError("not yet");
  },
  adjoint: convolutionAdjoint,
};
