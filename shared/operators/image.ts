import type { AffineNode, ConvolutionNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { radiusFactor, rowSumRoundings, SAFE_PRODUCT, settleWith, underflowOf } from "../numeric/rounding.ts";
import type { LinearContext, LinearImage } from "./operator.ts";

type MatrixNode = AffineNode | ConvolutionNode;

/** What the rounding of a matrix's image depends on. */
interface MatrixFigures {
  /** Most terms of a row. */
  readonly terms: number;
  /** Every non-zero number of the matrix, and no other. */
  readonly weights: Float64Array;
}

/**
 * The image of a matrix node from the sums of its kernel [groups][4][rows]: boxes rounded outward and the magnitudes q.
 *
 * Source: shared/README.md (3)
 */
export function settleImage(
  node: MatrixNode,
  { inputs, inputColumns, demand }: LinearContext,
  sums: Float64Array,
  { terms, weights }: MatrixFigures,
): LinearImage {
  const rows = demand?.indices.length ?? node.size;
  const padded = paddedLength(rows);
  const factor = radiusFactor(rowSumRoundings(terms) + 1);
  const smallestWeight = smallestMagnitude(weights);
  const boxes: Box[] = [];
  const q: Float64Array[] = [];
  inputs.forEach((input, g) => {
    const underflow = productsAreNormal(smallestWeight, input, inputColumns) ? 0 : underflowOf(terms);
    const lower = new Float64Array(node.size).fill(demand === null ? 0 : -Infinity);
    const upper = new Float64Array(node.size).fill(demand === null ? 0 : Infinity);
    const magnitude = new Float64Array(node.size);
    const at = g * 4 * padded;
    for (let r = 0; r < rows; r++) {
      const i = demand === null ? r : demand.indices[r];
      const b = node.bias?.[i] ?? 0;
      const below = sums[at + padded + r] + Math.abs(b);
      const above = sums[at + 3 * padded + r] + Math.abs(b);
      lower[i] = settleWith(factor, sums[at + r] + b, below, underflow);
      upper[i] = -settleWith(factor, -(sums[at + 2 * padded + r] + b), above, underflow);
      // |w| max(|l|, |u|) <= |low| + (high - low), and <= |low| + |high|: where the box is narrow, about the smallest q.
      const narrow = Math.min(below, above) + (upper[i] - lower[i]);
      const wide = below + above;
      magnitude[i] = (narrow < wide ? narrow : wide) * Q_INFLATION + 2 * underflow;
    }
    boxes.push({ lower, upper });
    q.push(magnitude);
  });
  return { boxes, q };
}

/** Covers the roundings of the sums of magnitudes themselves (columns up to 2^30). */
const Q_INFLATION = 1 + 2 ** -20;

/** True if no product of a weight and an end of the box can underflow: then an exact 0 stays 0. */
function productsAreNormal(smallestWeight: number, box: Box, columns: Int32Array | null): boolean {
  let smallest = Infinity;
  const count = columns?.length ?? box.lower.length;
  for (let j = 0; j < count; j++) {
    const i = columns === null ? j : columns[j];
    const l = Math.abs(box.lower[i]);
    const u = Math.abs(box.upper[i]);
    if (l > 0 && l < smallest) smallest = l;
    if (u > 0 && u < smallest) smallest = u;
  }
  return smallestWeight * smallest >= SAFE_PRODUCT;
}

const smallestMagnitudes = new WeakMap<Float64Array, number>();

/** The smallest non-zero |w|, remembered for the life of the weights. */
export function smallestMagnitude(weights: Float64Array): number {
  let smallest = smallestMagnitudes.get(weights);
  if (smallest === undefined) {
    smallest = Infinity;
    for (const w of weights) {
      const magnitude = Math.abs(w);
      if (magnitude > 0 && magnitude < smallest) smallest = magnitude;
    }
    smallestMagnitudes.set(weights, smallest);
  }
  return smallest;
}
