import type { AffineNode, SelectionNode } from "../graph.ts";
import { selectionMatrix } from "../../tests/exact/unroll.ts";
import { affine } from "./affine.ts";
import type { LinearContext, LinearOperator } from "./operator.ts";

const twins = new WeakMap<Int32Array, Map<boolean, AffineNode>>();

/** STAND-IN: the rules of the dense twin. */
function twin(node: SelectionNode, inputSize: number): AffineNode {
  let known = twins.get(node.map);
  if (!known) twins.set(node.map, known = new Map());
  let found = known.get(node.transposed);
  if (!found) {
    const { inputs, size, name } = node;
    found = { operator: "affine", inputs, size, name, bias: null, weights: selectionMatrix(node, inputSize) };
    known.set(node.transposed, found);
  }
  return found;
}

const dense = (node: SelectionNode, context: LinearContext): [AffineNode, LinearContext] => {
  const as = twin(node, context.inputs[0].lower.length);
  return [as, { ...context, uploaded: () => context.kernels.upload(as.weights) }];
};

export const selection: LinearOperator<SelectionNode> = {
  kind: "linear",
  mixes: true,
  offset: () => 0,
  plain: {
    apply: (node, inputs, withOffset) => affine.plain.apply(twin(node, inputs[0].length), inputs, withOffset),
    pullBack: (node, p, k, size) => affine.plain.pullBack(twin(node, size), p, k, size),
    reach: (node, magnitudes) => affine.plain.reach(twin(node, magnitudes[0].length), magnitudes),
    terms: () => 1,
  },
  rowMatrix: (node, context) => affine.rowMatrix(...dense(node, context)),
  image: (node, rowMatrix, context) => {
    const [as, changed] = dense(node, context);
    return affine.image(as, rowMatrix, changed);
  },
  prepare: (node, image, columns, context) => {
    const [as, changed] = dense(node, context);
    return affine.prepare(as, image, columns, changed);
  },
  adjoint: (node, inputSize) => ({ ...node, size: inputSize, name: `${node.name}'`, transposed: !node.transposed }),
};
