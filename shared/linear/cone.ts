import { exactRoom } from "./exact_simplex.ts";

/** Directions from a point: by coordinate the ends of those that stay in a box, each -1, 0 or 1. */
export interface Directions {
  readonly lower: Int8Array;
  readonly upper: Int8Array;
}

export interface ConeLimits {
  readonly coordinates: number;
  readonly pivots: number;
}

/**
 * Is there a direction v with a_i . v > 0 for every row? Then so are all near it: an open cone, and the region that the rows cut
 * out next to the point has an interior.
 *
 * Shapes: rows [m][n]. Nothing rounds. false also where a limit ends it, which proves nothing.
 */
export function hasOpenCone(
  rows: readonly (readonly bigint[])[],
  { lower, upper }: Directions,
  limits: ConeLimits,
): boolean {
  if (rows.length === 0) return true;
  const met = Array.from(lower.keys()).filter((j) => rows.some((row) => row[j] !== 0n));
  if (met.length > limits.coordinates) return false;
  const shifted = rows.map((row) => {
    let value = 0n;
    const slopes = met.map((j) => {
      value += row[j] * BigInt(lower[j]);
      return row[j] * BigInt(upper[j] - lower[j]);
    });
    return [...slopes, value];
  });
  return exactRoom(shifted, limits.pivots)?.sign === 1;
}
