import { descend, standBest } from "./descend.ts";
import { climb, type Dictionary } from "./dictionary.ts";
import { type Frame, frameOf, multipliersOf, pointOf } from "./frame.ts";
import type { Box } from "../numeric/box.ts";
import type { HalfSpaces } from "./half_spaces.ts";
import { multipliersOfRow } from "./optimise.ts";
import { columnsOf } from "./polytope.ts";

/** One polytope, its linear programs one after the other: each begins where the one before ended. Proposals, as `optimise`. */
export interface Sweep {
  /** y >= 0: sum y_i (a_i . x + b_i) is below 0 on the box, up to rounding. Null: the half-spaces meet in it. */
  readonly emptiness: Float64Array | null;
  /**
   * A vertex where c . x is largest, and the y >= 0 that say so (see `Optimum`). Null where the pivots that were granted are
   * used up, or where c . x is constant.
   */
  maximise(c: Float64Array): { readonly point: Float64Array; readonly multipliers: Float64Array } | null;
}

/**
 * Finds a vertex of a polytope, and grants so many pivots and flips to the programs over it; null where that finds none.
 *
 * Deterministic. Cost: 2 m n flops a pivot, which is the least that a program costs; from one objective to the next few are
 * needed.
 */
export function sweepOf(halfSpaces: HalfSpaces, box: Box, steps: number): Sweep | null {
  // Any objective: all coordinates with a width are kept.
  const frame = frameOf(halfSpaces, box, new Float64Array(box.lower.length).fill(1)), { coordinates, flipped } = frame;
  const n = coordinates.length, m = frame.rows.length;
  if (frame.missed >= 0 || n === 0) return null;
  const table = new Float64Array((m + 1) * (n + 1)), basic = Int32Array.from({ length: m }, (_, r) => n + r);
  table.set(frame.table);
  const columns = columnsOf(n, -1).subarray(0, n);
  const dictionary: Dictionary = { m, n, table, basic, columns, structural: n, flipped: flipped.slice() };
  // Without an objective the descent would go in circles: any will do whose numbers differ.
  for (let k = 0; k < n; k++) table[m * (n + 1) + k] = 1 + (k * GOLDEN) % 1;
  standBest(dictionary);
  const { outcome, row } = descend(dictionary, steps);
  const maximise = () => null;
  if (outcome === "infeasible") return { emptiness: multipliersOfRow(frame, dictionary, row), maximise };
  if (outcome !== "optimal") return null;
  const spent = { steps: 0 };
  return {
    emptiness: null,
    maximise(c) {
      const scale = setObjective(frame, dictionary, c);
      if (!(scale > 0) || spent.steps >= steps) return null;
      climb(dictionary, { steps: steps - spent.steps, enough: Infinity, spent });
      const multipliers = multipliersOf(frame, dictionary);
      for (let i = 0; i < multipliers.length; i++) multipliers[i] *= scale;
      return { point: pointOf(frame, dictionary), multipliers };
    },
  };
}

const GOLDEN = 0.6180339887498949;

/** c . x over the columns as they stand, divided by its scale, which is returned. */
function setObjective(frame: Frame, { m, n, table, basic, columns, structural, flipped }: Dictionary, c: Float64Array) {
  const { coordinates, box: { lower, upper } } = frame, stride = n + 1, to = m * stride;
  let scale = 0;
  for (let k = 0; k < structural; k++) {
    scale += Math.abs(c[coordinates[k]]) * (upper[coordinates[k]] - lower[coordinates[k]]) / 2;
  }
  table.fill(0, to, to + stride);
  if (!(scale > 0)) return 0;
  const reachOf = (k: number) => {
    const j = coordinates[k], reach = c[j] * (upper[j] - lower[j]) / scale;
    return flipped[k] === 1 ? -reach : reach;
  };
  for (let k = 0; k < n; k++) {
    if (columns[k] >= 0 && columns[k] < structural) table[to + k] = reachOf(columns[k]);
  }
  for (let i = 0; i < m; i++) {
    if (basic[i] >= structural) continue;
    const reach = reachOf(basic[i]), from = i * stride;
    if (reach !== 0) { for (let k = 0; k <= n; k++) table[to + k] += reach * table[from + k]; }
  }
  return scale;
}
