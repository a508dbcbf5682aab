import type { Box } from "../numeric/box.ts";
import type { Dictionary } from "./dictionary.ts";
import { type HalfSpaces, scalesOf } from "./half_spaces.ts";

/**
 * A polytope in the unit cube: every coordinate of the box that has a width and is met by a row runs over [0, 1], from
 * the corner on, and every row that is not constant there is divided by its scale. Floating point, nothing proved.
 */
export interface Frame {
  readonly halfSpaces: HalfSpaces;
  readonly box: Box;
  readonly scales: Float64Array;
  /** The half-spaces that move over the box, and the coordinates that move one. */
  readonly rows: Int32Array;
  readonly coordinates: Int32Array;
  /** 1 where a coordinate starts at its upper end. */
  readonly flipped: Uint8Array;
  /** [rows][coordinates + 1]: gradients and, last, the value in the corner. */
  readonly table: Float64Array;
  /** The constant half-space that is missed most, -1 for none: the polytope is empty where there is one. */
  readonly missed: number;
}

/** Lays out the polytope from the corner where the rows, summed, are largest; coordinates of the objective are kept too. */
export function frameOf(halfSpaces: HalfSpaces, box: Box, objective?: Float64Array): Frame {
  const { rows: matrix, constants } = halfSpaces, { lower, upper } = box;
  const n = lower.length, scales = scalesOf(halfSpaces, box);
  const rows = placesWhere(scales.length, (i) => scales[i] > 0 && scales[i] < Infinity);
  const sums = new Float64Array(n), met = new Uint8Array(n);
  for (let r = 0; r < rows.length; r++) {
    const inverse = 1 / scales[rows[r]];
    for (let j = 0, at = rows[r] * n; j < n; j++, at++) {
      if (matrix[at] === 0) continue;
      met[j] = 1;
      sums[j] += matrix[at] * inverse;
    }
  }
  if (objective) { for (let j = 0; j < n; j++) if (objective[j] !== 0) met[j] = 1; }
  const coordinates = placesWhere(n, (j) => met[j] === 1 && upper[j] > lower[j]);
  const flipped = new Uint8Array(coordinates.length);
  for (let k = 0; k < flipped.length; k++) flipped[k] = sums[coordinates[k]] > 0 ? 1 : 0;
  const stride = coordinates.length + 1, table = new Float64Array(rows.length * stride);
  for (let r = 0; r < rows.length; r++) {
    const start = rows[r] * n, to = r * stride, inverse = 1 / scales[rows[r]];
    let value = constants[rows[r]];
    for (let j = 0; j < n; j++) value += matrix[start + j] * lower[j];
    for (let k = 0; k < coordinates.length; k++) {
      const j = coordinates[k], reach = matrix[start + j] * (upper[j] - lower[j]);
      if (flipped[k] === 1) value += reach;
      table[to + k] = (flipped[k] === 1 ? -reach : reach) * inverse;
    }
    table[to + coordinates.length] = value * inverse;
  }
  return { halfSpaces, box, scales, rows, coordinates, flipped, table, missed: missedRow(halfSpaces, box, scales) };
}

function placesWhere(count: number, holds: (i: number) => boolean): Int32Array {
  const places = new Int32Array(count);
  let found = 0;
  for (let i = 0; i < count; i++) if (holds(i)) places[found++] = i;
  return places.subarray(0, found);
}

function missedRow({ rows, constants }: HalfSpaces, { lower }: Box, scales: Float64Array): number {
  const n = lower.length;
  let least = 0, missed = -1;
  for (let i = 0; i < scales.length; i++) {
    if (scales[i] !== 0) continue;
    let value = constants[i];
    for (let j = 0; j < n; j++) value += rows[i * n + j] * lower[j];
    if (value >= least) continue;
    least = value;
    missed = i;
  }
  return missed;
}

/** The value that {@link Frame.missed} has all over the box. */
export function missedBy({ halfSpaces: { rows, constants }, box: { lower }, missed }: Frame): number {
  let value = constants[missed];
  for (let j = 0; j < lower.length; j++) value += rows[missed * lower.length + j] * lower[j];
  return value;
}

/** The dictionary's point in the coordinates of the box; those that no row meets are in the middle. */
export function pointOf(frame: Frame, dictionary: Dictionary): Float64Array {
  const { box: { lower, upper }, coordinates } = frame, { m, n, table, basic, columns, structural } = dictionary;
  const point = new Float64Array(lower.length);
  for (let j = 0; j < point.length; j++) point[j] = between(lower[j], upper[j], 0.5);
  const place = (variable: number, value: number) => {
    const j = coordinates[variable];
    point[j] = between(lower[j], upper[j], dictionary.flipped[variable] === 1 ? 1 - value : value);
  };
  for (let k = 0; k < n; k++) if (columns[k] >= 0 && columns[k] < structural) place(columns[k], 0);
  for (let i = 0; i < m; i++) if (basic[i] < structural) place(basic[i], table[i * (n + 1) + n]);
  return point;
}

function between(lower: number, upper: number, share: number): number {
  return share <= 0 ? lower : share >= 1 ? upper : Math.min(Math.max(lower + share * (upper - lower), lower), upper);
}

/** The multipliers of all half-spaces: what the objective loses where one is met with more room, in its own unit; >= 0. */
export function multipliersOf(frame: Frame, { m, n, table, columns, structural }: Dictionary): Float64Array {
  const multipliers = new Float64Array(frame.scales.length);
  for (let k = 0, at = m * (n + 1); k < n; k++, at++) {
    const r = columns[k] - structural;
    if (r >= 0 && r < frame.rows.length && table[at] < 0) {
      multipliers[frame.rows[r]] = -table[at] / frame.scales[frame.rows[r]];
    }
  }
  return multipliers;
}
