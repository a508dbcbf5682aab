import { nextDown, nextUp, settleWith } from "../numeric/rounding.ts";
import type { Box } from "../numeric/box.ts";
import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";
import type { Workspace } from "./workspace.ts";

/** What bounds of gradients are about: a piece's phases and the bounds of p so far. */
export interface Gated {
  readonly phases: Int8Array;
  readonly gradients: Box;
}

/** The lines of g_u = p_u d_u for all units of a piece, into the workspace. Source: (7); a decided unit is p_u or 0. */
export function prepareLines({ width }: Region, { lines }: Workspace, piece: Gated): void {
  for (let u = 0; u < width; u++) prepareLine(width, lines, piece, u);
}

function prepareLine(width: number, lines: Float64Array, { phases, gradients }: Gated, u: number): void {
  let lowerSlope = 0, lowerConstant = 0, upperSlope = 0, upperConstant = 0;
  const a = gradients.lower[u], b = gradients.upper[u];
  if (phases[u] > 0) lowerSlope = upperSlope = 1;
  else if (phases[u] === 0) {
    if (a >= 0) upperSlope = 1;
    else if (b <= 0) lowerSlope = 1;
    else {
      upperSlope = clamp(b / (b - a));
      upperConstant = nextUp(Math.max(-upperSlope * a, (1 - upperSlope) * b));
      lowerSlope = clamp(-a / (b - a));
      lowerConstant = nextDown(Math.min(-lowerSlope * b, (1 - lowerSlope) * a));
      // One more step for 1 - slope.
      upperConstant = nextUp(upperConstant);
      lowerConstant = nextDown(lowerConstant);
    }
  }
  lines[u] = lowerSlope;
  lines[width + u] = lowerConstant;
  lines[2 * width + u] = upperSlope;
  lines[3 * width + u] = upperConstant;
}

function clamp(slope: number): number {
  return slope > 0 ? (slope < 1 ? slope : 1) : 0;
}

/**
 * Bounds of p over a piece, from the units nearest to the output on, intersected with those given; and the lines over them.
 * Units that are decided keep what they have: no row reads it.
 */
export function boundGradients(region: Region, objective: Objective, workspace: Workspace, piece: Gated): void {
  const { width, ranks, columns, factor } = region, { seed, charges } = objective, { lines, asked, found } = workspace;
  const { phases, gradients: { lower, upper } } = piece, lost = width * objective.underflow;
  for (let r = ranks.length - 1; r >= 0; r--) {
    const { from, end } = ranks[r];
    let count = 0;
    for (let u = from; u < end; u++) if (phases[u] === 0 && !(lower[u] === upper[u])) asked[count++] = u;
    askRows(region, objective, workspace, columns, end, count);
    for (let i = 0, at = 0; i < count; i++, at += 4) {
      const u = asked[i], e = end === width ? 0 : lost;
      const least = settleWith(factor, seed[u] + found[at], charges[u] + found[at + 1], e);
      const most = -settleWith(factor, found[at + 2] - seed[u], charges[u] + found[at + 3], e);
      if (least > lower[u]) lower[u] = least;
      if (most < upper[u]) upper[u] = most;
    }
    for (let u = from; u < end; u++) prepareLine(width, lines, piece, u);
  }
}

/**
 * Bounds of the entries of J into `entryLower` and `entryUpper`, intersected with what is there: by intervals, then, where the
 * sign is still open and `rows` asks for it, by rows. Entries whose sign is in `signs` are skipped; new signs are written there.
 */
export function boundEntries(
  region: Region,
  objective: Objective,
  workspace: Workspace,
  piece: Gated & { readonly signs: Int8Array },
  rows: boolean,
): void {
  const { width, features, byInput, isRead, factor, vectors } = region;
  const { direct, entryCharges, underflow } = objective, { phases, gradients, signs } = piece;
  const { entryLower, entryUpper, asked, found } = workspace;
  const least = workspace.gated, most = workspace.unit;
  for (let u = 0; u < width; u++) {
    const a = gradients.lower[u], b = gradients.upper[u], phase = phases[u];
    least[u] = phase > 0 ? a : phase < 0 ? 0 : Math.min(0, a);
    most[u] = phase > 0 ? b : phase < 0 ? 0 : Math.max(0, b);
  }
  const lost = width * underflow;
  let count = 0;
  for (let j = 0; j < features; j++) if (signs.length === 0 || signs[j] === 0) asked[count++] = j;
  vectors.intervals(found, asked, count, byInput, least, most);
  let open = 0;
  for (let i = 0; i < count; i++) {
    const j = asked[i], e = isRead[j] ? lost : 0;
    meet(j, direct[j] + found[2 * i], -direct[j] - found[2 * i + 1], entryCharges[j], entryCharges[j], e);
    if (entryLower[j] < 0 && entryUpper[j] > 0) asked[open++] = j;
  }
  if (rows && open > 0) {
    askRows(region, objective, workspace, byInput.numbers, 0, open);
    for (let i = 0, at = 0; i < open; i++, at += 4) {
      const j = asked[i], charge = entryCharges[j];
      meet(j, direct[j] + found[at], found[at + 2] - direct[j], charge + found[at + 1], charge + found[at + 3], lost);
    }
  }
  if (signs.length === 0) return;
  for (let j = 0; j < features; j++) {
    if (signs[j] === 0) signs[j] = entryLower[j] >= 0 ? 1 : entryUpper[j] <= 0 ? -1 : 0;
  }

  /** Lower bounds of J_j and of -J_j, met with what is known. */
  function meet(j: number, low: number, negative: number, mass: number, negativeMass: number, e: number): void {
    const l = settleWith(factor, low, mass, e), h = -settleWith(factor, negative, negativeMass, e);
    if (l > entryLower[j]) entryLower[j] = l;
    if (h < entryUpper[j]) entryUpper[j] = h;
  }
}

/**
 * The first `count` rows of `workspace.asked` of a matrix [any][U] over g, units from `first` on, and their negatives, by the
 * lines in the workspace: lower sums and masses into `workspace.found`. Source: (7), (25)
 */
function askRows(
  { width, vectors, rows, below }: Region,
  { seed, charges }: Objective,
  workspace: Workspace,
  matrix: Float64Array,
  first: number,
  count: number,
): void {
  workspace.seed.set(seed);
  workspace.charges.set(charges);
  vectors.gatedRows({
    out: workspace.found,
    rows: workspace.asked,
    count,
    matrix,
    first,
    inner: rows,
    stride: width,
    below,
    lines: workspace.lines,
    seed: workspace.seed,
    charges: workspace.charges,
    slopes: workspace.laneSlopes,
  });
}
