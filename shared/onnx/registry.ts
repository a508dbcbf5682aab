import { cast, constant, constantOfShape, shapeOf } from "./operators/constants.ts";
import { abs, clip, leakyRelu, pRelu, relu } from "./operators/activation.ts";
import { averagePool } from "./operators/average_pool.ts";
import { batchNormalization } from "./operators/batch_normalization.ts";
import { conv, convTranspose } from "./operators/convolution.ts";
import { arithmetic, neg } from "./operators/elementwise.ts";
import {
  dropout,
  flatten,
  gather,
  identity,
  reshape,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "./operators/movement.ts";
import { pad } from "./operators/pad.ts";
import { concat, split } from "./operators/parts.ts";
import { gemm, matMul } from "./operators/product.ts";
import { globalAveragePool, reduceMean, reduceSum } from "./operators/reduction.ts";
import type { Translator } from "./translator.ts";

const ALL: readonly Translator[] = [
  ...arithmetic,
  abs,
  averagePool,
  batchNormalization,
  cast,
  clip,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  dropout,
  flatten,
  gather,
  gemm,
  globalAveragePool,
  identity,
  leakyRelu,
  matMul,
  neg,
  pRelu,
  pad,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  shapeOf,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
].sort((a, b) => a.operator < b.operator ? -1 : 1);

/** The translator of each ONNX operator of the default domain. A new operator is a file (or an entry in one) and a line here. */
export const TRANSLATORS: ReadonlyMap<string, Translator> = new Map(
  ALL.map((translator) => [translator.operator, translator]),
);

/** The ONNX operators that are read, sorted, each with the form it is read in. */
export const SUPPORTED_OPERATORS: readonly { readonly operator: string; readonly notes: string }[] = ALL.map((
  { operator, notes },
) => ({ operator, notes }));
