import type { Box } from "../numeric/box.ts";

/**
 * The half-spaces a_i . x + b_i >= 0: rows a_i one after the other, [m][n], and their constants b_i, [m].
 *
 * Together with a box they are a polytope. What reads them says whether the numbers are exact.
 */
export interface HalfSpaces {
  readonly rows: Float64Array;
  readonly constants: Float64Array;
}

/**
 * How far a_i . x + b_i moves from the middle of the box to its sides: the sum over j of |a_ij| (u_j - l_j) / 2, [m].
 *
 * Rounding: to nearest; a unit of length, not a bound.
 */
export function scalesOf({ rows, constants }: HalfSpaces, { lower, upper }: Box): Float64Array {
  const n = lower.length, scales = new Float64Array(constants.length);
  for (let i = 0, at = 0; i < scales.length; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++, at++) sum += Math.abs(rows[at]) * (upper[j] - lower[j]);
    scales[i] = sum / 2;
  }
  return scales;
}
