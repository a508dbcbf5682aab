import { boxMaximum } from "../linear/empty.ts";
import type { HalfSpaces } from "../linear/half_spaces.ts";
import { type Sweep, sweepOf } from "../linear/sweep.ts";
import { addUp } from "../numeric/rounding.ts";
import type { Bounded } from "./push_down.ts";
import type { Region } from "./region.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Bounds of all open h and of x over a piece by the half-spaces of its decided units together, in place, from the rows that
 * `boundHeights` kept of them. False: the piece is proved empty.
 *
 * h <= w . x + k and phase_v h_v <= w_v . x + k_v on the piece, so h is at most k plus the largest w . x + sum of y_v (w_v . x +
 * k_v) over the box, for any y >= 0: those of a linear program.
 *
 * Rounding: outward. Source: shared/README.md (24), (25)
 */
export function meetHalfSpaces(region: Region, workspace: Workspace, piece: Bounded): boolean {
  const { width, features } = region, { box, phases, heights: { lower, upper } } = piece;
  const { rowsAbove, rowsBelow, constantsAbove, constantsBelow } = workspace;
  const halfSpaces = halfSpacesOf(region, workspace, piece), m = halfSpaces.constants.length;
  if (m === 0) return true;
  const sweep = sweepOf(halfSpaces, box, stepsFor(region, m));
  if (sweep === null) return true;
  if (sweep.emptiness !== null) return !(boxMaximum(halfSpaces, null, box, sweep.emptiness) < 0);
  const program = { halfSpaces, sweep, box: { lower: box.lower.slice(), upper: box.upper.slice() }, vertices: [] };
  const row = new Float64Array(features);
  for (let j = 0; j < features; j++) {
    row.fill(0);
    row[j] = 1;
    box.upper[j] = Math.min(box.upper[j], most(program, row, 0, box.upper[j], box.upper[j] - box.lower[j], -Infinity));
    row[j] = -1;
    box.lower[j] = Math.max(
      box.lower[j],
      -most(program, row, 0, -box.lower[j], box.upper[j] - box.lower[j], -Infinity),
    );
    if (box.lower[j] > box.upper[j]) return false;
  }
  for (let u = 0, from = 0; u < width; u++, from += features) {
    if (phases[u] !== 0) continue;
    const reach = upper[u] - lower[u];
    row.set(rowsAbove.subarray(from, from + features));
    upper[u] = Math.min(upper[u], most(program, row, constantsAbove[u], upper[u], reach, 0));
    for (let j = 0; j < features; j++) row[j] = -rowsBelow[from + j];
    lower[u] = Math.max(lower[u], -most(program, row, -constantsBelow[u], -lower[u], reach, 0));
  }
  return true;
}

/** Pivots for a piece: what they cost is in the order of what its other bounds do. */
function stepsFor({ width, features }: Region, m: number): number {
  const size = Math.max(width, 96);
  return Math.ceil(40 * size * (size + features) / (m * features));
}

/** phase_v h_v >= 0 by the rows kept of the decided units, those that hold all over the box left out. */
function halfSpacesOf({ width, features }: Region, workspace: Workspace, { phases, box }: Bounded): HalfSpaces {
  const { rowsAbove, rowsBelow, constantsAbove, constantsBelow } = workspace;
  const rows: number[] = [], constants: number[] = [];
  for (let u = 0; u < width; u++) {
    const phase = phases[u];
    if (phase === 0) continue;
    const kept = phase > 0 ? rowsAbove : rowsBelow, constant = phase > 0 ? constantsAbove[u] : -constantsBelow[u];
    let least = constant;
    for (let j = 0, at = u * features; j < features; j++, at++) {
      const w = phase * kept[at];
      least += w > 0 ? w * box.lower[j] : w * box.upper[j];
    }
    if (!(least < 0 && constant < Infinity)) continue;
    for (let j = 0, at = u * features; j < features; j++, at++) rows.push(phase * kept[at]);
    constants.push(constant);
  }
  return { rows: Float64Array.from(rows), constants: Float64Array.from(constants) };
}

interface Program {
  readonly halfSpaces: HalfSpaces;
  readonly box: Bounded["box"];
  readonly sweep: Sweep;
  /** Those found so far: what is large there need not be maximised. */
  readonly vertices: Float64Array[];
}

/** Less is not worth a program: a share of what is between the bounds. */
const GAIN = 0.05;

/** An upper bound of row . x + constant; Infinity where `known` is nearly attained at a vertex, and more than `decides`. */
function most(
  { halfSpaces, box, sweep, vertices }: Program,
  row: Float64Array,
  constant: number,
  known: number,
  reach: number,
  decides: number,
): number {
  for (const point of vertices) {
    let value = constant;
    for (let j = 0; j < row.length; j++) value += row[j] * point[j];
    if (value >= known - GAIN * reach && value > decides) return Infinity;
  }
  const found = sweep.maximise(row);
  if (found === null) return Infinity;
  vertices.push(found.point);
  return addUp(constant, boxMaximum(halfSpaces, null, box, found.multipliers, row));
}
