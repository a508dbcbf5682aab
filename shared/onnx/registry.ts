import { cast, concat, constant, constantOfShape, shapeOf } from "./operators/constants.ts";
import { arithmetic, relu } from "./operators/elementwise.ts";
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
import { gemm, matMul } from "./operators/product.ts";
import type { Translator } from "./translator.ts";

const ALL: readonly Translator[] = [
  ...arithmetic,
  cast,
  concat,
  constant,
  constantOfShape,
  dropout,
  flatten,
  gather,
  gemm,
  identity,
  matMul,
  relu,
  reshape,
  shapeOf,
  slice,
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
