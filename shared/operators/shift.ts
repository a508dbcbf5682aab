import type { ShiftNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { magnitudes } from "../numeric/box.ts";
import { addDown, addUp } from "../numeric/rounding.ts";
import { groupTable, type LinearOperator } from "./operator.ts";

/** y = x + t. The coefficients pass unchanged; a t goes to the constant. Its derivative is the identity. */
export const shift: LinearOperator<ShiftNode> = {
  kind: "linear",
  offset: (node, i) => node.offsets[i],

  plain: {
    apply: (node, [x], withOffset) => (withOffset ? x.map((z, i) => z + node.offsets[i]) : x),
    pullBack: (_node, p) => p,
    reach: (_node, [m]) => m,
    terms: () => 1,
    magnitude: (node) => node,
    pullBackRoundings: () => 0,
    smallestFactor: () => Infinity,
  },

  matrix: null,

  image(node, _rowMatrix, { inputs }) {
    const boxes = inputs.map((box) => ({
      lower: box.lower.map((l, i) => addDown(l, node.offsets[i])),
      upper: box.upper.map((u, i) => addUp(u, node.offsets[i])),
    }));
    // |x| + |t| bounds both what the constant may lose and what a rounded coefficient above may.
    const q = inputs.map((box) => magnitudes(box).map((m, i) => addUp(m, Math.abs(node.offsets[i]))));
    return Promise.resolve({ boxes, q });
  },

  prepare(node, image, columns, { kernels }) {
    const padded = paddedLength(columns?.length ?? node.size);
    return {
      window: null,
      table: null,
      absorb: {
        bias: kernels.upload(groupTable([node.offsets], columns, padded)),
        q: kernels.upload(groupTable(image.q, columns, padded)),
      },
      scale: null,
      product: null,
      coefficientRoundings: 0,
    };
  },

  underflow: (node, { inputs }) => new Float64Array(inputs.length).fill(2 * node.size),

  adjoint: () => null,
};
