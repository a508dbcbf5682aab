import type { Box } from "../numeric/box.ts";
import { ascend, usualMultipliers } from "./ascend.ts";
import { boundEntries, boundGradients, prepareLines } from "./gradients.ts";
import { aliveOn, type Objective, valueCharge } from "./objective.ts";
import type { Piece } from "./piece.ts";
import { boundHeights } from "./preactivations.ts";
import { isSmall, type Region } from "./region.ts";
import { type Bounded, pushDown, settlePushed, type Sum } from "./push_down.ts";
import { keepCoefficients, keepEntries, keepExact, type Trace } from "./trace.ts";
import { weighingOf } from "./weighing.ts";
import type { Workspace } from "./workspace.ts";

/** A piece before it is bounded. */
export type Part = Omit<Piece, "split" | "rival">;

/** One objective over a region, ready to be bounded on pieces; `scale` is the size of the objective. */
export interface Bounding {
  readonly region: Region;
  readonly objective: Objective;
  readonly workspace: Workspace;
  readonly scale: number;
}

/**
 * A piece with its bound: never above what it was split from. Null where it is proved empty. `entries` are bounds of J over what
 * was split (norms only). `trace`: takes what a record needs.
 */
export function boundPart(
  bounding: Bounding,
  part: Part,
  entries: Box | null,
  level: number,
  trace: Trace | null = null,
): Part | null {
  const { region, objective, workspace, scale } = bounding, { kind } = objective.aim;
  const { multipliers } = workspace;
  loadMultipliers(region, workspace, part);
  const renew = boundsHeights(region) || part.box !== null;
  const piece: Bounded = {
    box: renew ? copyOf(part.box ?? region.box) : region.box,
    phases: part.phases.slice(),
    heights: renew ? copyOf(part.heights) : part.heights,
    gradients: kind === "value" ? part.gradients : copyOf(part.gradients),
  };
  if (trace) {
    trace.piece = piece;
    trace.isValue = kind === "value";
    if (renew) trace.lowerSlopes = multipliers.slice(2 * region.width, 3 * region.width);
  }
  if (!tie(region, piece.phases)) return null;
  if (renew && !boundHeights(region, workspace, piece, multipliers, trace)) return null;
  if (!tie(region, piece.phases)) return null;
  const signs = part.signs.slice(), isDecided = piece.phases.every((phase) => phase !== 0);
  if (kind !== "value") boundGradients(region, objective, workspace, piece);
  if (kind === "norm") {
    workspace.entryLower.set(entries!.lower);
    workspace.entryUpper.set(entries!.upper);
    // Where nothing is open rows are exact, and intervals are not.
    boundEntries(region, objective, workspace, { ...piece, signs }, isDecided);
    if (trace) keepEntries(trace, workspace);
  }
  const weighing = objective.among.length > 1 ? weighingOf(region, objective, part.weights) : null;
  const target = level - NEAR * scale, fixed = weighing?.sum() ?? sumOf(bounding, signs);
  ascend(region, objective, workspace, piece, fixed, target, scale, weighing);
  const sum = weighing?.sum() ?? fixed;
  pushDown(region, objective, workspace, piece, sum, multipliers);
  let found = settlePushed(region, objective, workspace, piece, sum);
  const weights = weighing?.weights() ?? null;
  if (trace) keepCoefficients(trace, workspace, found, weights);
  if (kind === "norm" && found > level && found <= NOUGHT * scale && isNought(bounding, piece)) {
    found = 0;
    if (trace) keepExact(trace, found);
  }
  if (isDecided && found > level) {
    // Half-spaces that meet inside add to a value that is exact without them.
    multipliers.fill(0, 3 * region.width);
    pushDown(region, objective, workspace, piece, sum, multipliers);
    const exact = settlePushed(region, objective, workspace, piece, sum);
    if (trace) keepCoefficients(trace, workspace, exact, weights);
    found = Math.min(found, exact);
    if (kind === "entry") {
      const alive = settleAlive(bounding, piece, sum);
      if (trace) keepCoefficients(trace, workspace, alive, weights);
      found = Math.min(found, alive);
    }
  }
  if (trace) trace.empty = null;
  return {
    ...part,
    ...piece,
    box: renew ? piece.box : null,
    upper: found < part.upper ? found : part.upper,
    signs,
    weights: weights ?? part.weights,
    multipliers: Float32Array.from(multipliers),
  };
}

/** The settled bound of an entry with the charges of what is alive: an entry that is exactly 0 is bounded by 0. */
function settleAlive({ region, objective, workspace }: Bounding, piece: Bounded, sum: Sum): number {
  const { aim } = objective;
  if (aim.kind !== "entry") return Infinity;
  const alive = aliveOn(region, objective, piece.phases);
  return settlePushed(region, alive, workspace, piece, { ...sum, charge: alive.entryCharges[aim.feature] });
}

/** Bounds so small are looked at, by the objective's size: they may be what rounding makes of 0. */
const NOUGHT = 2 ** -24;

/** Whether no unit that is alive on the piece leads to an input: then J is exactly 0. */
function isNought({ region, objective }: Bounding, { phases }: Bounded): boolean {
  return aliveOn(region, objective, phases).entryCharges.every((charge) => charge === 0);
}

/** An ascent ends where its value is so far below the level, by the objective's size: what rounding takes is less. */
const NEAR = 2 ** -36;

function loadMultipliers(region: Region, { multipliers }: Workspace, { multipliers: stored }: Part): void {
  if (stored.length === 0) usualMultipliers(region, multipliers);
  else multipliers.set(stored);
}

/** Whether rows bound all h again on every piece: where that costs no more than some ascents. */
export function boundsHeights({ width, features }: Pick<Region, "width" | "features">): boolean {
  const rows = 2 * width * width * (features + width / 4), ascents = 10 * (4 * width * features + 2 * width * width);
  return rows <= (isSmall({ features }) ? 10 : 3) * ascents;
}

/** The kinks of one neuron ascend: above a later one it is above the earlier, below an earlier one below the later. */
function tie({ network: { units } }: Region, phases: Int8Array): boolean {
  for (let u = 0; u + 1 < units.length; u++) {
    const a = units[u], b = units[u + 1];
    if (a.activation !== b.activation || a.index !== b.index) continue;
    if (phases[u + 1] > 0) {
      if (phases[u] < 0) return false;
      phases[u] = 1;
    }
    if (phases[u] < 0) phases[u + 1] = -1;
  }
  return true;
}

/**
 * The aim as a sum over the piece; of a norm with chords of |J_j| over the workspace's entries.
 *
 * The sign of an entry is what was first found of it: a record tells entries only until then (`trace.ts`), so that which line
 * of |J_j| was taken must not depend on what is found later.
 */
export function sumOf({ region, objective, workspace }: Bounding, signs: Int8Array): Sum {
  const { aim, direct, seed, entryCharges } = objective, { width, features, byFeature } = region;
  const { start, slopes, entryLower, entryUpper } = workspace;
  if (aim.kind === "value") {
    return {
      gated: null,
      units: seed,
      inputs: direct,
      constant: objective.constant,
      charge: valueCharge(region, objective),
    };
  }
  if (aim.kind === "entry") {
    const j = aim.feature;
    for (let u = 0; u < width; u++) start[u] = byFeature[j * width + u];
    return { gated: start, units: null, inputs: null, constant: direct[j], charge: entryCharges[j] };
  }
  let constant = 0, charge = 0;
  for (let j = 0; j < features; j++) {
    const a = entryLower[j], b = entryUpper[j];
    let slope = 1;
    if (signs[j] < 0) slope = -1;
    else if (signs[j] === 0) {
      slope = (a + b) / (b - a);
      if (!(slope >= -1 && slope <= 1)) slope = 0;
      // Any slope: the largest of |z| - slope z stands at an end.
      const height = Math.max((1 - slope) * b, (-1 - slope) * a);
      constant += height;
      charge += height;
    }
    slopes[j] = slope;
    constant += slope * direct[j];
    charge += entryCharges[j];
  }
  region.vectors.products(start, 0, region.byUnit, slopes, 0);
  return { gated: start, units: null, inputs: null, constant, charge: charge * 1.000001 };
}

/** Bounds of J over a bounded piece, by rows: what the parts of its next split begin with. */
export function entriesOf({ region, objective, workspace }: Bounding, piece: Piece): Box {
  const { entries } = objective;
  workspace.entryLower.set(entries.lower);
  workspace.entryUpper.set(entries.upper);
  prepareLines(region, workspace, piece);
  boundEntries(region, objective, workspace, { ...piece, signs: piece.signs.slice() }, true);
  return { lower: workspace.entryLower.slice(), upper: workspace.entryUpper.slice() };
}

export function copyOf({ lower, upper }: Box): Box {
  return { lower: lower.slice(), upper: upper.slice() };
}
