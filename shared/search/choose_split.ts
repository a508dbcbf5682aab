import type { Bounding } from "./bound_piece.ts";
import type { Split } from "./piece.ts";
import { isSmall, type Region } from "./region.ts";
import type { Bounded } from "./push_down.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Where to cut a piece, by what its last bound left in the workspace; null where every unit is decided. Any split is sound.
 *
 * Each open unit has a weight: what its relaxation may cost. On few inputs a unit is cut where that leaves the least weight on
 * both sides (where it `hasRows` in the workspace); else where the weight itself, with the square of its coefficient, is largest.
 */
export function chooseSplit(
  { region, objective, workspace }: Bounding,
  piece: Bounded,
  hasRows: boolean,
): Split | null {
  const { overGated, overUnit, weights } = workspace, { phases, gradients, heights } = piece;
  const looks = hasRows && isSmall(region), open: number[] = [];
  for (let u = 0; u < region.width; u++) {
    if (phases[u] !== 0) continue;
    open.push(u);
    weights[u] = objective.aim.kind === "value"
      ? triangle(Math.abs(overUnit[u]), heights.lower[u], heights.upper[u])
      : (looks ? Math.abs(overGated[u]) : overGated[u] * overGated[u]) *
        cubicArea(gradients.lower[u], gradients.upper[u]);
    // Of a unit without width; sorting must not meet a NaN.
    if (!(weights[u] >= 0)) weights[u] = 0;
    if (weights[u] === Infinity) weights[u] = Number.MAX_VALUE;
  }
  if (open.length === 0) return null;
  open.sort((a, b) => weights[b] > weights[a] ? 1 : weights[b] < weights[a] ? -1 : a - b);
  return { kind: "unit", unit: looks ? leastLeft(region, workspace, piece, open) : open[0] };
}

/** Units that are tried: those of most weight. */
const TRIED = 48;

/** The largest gap between r and its chord, h in [l, u]. */
function triangle(size: number, l: number, u: number): number {
  return u > l ? size * -l * u / (u - l) : 0;
}

/**
 * The area of {(p, d p)}, p in [a, b] and d in [0, 1], times the largest |p|. The area alone is what a split takes from g's
 * relaxation; that units of large |p| count for more was measured: their phases decide more of the others'.
 */
function cubicArea(a: number, b: number): number {
  const size = Math.max(-a, b);
  return a < 0 && b > 0 ? size * (b - a) * (b - a) : size * Math.abs(b * b - a * a);
}

/**
 * The unit whose two sides leave the least weight: on each the box is cut by the unit's row, and where the rows kept in the workspace then have
 * h_v in a part r of its interval v counts for r^2 of its weight, for nothing where its phase is decided.
 *
 * Plain arithmetic: a choice, no proof. Cost: about 4 U n multiplications a unit that is tried.
 */
function leastLeft(
  { features }: Region,
  workspace: Workspace,
  { box, heights }: Bounded,
  open: readonly number[],
): number {
  const { rowsAbove, rowsBelow, constantsAbove, constantsBelow, weights, lookLower, lookUpper } = workspace;
  const weightLeft = (unit: number, phase: number): number => {
    lookLower.set(box.lower);
    lookUpper.set(box.upper);
    const rows = phase > 0 ? rowsAbove : rowsBelow, constants = phase > 0 ? constantsAbove : constantsBelow;
    if (!cutBox(workspace, rows, unit * features, phase, phase * constants[unit])) return 0;
    let sum = 0;
    for (const v of open) {
      if (v === unit) continue;
      let h = constantsAbove[v], l = constantsBelow[v];
      for (let j = 0, at = v * features; j < features; j++, at++) {
        const above = rowsAbove[at], below = rowsBelow[at];
        h += above > 0 ? above * lookUpper[j] : above * lookLower[j];
        l += below > 0 ? below * lookLower[j] : below * lookUpper[j];
      }
      const low = heights.lower[v], high = heights.upper[v];
      if (h > high) h = high;
      if (l < low) l = low;
      if (l >= 0 || h <= 0) continue;
      const part = high > low ? (h - l) / (high - low) : 1;
      sum += weights[v] * part * part;
    }
    return sum;
  };
  let best = open[0], least = Infinity;
  for (const unit of open.slice(0, TRIED)) {
    const sum = weightLeft(unit, 1) + weightLeft(unit, -1);
    if (sum < least) [best, least] = [unit, sum];
  }
  return best;
}

/** Cuts the box in `lookLower` and `lookUpper` by sign (row . x) + constant >= 0, row at `from`; false where nothing is left. */
function cutBox(
  { lookLower: lower, lookUpper: upper }: Workspace,
  rows: Float64Array,
  from: number,
  sign: number,
  constant: number,
): boolean {
  let most = constant;
  for (let j = 0; j < lower.length; j++) {
    const w = sign * rows[from + j];
    most += w > 0 ? w * upper[j] : w * lower[j];
  }
  if (most < 0) return false;
  for (let j = 0; j < lower.length; j++) {
    const w = sign * rows[from + j];
    if (w > 0) lower[j] = Math.max(lower[j], upper[j] - most / w);
    else if (w < 0) upper[j] = Math.min(upper[j], lower[j] - most / w);
  }
  return true;
}
