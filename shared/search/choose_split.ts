import type { Bounding } from "./bound_piece.ts";
import type { Piece, Split } from "./piece.ts";
import { isSmall, type Region } from "./region.ts";
import type { Bounded } from "./push_down.ts";
import type { Workspace } from "./workspace.ts";

/** Of more inputs the halves of a box differ too little from it. */
export const MOST_SPLIT_INPUTS = 16;

/** Every so many splits both kinds are made; the better one is kept to until the next time. */
export const COMPARED_EVERY = 16;

/** Where to cut a piece, of the kind it prefers; and of the other kind where both are to be compared. */
export function splitsOf(
  bounding: Bounding,
  piece: Bounded & Pick<Piece, "prefers" | "depth">,
  hasRows: boolean,
  every: number,
): Pick<Piece, "split" | "rival"> {
  const split = chooseSplit(bounding, piece, hasRows);
  if (split === null || !hasRows || every === Infinity || !splitsInputs(bounding.region)) return { split, rival: null };
  if (piece.depth % every === every - 1) return { split, rival: chooseHalves(bounding, piece) };
  return { split: (piece.prefers === "input" ? chooseHalves(bounding, piece) : null) ?? split, rival: null };
}

export function splitsInputs({ features }: Pick<Region, "features">): boolean {
  return features <= MOST_SPLIT_INPUTS;
}

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

/** The unit whose two sides leave the least weight: on each the box is cut by the unit's row. A choice, no proof. */
function leastLeft({ features }: Region, workspace: Workspace, piece: Bounded, open: readonly number[]): number {
  const { rowsAbove, rowsBelow, constantsAbove, constantsBelow, lookLower, lookUpper } = workspace;
  const sideLeft = (unit: number, phase: number): number => {
    lookLower.set(piece.box.lower);
    lookUpper.set(piece.box.upper);
    const rows = phase > 0 ? rowsAbove : rowsBelow, constants = phase > 0 ? constantsAbove : constantsBelow;
    if (!cutBox(workspace, rows, unit * features, phase, phase * constants[unit])) return 0;
    return weightLeft(features, workspace, piece, open, unit);
  };
  let best = open[0], least = Infinity;
  for (const unit of open.slice(0, TRIED)) {
    const sum = sideLeft(unit, 1) + sideLeft(unit, -1);
    if (sum < least) [best, least] = [unit, sum];
  }
  return best;
}

/** The input whose halves leave the least weight, by the weights of the last {@link chooseSplit}; null: none can be halved. */
function chooseHalves({ region: { features }, workspace }: Bounding, piece: Bounded): Split | null {
  const { lookLower, lookUpper } = workspace, { box: { lower, upper }, phases } = piece;
  const open = Array.from(phases.keys()).filter((u) => phases[u] === 0);
  let split: Split | null = null, least = Infinity;
  for (let feature = 0; feature < features; feature++) {
    const at = lower[feature] / 2 + upper[feature] / 2;
    if (!(lower[feature] < at && at < upper[feature])) continue;
    let sum = 0;
    for (const side of [lookLower, lookUpper]) {
      lookLower.set(lower);
      lookUpper.set(upper);
      side[feature] = at;
      sum += weightLeft(features, workspace, piece, open, -1);
    }
    if (sum < least) [split, least] = [{ kind: "input", feature, at }, sum];
  }
  return split;
}

/**
 * What is left of the open units' weights, but for one, on the box that is tried: where the rows kept in the workspace have h_v in
 * a part r of its interval v counts for r^2 of its weight, for nothing where its phase is decided.
 *
 * Plain arithmetic. Cost: about 2 U n multiplications.
 */
function weightLeft(
  features: number,
  { rowsAbove, rowsBelow, constantsAbove, constantsBelow, weights, lookLower, lookUpper }: Workspace,
  { heights }: Bounded,
  open: readonly number[],
  without: number,
): number {
  let sum = 0;
  for (const v of open) {
    if (v === without) continue;
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
