import type { Box } from "../numeric/box.ts";
import { climb, type Dictionary, type Outcome, pivot } from "./dictionary.ts";
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
  /** No point was found that meets all half-spaces to within 1e-9 of their scales. */
  readonly isEmpty: boolean;
  readonly outcome: Outcome;
}

/**
 * Maximises c . x over the half-spaces and the box: first down to no miss at all, then up.
 *
 * Deterministic. Cost: as `roomiest`, twice.
 */
export function optimise(halfSpaces: HalfSpaces, box: Box, objective: Float64Array, limit?: number): Optimum {
  const frame = frameOf(halfSpaces, box, objective);
  if (frame.missed >= 0) return { ...constantMiss(frame), value: -Infinity, isEmpty: true };
  const steps = limit ?? stepsFor(frame);
  const dictionary = missDictionary(frame), { m, n, table } = dictionary;
  let outcome = climb(dictionary, { steps, enough: Infinity });
  if (-table[m * (n + 1) + n] > FEASIBLE) {
    const multipliers = multipliersOf(frame, dictionary);
    return { point: pointOf(frame, dictionary), multipliers, value: -Infinity, isEmpty: true, outcome };
  }
  dropMiss(dictionary, frame.coordinates.length + frame.rows.length);
  const scale = setObjective(dictionary, frame, objective);
  if (scale > 0) outcome = climb(dictionary, { steps, enough: Infinity });
  const point = pointOf(frame, dictionary), multipliers = multipliersOf(frame, dictionary);
  for (let i = 0; i < multipliers.length; i++) multipliers[i] *= scale;
  let value = 0;
  for (let j = 0; j < point.length; j++) value += objective[j] * point[j];
  return { point, multipliers, value, isEmpty: false, outcome };
}

/** A half-space that is missed by less, in its scale, counts as met. */
const FEASIBLE = 1e-9;

/** The rows with one variable more, by which all of them are missed at most; the objective is minus that. */
function missDictionary({ rows, coordinates, flipped, table: raw }: Frame): Dictionary {
  const structural = coordinates.length, width = structural + 1, m = rows.length, n = structural + 1, stride = n + 1;
  const table = new Float64Array((m + 1) * stride), basic = new Int32Array(m);
  let least = -1, value = 0;
  for (let r = 0; r < m; r++) {
    for (let k = 0; k < structural; k++) table[r * stride + k] = raw[r * width + k];
    table[r * stride + structural] = 1;
    table[r * stride + n] = raw[r * width + structural];
    basic[r] = structural + r;
    if (raw[r * width + structural] < value) {
      value = raw[r * width + structural];
      least = r;
    }
  }
  table[m * stride + structural] = -1;
  const columns = columnsOf(structural, structural + m);
  const dictionary = { m, n, table, basic, columns, structural, flipped: flipped.slice() };
  if (least >= 0) pivot(dictionary, least, structural);
  return dictionary;
}

/** Takes the miss, 0 by now, out of the dictionary. */
function dropMiss(dictionary: Dictionary, miss: number): void {
  const { m, n, table, basic, columns } = dictionary, stride = n + 1;
  const row = basic.indexOf(miss);
  if (row >= 0) {
    let column = 0;
    for (let k = 1; k < n; k++) {
      if (Math.abs(table[row * stride + k]) > Math.abs(table[row * stride + column])) column = k;
    }
    if (Math.abs(table[row * stride + column]) < SMALLEST_PIVOT) {
      // A row of zeros: the variable stays where it is, and never moves again.
      table.fill(0, row * stride, (row + 1) * stride);
      return;
    }
    pivot(dictionary, row, column);
  }
  const gone = columns.indexOf(miss);
  columns[gone] = -1;
  for (let i = 0; i <= m; i++) table[i * stride + gone] = 0;
}

const SMALLEST_PIVOT = 1e-9;

/** Writes c . x, divided by its scale, into the objective's row; returns the scale. */
function setObjective({ m, n, table, basic, columns, structural, flipped }: Dictionary, frame: Frame, c: Float64Array) {
  const { coordinates, box: { lower, upper } } = frame, stride = n + 1;
  let scale = 0;
  for (const j of coordinates) scale += Math.abs(c[j]) * (upper[j] - lower[j]) / 2;
  table.fill(0, m * stride);
  if (scale === 0) return 0;
  const slopes = new Float64Array(structural);
  for (let k = 0; k < structural; k++) {
    const j = coordinates[k], reach = c[j] * (upper[j] - lower[j]) / scale;
    slopes[k] = flipped[k] === 1 ? -reach : reach;
    table[m * stride + n] += (flipped[k] === 1 ? c[j] * upper[j] : c[j] * lower[j]) / scale;
  }
  for (let k = 0; k < n; k++) {
    if (columns[k] >= 0 && columns[k] < structural) table[m * stride + k] += slopes[columns[k]];
  }
  for (let i = 0; i < m; i++) {
    const slope = basic[i] < structural ? slopes[basic[i]] : 0;
    if (slope === 0) continue;
    for (let k = 0; k <= n; k++) table[m * stride + k] += slope * table[i * stride + k];
  }
  return scale;
}
