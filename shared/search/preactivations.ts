import type { Box } from "../numeric/box.ts";
import { addDown, addUp, nextUp } from "../numeric/rounding.ts";
import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";
import { type Bounded, pushDown, settlePushed, type Sum } from "./push_down.ts";
import { keepRowOf, type Trace } from "./trace.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Bounds of all h_u over a piece by rows, from the input on, in place; units whose sign they decide get their phase. The row of a
 * decided unit is a half-space that the box is cut by. False: the piece is proved empty.
 *
 * Cost: 2 U rows through the units below and the box: about 2 U (U^2 / 2 + U n) multiplications.
 */
export function boundHeights(
  region: Region,
  objective: Objective,
  workspace: Workspace,
  piece: Bounded,
  multipliers: Float64Array,
  trace: Trace | null = null,
): boolean {
  const { width, features, rows, inputs, network: { bias }, charges, isSolid } = region;
  const { phases, heights: { lower, upper }, box } = piece;
  const units = workspace.start, row = workspace.slopes, halfSpaces = multipliers.slice(3 * width);
  multipliers.fill(0, 3 * width);
  for (let u = 0; u < width; u++) {
    for (const sign of [1, -1]) {
      for (let v = 0; v < width; v++) units[v] = v < region.below[u] ? sign * rows[u * width + v] : 0;
      for (let j = 0; j < features; j++) row[j] = sign * inputs[u * features + j];
      const sum: Sum = { gated: null, units, inputs: row, constant: sign * bias[u], charge: charges[u] };
      pushDown(region, objective, workspace, piece, sum, multipliers);
      const most = settlePushed(region, objective, workspace, piece, sum);
      keepRow(workspace, u, sign, most, box);
      if (sign > 0) upper[u] = Math.min(upper[u], most);
      else lower[u] = Math.max(lower[u], -most);
      if (trace && most < (phases[u] === sign ? 0 : sign > 0 ? lower[u] : -upper[u])) {
        keepRowOf(trace, workspace, u, sign);
      }
      if (phases[u] === sign && !cut(box, workspace, most)) return false;
    }
    if (lower[u] > upper[u] || (phases[u] > 0 && upper[u] < 0) || (phases[u] < 0 && lower[u] > 0)) return false;
    if (phases[u] !== 0) continue;
    if (isSolid ? lower[u] >= 0 : lower[u] > 0) phases[u] = 1;
    else if (isSolid ? upper[u] <= 0 : upper[u] < 0) phases[u] = -1;
  }
  multipliers.set(halfSpaces, 3 * width);
  return true;
}

/**
 * Cuts a box in place by a half-space w . x + c >= 0, w in `workspace.overInput`; false where nothing is left. `most` is an upper bound
 * of w . x + c on the box: w_j x_j is at least what is left of it, so x_j is within most / |w_j| of its best end.
 *
 * Rounding: the box only grows by it.
 */
export function cut({ lower, upper }: Box, { overInput }: Workspace, most: number): boolean {
  if (most < 0) return false;
  if (!(most < Infinity)) return true;
  for (let j = 0; j < lower.length; j++) {
    const w = overInput[j];
    if (w === 0) continue;
    const reach = nextUp(most / Math.abs(w));
    if (w > 0) lower[j] = Math.max(lower[j], addDown(upper[j], -reach));
    else upper[j] = Math.min(upper[j], addUp(lower[j], reach));
  }
  return true;
}

/** The row in `workspace.overInput`, an upper bound of sign h_u, among those kept. */
function keepRow(workspace: Workspace, u: number, sign: number, most: number, { lower, upper }: Box): void {
  const { overInput, rowsAbove, rowsBelow, constantsAbove, constantsBelow } = workspace;
  const rows = sign > 0 ? rowsAbove : rowsBelow;
  let rest = most;
  for (let j = 0, at = u * lower.length; j < lower.length; j++, at++) {
    const w = overInput[j];
    rest -= w > 0 ? w * upper[j] : w * lower[j];
    rows[at] = sign * w;
  }
  if (sign > 0) constantsAbove[u] = rest;
  else constantsBelow[u] = -rest;
}
