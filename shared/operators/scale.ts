import type { ScaleNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { magnitudes } from "../numeric/box.ts";
import { smallestMagnitude } from "./image.ts";
import { gamma, multiplyDown, multiplyUp, nextDown, nextUp } from "../numeric/rounding.ts";
import { chargeTable, groupTable, isAsked, type LinearOperator, sumOver } from "./operator.ts";

/**
 * y_i = x_i f_i, or x_i / f_i: kept as a node of its own where folding it into a matrix would round.
 *
 * Where the factor itself came out of k roundings, y is any value of x f (1 + d), |d| <= gamma_k: the image holds them
 * all, and a coefficient's path has k roundings more. Source: shared/README.md (9), (18).
 */
export const scale: LinearOperator<ScaleNode> = {
  kind: "linear",
  offset: () => 0,

  plain: {
    apply: (node, [x]) => x.map((z, i) => plainly(node, z, i)),
    pullBack: (node, p) => p.map((value, i) => plainly(node, value, i)),
    reach: (node, [m]) => m.map((value, i) => Math.abs(plainly(node, value, i))),
    terms: (node) => 1 + (node.roundings ?? 0),
    magnitude: (node) => ({ ...node, factors: node.factors.map(Math.abs) }),
    pullBackRoundings: (node) => 1 + factorRoundings(node),
    smallestFactor: ({ factors, inverse }) =>
      inverse ? 1 / factors.reduce((most, f) => Math.max(most, Math.abs(f)), 0) : smallestMagnitude(factors),
  },

  matrix: null,

  image(node, _rowMatrix, { inputs, demand }) {
    const boxes = inputs.map((box) => scaleBox(node, box));
    // What a coefficient may be off by is charged against |f x|, which the outward box bounds.
    const q = boxes.map((box, g) => {
      return magnitudes(box).map((m, i) => (isAsked(demand, g, i) ? m : 0));
    });
    return Promise.resolve({ boxes, q });
  },

  prepare(node, image, columns, { kernels }) {
    const width = columns?.length ?? node.size;
    const padded = paddedLength(width);
    return {
      window: null,
      table: null,
      // In f32: the product in f64, its rounding, and one for all that a stored factor may be off.
      absorb: { bias: null, q: kernels.upload(chargeTable(kernels, image.q, columns, padded, 3)) },
      scale: { factors: kernels.upload(groupTable([node.factors], columns, padded)), inverse: node.inverse },
      product: null,
      coefficientRoundings: 1 + factorRoundings(node),
    };
  },

  underflow: (node, { inputs, demand }) =>
    Float64Array.from(inputs, (box, g) => sumOver(box, (i) => isAsked(demand, g, i)) + 2 * node.size),

  adjoint: (node) => ({ ...node, name: `${node.name}'` }),
};

/** 1 / (1 + d) = 1 + d' with |d'| <= gamma_k / (1 - gamma_k) <= gamma_2k. */
function factorRoundings({ roundings = 0, inverse }: ScaleNode): number {
  return inverse ? 2 * roundings : roundings;
}

function plainly({ factors, inverse }: ScaleNode, x: number, i: number): number {
  return inverse ? x / factors[i] : x * factors[i];
}

function scaleBox(node: ScaleNode, box: Box): Box {
  const lower = new Float64Array(node.size);
  const upper = new Float64Array(node.size);
  const k = factorRoundings(node);
  const [least, largest] = k === 0 ? [1, 1] : [nextDown(1 - gamma(k)), nextUp(1 + gamma(k))];
  for (let i = 0; i < node.size; i++) {
    const f = node.factors[i];
    const [near, far] = f > 0 ? [box.lower[i], box.upper[i]] : [box.upper[i], box.lower[i]];
    const low = outward(near, f, node.inverse, nextDown);
    const high = outward(far, f, node.inverse, nextUp);
    lower[i] = multiplyDown(low, low < 0 ? largest : least);
    upper[i] = multiplyUp(high, high < 0 ? least : largest);
  }
  return { lower, upper };
}

/** x f or x / f, rounded by `step`; exact for x = 0, f = 0 (never a divisor) and f = 1 or -1. */
function outward(x: number, f: number, inverse: boolean, step: (x: number) => number): number {
  if (x === 0 || f === 0) return 0;
  const value = inverse ? x / f : x * f;
  return f === 1 || f === -1 ? value : step(value);
}
