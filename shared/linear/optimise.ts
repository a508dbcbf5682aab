import type { Box } from "../numeric/box.ts";
import { descend, standBest } from "./descend.ts";
import { climb, type Dictionary, type Outcome } from "./dictionary.ts";
import { type Frame, frameOf, multipliersOf, pointOf } from "./frame.ts";
import type { HalfSpaces } from "./half_spaces.ts";
import { columnsOf, constantMiss, stepsFor } from "./polytope.ts";

/** The largest c . x over a polytope. Proposals: `empty.ts` proves what is used. */
export interface Optimum {
  readonly point: Float64Array;
  /**
   * y >= 0: on the box c . x + sum y_i (a_i . x + b_i) is at most `value`. Where `isEmpty`, sum y_i (a_i . x + b_i) is below
   * 0 there instead.
   */
  readonly multipliers: Float64Array;
  /** c . x at the point; -Infinity where `isEmpty`. */
  readonly value: number;
  /** The half-spaces do not meet in the box, up to rounding. */
  readonly isEmpty: boolean;
  /** `open`: a limit of steps came first; the point misses a half-space, the multipliers prove less than they could. */
  readonly outcome: Outcome;
}

/**
 * Maximises c . x over the half-spaces and the box, from the corner that is best without half-spaces.
 *
 * Deterministic. Cost: as `roomiest`.
 */
export function optimise(halfSpaces: HalfSpaces, box: Box, objective: Float64Array, limit?: number): Optimum {
  const frame = frameOf(halfSpaces, box, objective);
  if (frame.missed >= 0) return { ...constantMiss(frame), value: -Infinity, isEmpty: true };
  const { dictionary, scale } = objectiveDictionary(frame, objective), steps = limit ?? stepsFor(frame);
  standBest(dictionary);
  const { outcome, row } = descend(dictionary, steps);
  if (outcome === "infeasible") {
    const multipliers = multipliersOfRow(frame, dictionary, row);
    return { point: pointOf(frame, dictionary), multipliers, value: -Infinity, isEmpty: true, outcome: "optimal" };
  }
  const end = outcome === "optimal" ? climb(dictionary, { steps, enough: Infinity }) : "open";
  const point = pointOf(frame, dictionary), multipliers = multipliersOf(frame, dictionary);
  for (let i = 0; i < multipliers.length; i++) multipliers[i] *= scale;
  let value = 0;
  for (let j = 0; j < point.length; j++) value += objective[j] * point[j];
  return { point, multipliers, value, isEmpty: false, outcome: end };
}

/** The slacks over the coordinates, and c . x divided by its scale. */
function objectiveDictionary(frame: Frame, c: Float64Array): { dictionary: Dictionary; scale: number } {
  const { rows, coordinates, flipped, box: { lower, upper } } = frame;
  const n = coordinates.length, m = rows.length;
  const table = new Float64Array((m + 1) * (n + 1)), basic = new Int32Array(m);
  table.set(frame.table);
  for (let r = 0; r < m; r++) basic[r] = n + r;
  let scale = 0;
  for (let k = 0; k < n; k++) {
    scale += Math.abs(c[coordinates[k]]) * (upper[coordinates[k]] - lower[coordinates[k]]) / 2;
  }
  for (let k = 0; k < n && scale > 0; k++) {
    const j = coordinates[k], reach = c[j] * (upper[j] - lower[j]) / scale;
    table[m * (n + 1) + k] = flipped[k] === 1 ? -reach : reach;
  }
  const columns = columnsOf(n, -1).subarray(0, n);
  return { dictionary: { m, n, table, basic, columns, structural: n, flipped: flipped.slice() }, scale };
}

/**
 * The multipliers that a row proves emptiness with: its variable v >= 0 equals value + sum of slopes times the others,
 * value < 0 and no slope > 0, so the slacks among v and the others cannot all be >= 0.
 */
export function multipliersOfRow(
  frame: Frame,
  { n, table, basic, columns, structural }: Dictionary,
  row: number,
): Float64Array {
  const multipliers = new Float64Array(frame.scales.length);
  const set = (variable: number, y: number) => {
    if (variable < structural || !(y > 0)) return;
    const i = frame.rows[variable - structural];
    multipliers[i] = y / frame.scales[i];
  };
  set(basic[row], 1);
  for (let k = 0; k < n; k++) set(columns[k], -table[row * (n + 1) + k]);
  return multipliers;
}
