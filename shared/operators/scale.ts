import type { ScaleNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { magnitudes } from "../numeric/box.ts";
import { nextDown, nextUp } from "../numeric/rounding.ts";
import { groupTable, isAsked, type LinearOperator, sumOver } from "./operator.ts";

/** y_i = x_i f_i, or x_i / f_i: kept as a node of its own where folding it into a matrix would round. */
export const scale: LinearOperator<ScaleNode> = {
  kind: "linear",
  mixes: false,
  offset: () => 0,
  rowMatrix: () => null,

  image(node, _rowMatrix, { inputs, demand }) {
    const boxes = inputs.map((box) => scaleBox(node, box));
    // One rounding a coefficient: its error is charged against |f x|, which the outward box bounds.
    const q = boxes.map((box, g) => {
      return magnitudes(box).map((m, i) => (isAsked(demand, g, i) ? m : 0));
    });
    return Promise.resolve({ boxes, q });
  },

  prepare(node, image, columns, { kernels, inputs, demand }) {
    const width = columns?.length ?? node.size;
    const padded = paddedLength(width);
    return {
      table: null,
      absorb: { bias: null, q: kernels.upload(groupTable(image.q, columns, padded)) },
      scale: { factors: kernels.upload(groupTable([node.factors], columns, padded)), inverse: node.inverse },
      product: null,
      coefficientRoundings: 1,
      underflow: Float64Array.from(inputs, (box, g) => sumOver(box, (i) => isAsked(demand, g, i)) + 2 * node.size),
    };
  },

  adjoint: (node) => ({ ...node, name: `${node.name}'` }),
};

function scaleBox(node: ScaleNode, box: Box): Box {
  const lower = new Float64Array(node.size);
  const upper = new Float64Array(node.size);
  for (let i = 0; i < node.size; i++) {
    const f = node.factors[i];
    const [near, far] = f > 0 ? [box.lower[i], box.upper[i]] : [box.upper[i], box.lower[i]];
    lower[i] = outward(near, f, node.inverse, nextDown);
    upper[i] = outward(far, f, node.inverse, nextUp);
  }
  return { lower, upper };
}

/** x f or x / f, rounded by `step`; exact for x = 0, f = 0 (never a divisor) and f = 1 or -1. */
function outward(x: number, f: number, inverse: boolean, step: (x: number) => number): number {
  if (x === 0 || f === 0) return 0;
  const value = inverse ? x / f : x * f;
  return f === 1 || f === -1 ? value : step(value);
}
