import type { Box } from "../numeric/box.ts";
import { radiusFactor, settleWith, underflowOf } from "../numeric/rounding.ts";
import type { HalfSpaces } from "./half_spaces.ts";

/**
 * An upper bound of the largest value of sum y_i h_i(x) on the box, where every h_i is only known to lie within e_i of
 * a_i . x + b_i there. Below 0 it proves that no point of the box has all h_i >= 0.
 *
 * Shapes: errors [m] or null for exact half-spaces, multipliers [m]; an `objective` c adds c . x to the sum.
 * Rounding: never below the real maximum (shared/README.md (24)). A multiplier that is negative or NaN, an end of the box
 * or an error that is not finite, an overflow: Infinity, which proves nothing.
 * Cost: 2 flops for each entry of a row whose multiplier is not 0.
 */
export function boxMaximum(
  halfSpaces: HalfSpaces,
  errors: Float64Array | null,
  box: Box,
  multipliers: Float64Array,
  objective?: Float64Array,
): number {
  const { rows, constants } = halfSpaces, { lower, upper } = box, n = lower.length;
  const gradient = objective ? objective.slice() : new Float64Array(n);
  const masses = objective ? objective.map(Math.abs) : new Float64Array(n);
  let sum = 0, mass = 0, used = 0;
  for (let i = 0; i < multipliers.length; i++) {
    const y = multipliers[i];
    if (y === 0) continue;
    if (!(y > 0 && y < Infinity)) return Infinity;
    used++;
    for (let j = 0, at = i * n; j < n; j++, at++) {
      const product = y * rows[at];
      gradient[j] += product;
      masses[j] += Math.abs(product);
    }
    const constant = y * constants[i], error = errors === null ? 0 : y * errors[i];
    if (!(error >= 0)) return Infinity;
    sum += constant + error;
    mass += Math.abs(constant) + error;
  }
  let magnitudes = 0;
  for (let j = 0; j < n; j++) {
    const g = gradient[j], l = lower[j], u = upper[j];
    if (!(l <= u)) return Infinity;
    sum += Math.max(g * l, g * u);
    const magnitude = Math.max(-l, u);
    mass += masses[j] * magnitude;
    magnitudes += magnitude;
  }
  const underflow = underflowOf((used + 1) * (2 * used + 2 * n + 1 + 2 * magnitudes));
  return -settleWith(radiusFactor(2 * used + n + 8), -sum, mass, underflow);
}

/**
 * Does the point lie in the box and strictly inside every half-space, proved?
 *
 * Then so do all points of the box near it, and the polytope has an interior relative to the box.
 * Rounding: true only where h_i > 0 over the reals for every h_i within e_i of a_i . x + b_i.
 */
export function isInside(halfSpaces: HalfSpaces, errors: Float64Array | null, box: Box, point: Float64Array): boolean {
  const { lower, upper } = box;
  for (let j = 0; j < point.length; j++) if (!(lower[j] <= point[j] && point[j] <= upper[j])) return false;
  return rowsInside(halfSpaces, errors, point, null).every(Boolean);
}

/**
 * Which half-spaces hold a point strictly, proved; with a `box` also every point of it whose coordinates are each within
 * 16 u max(|l|, |u|) + 2^-1072 of the point's.
 */
export function rowsInside(
  { rows, constants }: HalfSpaces,
  errors: Float64Array | null,
  point: Float64Array,
  box: Box | null,
): boolean[] {
  const n = point.length, factor = radiusFactor(n + 4 + (box === null ? 0 : NEIGHBOURS));
  const underflow = underflowOf((box === null ? 1 : 1 + NEIGHBOURS) * (n + 1));
  const reach = point.map((x, j) => (box === null ? Math.abs(x) : Math.max(-box.lower[j], box.upper[j])));
  return Array.from(constants, (constant, i) => {
    const error = errors === null ? 0 : errors[i];
    let sum = constant - error, mass = Math.abs(constant) + error, slopes = 0;
    for (let j = 0, at = i * n; j < n; j++, at++) {
      sum += rows[at] * point[j];
      mass += Math.abs(rows[at]) * reach[j];
      slopes += Math.abs(rows[at]);
    }
    const lost = box === null ? underflow : underflow + underflowOf(NEIGHBOURS) * (1 + 2 * slopes);
    return error >= 0 && settleWith(factor, sum, mass, lost) > 0;
  });
}

/** 16 u |a_ij| max(|l_j|, |u_j|) are at most so many roundings of the mass. */
const NEIGHBOURS = 24;
