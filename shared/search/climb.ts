import type { Box } from "../numeric/box.ts";
import type { Bounding } from "./bound_piece.ts";
import { isSmall, type Region } from "./region.ts";
import { valueAt } from "./value_at.ts";

/** Pieces of such depths are climbed from, on few features: it costs 3 n values. */
const EVERY = 8;

/** Whether a piece's point is improved before it is handed on. */
export function climbsFrom(region: Region, depth: number): boolean {
  return isSmall(region) && depth % EVERY === 0;
}

/**
 * A point of the box at which the objective is as large or larger, in plain arithmetic: each coordinate in turn tries both ends
 * and the way half back to the middle, and keeps the best.
 */
export function climb(
  { region, objective, workspace }: Bounding,
  { lower, upper }: Box,
  from: Float64Array,
): Float64Array {
  const point = from.slice();
  let best = valueAt(region, objective, workspace, point);
  for (let j = 0; j < point.length; j++) {
    const start = point[j], middle = (lower[j] + upper[j]) / 2;
    let kept = start;
    for (const trial of [lower[j], (start + middle) / 2, upper[j]]) {
      point[j] = trial;
      const value = valueAt(region, objective, workspace, point);
      if (value > best) [best, kept] = [value, trial];
    }
    point[j] = kept;
  }
  return point;
}
