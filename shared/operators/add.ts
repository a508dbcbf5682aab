import type { AddNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { type Box, magnitudes } from "../numeric/box.ts";
import { addDown, addUp } from "../numeric/rounding.ts";
import { groupTable, isAsked, type LinearOperator } from "./operator.ts";

/**
 * y = s a + t b with signs s, t: branches meet. Coefficients over y go to both inputs, each with its sign (the walk does
 * that for every node with two inputs); where a node gets coefficients from several consumers they are added there.
 */
export const add: LinearOperator<AddNode> = {
  kind: "linear",
  offset: () => 0,

  plain: {
    apply: ({ signs }, [a, b]) => a.map((value, i) => signs[0] * value + signs[1] * b[i]),
    pullBack: ({ signs }, p, k) => (signs[k] === 1 ? p : p.map((value) => -value)),
    reach: (_node, [a, b]) => a.map((value, i) => value + b[i]),
    terms: () => 1,
    magnitude: (node) => ({ ...node, signs: [1, 1] }),
    pullBackRoundings: () => 0,
    smallestFactor: () => Infinity,
  },

  matrix: null,

  image(node, _rowMatrix, { inputs, others, demand }) {
    const boxes = inputs.map((box, g) => sumOf(signed(box, node.signs[0]), signed(others![g], node.signs[1])));
    const q = boxes.map((box, g) => magnitudes(box).map((m, i) => (isAsked(demand, g, i) ? m : 0)));
    return Promise.resolve({ boxes, q });
  },

  prepare(node, image, columns, { kernels }) {
    const padded = paddedLength(columns?.length ?? node.size);
    return {
      window: null,
      table: null,
      // A slope rounded above is charged against |y|.
      absorb: { bias: null, q: kernels.upload(groupTable(image.q, columns, padded)) },
      scale: null,
      product: null,
      coefficientRoundings: 1,
    };
  },

  underflow: (node, { inputs }) => new Float64Array(inputs.length).fill(2 * node.size),

  adjoint: () => null,
};

function signed(box: Box, sign: 1 | -1): Box {
  return sign === 1 ? box : { lower: box.upper.map((u) => -u), upper: box.lower.map((l) => -l) };
}

/** Infinite ends stay infinite: -Infinity + Infinity would be no number, and means nothing is known. */
function sumOf(a: Box, b: Box): Box {
  return {
    lower: a.lower.map((l, i) => (l === -Infinity || b.lower[i] === -Infinity ? -Infinity : addDown(l, b.lower[i]))),
    upper: a.upper.map((u, i) => (u === Infinity || b.upper[i] === Infinity ? Infinity : addUp(u, b.upper[i]))),
  };
}
