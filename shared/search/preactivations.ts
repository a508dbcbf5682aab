import type { Box } from "../numeric/box.ts";
import { addDown, addUp, nextUp, settleWith } from "../numeric/rounding.ts";
import { meetHalfSpaces } from "./meet_half_spaces.ts";
import { isSmall, type Region } from "./region.ts";
import type { Bounded } from "./push_down.ts";
import { keepRowOf, type Trace } from "./trace.ts";
import type { Workspace } from "./workspace.ts";

/** Units whose rows are walked together: lanes of one call. */
const TOGETHER = 4;

/**
 * Bounds of all h_u over a piece by rows, from the input on, in place; units whose sign they decide get their phase. The row of a
 * decided unit is a half-space that the box is cut by; on few inputs all of them together bound what is open and the box again
 * (not of a piece that is recorded). False: the piece is proved empty; `trace` takes by which row.
 *
 * r_v lies above alpha h_v (`multipliers`) and below its chord, x_j between its ends: a row over g with other lines, so that
 * `Vectors.gatedRows` walks it.
 * Rounding: outward. Source: shared/README.md (6), (25); cost about 2 U (U^2 / 2 + U n) multiplications.
 */
export function boundHeights(
  region: Region,
  workspace: Workspace,
  piece: Bounded,
  multipliers: Float64Array,
  trace: Trace | null = null,
): boolean {
  const { width, features, ranks, vectors, upward } = region, { asked, found, laneSlopes, upwardLines } = workspace;
  const lost = (width + features) * region.underflow;
  prepareInputs(region, workspace, piece.box);
  for (const rank of ranks) {
    for (let first = rank.from; first < rank.end; first += TOGETHER) {
      const count = Math.min(TOGETHER, rank.end - first);
      for (let i = 0; i < count; i++) asked[i] = first + i;
      const decided = piece.phases.slice(first, first + count);
      vectors.gatedRows({
        out: found,
        rows: asked,
        count,
        matrix: upward.matrix,
        first: width - rank.from,
        inner: upward.inner,
        stride: width,
        below: upward.below,
        lines: upwardLines,
        seed: upward.bias,
        charges: upward.charges,
        slopes: laneSlopes,
      });
      for (let i = 0; i < count; i++) {
        tighten(region, workspace, piece, first + i, i, lost);
        if (!decide(region, piece, first + i)) {
          if (trace) keepCrossing(workspace, piece, first + i, i, trace);
          return false;
        }
      }
      for (let i = 0; i < count; i++) {
        const phase = decided[i];
        if (phase !== 0 && !cutByRow(region, workspace, piece.box, i, phase)) return false;
      }
      if (decided.some((phase) => phase !== 0)) prepareInputs(region, workspace, piece.box);
    }
    for (let u = rank.from; u < rank.end; u++) {
      prepareUnit(width + features, width - 1 - u, upwardLines, piece, multipliers, u, width);
    }
  }
  if (!isSmall(region) || trace) return true;
  if (!meetHalfSpaces(region, workspace, piece)) return false;
  for (let u = 0; u < width; u++) if (!decide(region, piece, u)) return false;
  return true;
}

/** Meets the bounds of h_u with what was found of it, and keeps its rows. */
function tighten(
  region: Region,
  workspace: Workspace,
  { heights: { lower, upper }, box }: Bounded,
  u: number,
  i: number,
  lost: number,
): void {
  const { factor, charges, network: { bias } } = region, { found, mosts } = workspace, at = 4 * i;
  const least = settleWith(factor, bias[u] + found[at], charges[u] + found[at + 1], lost);
  const most = -settleWith(factor, found[at + 2] - bias[u], charges[u] + found[at + 3], lost);
  keepRow(region, workspace, u, i, -least, box, -1);
  keepRow(region, workspace, u, TOGETHER + i, most, box, 1);
  mosts[i] = -least;
  mosts[TOGETHER + i] = most;
  if (least > lower[u]) lower[u] = least;
  if (most < upper[u]) upper[u] = most;
}

/** False: no height is left for the unit's phase. An open unit gets the phase that its bounds decide. */
function decide({ isSolid }: Region, { phases, heights: { lower, upper } }: Bounded, u: number): boolean {
  if (lower[u] > upper[u] || (phases[u] > 0 && upper[u] < 0) || (phases[u] < 0 && lower[u] > 0)) return false;
  if (phases[u] === 0) {
    if (isSolid ? lower[u] >= 0 : lower[u] > 0) phases[u] = 1;
    else if (isSolid ? upper[u] <= 0 : upper[u] < 0) phases[u] = -1;
  }
  return true;
}

/** Which of a unit's rows leaves no height: below 0 where that is its phase, or across the bound of the other side. */
function keepCrossing(
  { mosts }: Workspace,
  { phases, heights: { lower, upper } }: Bounded,
  u: number,
  i: number,
  trace: Trace,
): void {
  for (const sign of [1, -1]) {
    const most = mosts[sign > 0 ? TOGETHER + i : i];
    if (most < (phases[u] === sign ? 0 : sign > 0 ? lower[u] : -upper[u])) return keepRowOf(trace, u, sign);
  }
}

/** Cuts a box by phase h_u >= 0: its coefficients over x stand behind those over the units. False: nothing is left. */
function cutByRow({ width, features }: Region, workspace: Workspace, box: Box, i: number, phase: number): boolean {
  const { laneSlopes, overInput, mosts } = workspace, lane = phase > 0 ? TOGETHER + i : i;
  for (let j = 0, at = 8 * width + lane; j < features; j++, at += 8) overInput[j] = -laneSlopes[at];
  return cut(box, workspace, mosts[lane]);
}

/** x_j is at least its lower end where its coefficient is positive, at most its upper end else. */
function prepareInputs({ width, features }: Region, { upwardLines }: Workspace, { lower, upper }: Box): void {
  const places = width + features;
  upwardLines.set(lower, places + width);
  upwardLines.set(upper, 3 * places + width);
  upwardLines.fill(0, width, places);
  upwardLines.fill(0, 2 * places + width, 3 * places);
}

/** The lines of r_u at its place. */
function prepareUnit(
  places: number,
  place: number,
  lines: Float64Array,
  { phases, heights }: Bounded,
  multipliers: Float64Array,
  u: number,
  width: number,
): void {
  let lowerSlope = 0, upperSlope = 0, upperConstant = 0;
  if (phases[u] > 0) lowerSlope = upperSlope = 1;
  else if (phases[u] === 0) {
    const l = heights.lower[u], h = heights.upper[u], slope = h / (h - l), alpha = multipliers[2 * width + u];
    lowerSlope = alpha > 0 ? (alpha < 1 ? alpha : 1) : 0;
    upperSlope = slope > 0 ? (slope < 1 ? slope : 1) : 0;
    // One more step for 1 - slope.
    upperConstant = nextUp(nextUp(Math.max(-upperSlope * l, (1 - upperSlope) * h, 0)));
  }
  lines[place] = lowerSlope;
  lines[places + place] = 0;
  lines[2 * places + place] = upperSlope;
  lines[3 * places + place] = upperConstant;
}

/**
 * Cuts a box in place by a half-space w . x + c >= 0, w in `workspace.overInput`. `most` is an upper bound of w . x + c on the
 * box: w_j x_j is at least what is left of it, so x_j is within most / |w_j| of its best end.
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

/**
 * A lane's row, sign h_u <= w . x + k, among those kept: what `most` leaves of it in the box's best corner, rounded up.
 */
function keepRow(region: Region, workspace: Workspace, u: number, lane: number, most: number, box: Box, sign: number) {
  const { width, features, factor, underflow, network: { reach } } = region, { lower, upper } = box;
  const { laneSlopes, rowsAbove, rowsBelow, constantsAbove, constantsBelow } = workspace;
  const rows = sign > 0 ? rowsAbove : rowsBelow;
  let rest = most, mass = Math.abs(most);
  for (let j = 0, at = u * features, k = 8 * width + lane; j < features; j++, at++, k += 8) {
    const w = -laneSlopes[k];
    rest -= w > 0 ? w * upper[j] : w * lower[j];
    mass += Math.abs(w) * reach[j];
    rows[at] = sign * w;
  }
  const constant = -settleWith(factor, -rest, mass, underflow);
  if (sign > 0) constantsAbove[u] = constant;
  else constantsBelow[u] = -constant;
}
