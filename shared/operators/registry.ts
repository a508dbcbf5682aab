import type { OperatorName } from "../graph.ts";
import { abs } from "./abs.ts";
import { add } from "./add.ts";
import { affine } from "./affine.ts";
import { clip } from "./clip.ts";
import { convolution } from "./convolution.ts";
import { derivativeProduct } from "./derivative_product.ts";
import { leakyRelu } from "./leaky_relu.ts";
import type { ElementwiseOperator, LinearOperator } from "./operator.ts";
import { relu } from "./relu.ts";
import { scale } from "./scale.ts";
import { selection } from "./selection.ts";
import { shift } from "./shift.ts";

/** Every operator of the engine by its name in the graph: a new one is its file and a line here. */
const OPERATORS = {
  add,
  affine,
  convolution,
  selection,
  scale,
  shift,
  relu,
  leaky_relu: leakyRelu,
  clip,
  derivative_product: derivativeProduct,
  abs,
} as const satisfies Record<Exclude<OperatorName, "input">, unknown>;

/** The rules of an operator. The registry pairs each name with the operator of that node type, so the widening is safe. */
export function operatorOf(name: Exclude<OperatorName, "input">): ElementwiseOperator | LinearOperator {
  return OPERATORS[name] as ElementwiseOperator | LinearOperator;
}
