import type { Box } from "../numeric/box.ts";
import { addDown, addUp, nextUp, settleWith } from "../numeric/rounding.ts";
import type { Rank, Region } from "./region.ts";
import type { Bounded } from "./relaxed_pass.ts";
import type { Workspace } from "./workspace.ts";

/** Units whose rows are walked together: lanes of one call. */
const TOGETHER = 4;

/**
 * Bounds of all h_u over a piece by rows, from the input on, in place; units whose sign they decide get their phase. The row of a
 * decided unit is a half-space that the box is cut by. False: the piece is proved empty.
 *
 * r_v lies above alpha h_v (`multipliers`) and below its chord, x_j between its ends: a row over g with other lines, so that
 * `Vectors.gatedRows` walks it.
 * Rounding: outward. Source: shared/README.md (6), (25); cost about 2 U (U^2 / 2 + U n) multiplications.
 */
export function boundHeights(region: Region, workspace: Workspace, piece: Bounded, multipliers: Float64Array): boolean {
  const { width, features, ranks, vectors, upward } = region, { asked, found, laneSlopes, upwardLines } = workspace;
  const lost = lostOf(region);
  prepareInputs(region, workspace, piece.box);
  for (const rank of ranks) {
    for (let first = rank.from; first < rank.end; first += TOGETHER) {
      const count = Math.min(TOGETHER, rank.end - first);
      for (let i = 0; i < count; i++) asked[i] = first + i;
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
      let isCut = false;
      for (let i = 0; i < count; i++) {
        const u = first + i, phase = piece.phases[u];
        const most = tighten(region, workspace, piece, u, i, lost);
        if (phase !== 0) {
          if (most < 0) return false;
          if (most < Infinity) {
            rowOverInput(region, workspace, rank, u, phase > 0 ? TOGETHER + i : i, phase);
            cut(piece.box, workspace, most);
            isCut = true;
          }
        }
        if (!decide(region, piece, u)) return false;
      }
      if (isCut) prepareInputs(region, workspace, piece.box);
    }
    for (let u = rank.from; u < rank.end; u++) {
      prepareUnit(width + features, width - 1 - u, upwardLines, piece, multipliers, u, width);
    }
  }
  return true;
}

/** What underflow may cost a row. */
function lostOf({ width, features, underflow, charges, network: { reach } }: Region): number {
  let largest = 1;
  for (let u = 0; u < width; u++) if (charges[u] > largest) largest = charges[u];
  for (let j = 0; j < features; j++) if (reach[j] > largest) largest = reach[j];
  return (width + features) * underflow * largest;
}

/** Meets the bounds of h_u with what was found of it; the upper bound of phase_u h_u. */
function tighten(
  { factor, charges, network: { bias } }: Region,
  { found }: Workspace,
  { heights: { lower, upper }, phases }: Bounded,
  u: number,
  i: number,
  lost: number,
): number {
  const at = 4 * i;
  const least = settleWith(factor, bias[u] + found[at], charges[u] + found[at + 1], lost);
  const most = -settleWith(factor, found[at + 2] - bias[u], charges[u] + found[at + 3], lost);
  if (least > lower[u]) lower[u] = least;
  if (most < upper[u]) upper[u] = most;
  return phases[u] > 0 ? most : -least;
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

/**
 * Coefficients over x above phase_u h_u, into `overInput`: a lane holds those below its negative.
 *
 * The lane summed them in another order: both are within gamma_(U+1) of the same sums, and what they differ by is inside the
 * radius, whose count has 3 U + n roundings more than the row. So the row's bound is also one for these.
 */
function rowOverInput(
  { width, features, inputs, byUnit, vectors }: Region,
  { laneSlopes, overHeight, overInput }: Workspace,
  { from }: Rank,
  u: number,
  lane: number,
  phase: number,
): void {
  overHeight.fill(0);
  for (let v = 0; v < from; v++) overHeight[v] = -laneSlopes[8 * (width - 1 - v) + lane];
  for (let j = 0; j < features; j++) overInput[j] = phase * inputs[u * features + j];
  vectors.combine(overInput, 0, byUnit, overHeight, 0);
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
function cut({ lower, upper }: Box, { overInput }: Workspace, most: number): void {
  for (let j = 0; j < lower.length; j++) {
    const w = overInput[j];
    if (w === 0) continue;
    const reach = nextUp(most / Math.abs(w));
    if (w > 0) lower[j] = Math.max(lower[j], addDown(upper[j], -reach));
    else upper[j] = Math.min(upper[j], addUp(lower[j], reach));
  }
}
