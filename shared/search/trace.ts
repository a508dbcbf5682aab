/** What bounding a piece leaves for a record, taken from the workspace on the way; nothing here changes a bound. */
import { type Emptiness, numbersIn, type PieceRecord, type RecordedTree } from "../certificate/search_record.ts";
import { finiteOrNull } from "../certificate/finding.ts";
import type { Decision } from "../linear/decide_leaf.ts";
import type { Box } from "../numeric/box.ts";
import type { Aim } from "./objective.ts";
import type { Piece, Split } from "./piece.ts";
import type { Bounded } from "./push_down.ts";
import type { Region } from "./region.ts";
import type { RecordedPart } from "./tree.ts";
import type { Workspace } from "./workspace.ts";

/** Of one piece, filled in while it is bounded. */
export interface Trace {
  /** As it is bounded: its arrays are written to until it is done. Of a value bounds of p are nothing. */
  piece: Bounded | null;
  isValue: boolean;
  /** [U]: see {@link PieceRecord}. */
  lowerSlopes: Float64Array | null;
  /** [n]: bounds of J that its chords stand on. */
  entries: Box | null;
  /** The least value so far, and what it follows from. */
  value: number;
  overGradients: Float64Array | null;
  overHeights: Float64Array | null;
  /** Of a value that is the least of several outputs. */
  weights: Float64Array | null;
  /** The value is that of the gradient, which is one matrix. */
  isExact: boolean;
  empty: Emptiness | null;
}

/** Of a piece that nothing is known of: a contradiction of its phases ends it unless something else is kept. */
export function newTrace(): Trace {
  return {
    piece: null,
    isValue: false,
    lowerSlopes: null,
    entries: null,
    value: Infinity,
    overGradients: null,
    overHeights: null,
    weights: null,
    isExact: false,
    empty: { by: "phases" },
  };
}

/** Of a piece that was bounded before and is settled now. */
export function traceOf(piece: Bounded, isValue: boolean): Trace {
  return { ...newTrace(), piece, isValue, empty: null };
}

/** Takes over the coefficients in the workspace, which were settled with this value, if it is the least. */
export function keepCoefficients(
  trace: Trace,
  { overGradient, overHeight }: Workspace,
  value: number,
  weights: Float64Array | null,
): void {
  if (!(value < trace.value)) return;
  trace.value = value;
  trace.overGradients = overGradient.slice();
  trace.overHeights = overHeight.slice();
  trace.weights = weights?.slice() ?? null;
  trace.isExact = false;
}

/** The value of the gradient itself, if it is the least. */
export function keepExact(trace: Trace, value: number): void {
  if (!(value < trace.value)) return;
  trace.value = value;
  trace.isExact = true;
}

/** Bounds of J in the workspace. */
export function keepEntries(trace: Trace, { entryLower, entryUpper }: Workspace): void {
  trace.entries = { lower: entryLower.slice(), upper: entryUpper.slice() };
}

/** The row of sign h_unit proves that the piece holds nothing. */
export function keepRowOf(trace: Trace, unit: number, sign: number): void {
  trace.empty = { by: "row", unit, sign };
}

/** A leaf holds nothing, or nothing with an interior: half-spaces of some units prove it by multipliers, or an exact program does. */
export function keepDecision(trace: Trace, units: readonly number[], decision: Decision): void {
  const { kind } = decision;
  if (kind !== "empty" && kind !== "thin") return;
  if (kind === "empty" && decision.multipliers) keepHalfSpaces(trace, units, decision.multipliers);
  else trace.empty = { by: "exact", units: decision.rows.map((i) => units[i]), thin: kind === "thin" };
}

/** A leaf of a region without interior has none in the space around. */
export function keepThin(trace: Trace, units: readonly number[]): void {
  trace.empty = { by: "exact", units: [...units], thin: true };
}

/** Half-spaces of some units prove it, by multipliers one each. */
export function keepHalfSpaces(trace: Trace, units: readonly number[], multipliers: ArrayLike<number>): void {
  const used = Array.from(units.keys()).filter((i) => multipliers[i] > 0);
  trace.empty = {
    by: "half_spaces",
    units: used.map((i) => units[i]),
    multipliers: used.map((i) => multipliers[i]),
  };
}

/**
 * The record of a part of `parent` (null: the region), which was bounded with this trace. Side 0 or 1 of the parent's split.
 * `bound`: what it came to.
 */
export function recordOf(
  region: Region,
  parent: Piece | null,
  tree: number,
  side: number,
  trace: Trace,
  bound: number,
): Omit<RecordedPart, "child"> {
  const { piece, isValue, entries, lowerSlopes, overGradients, overHeights, weights, isExact, value, empty } = trace;
  if (piece === null) throw new RangeError("Cannot record: nothing was bounded");
  const box = parent?.box ?? region.box, split = parent?.split ?? null;
  const record: RecordedPart["record"] = {
    tree,
    cut: split === null ? null : cutOf(split, side),
    ...(!areSame(piece.box, box) && { box: jsonOf(piece.box) }),
    ...(!(parent && same(piece.phases, parent.phases)) && { phases: Array.from(piece.phases) }),
    ...(!(parent && areSame(piece.heights, parent.heights)) && { heights: jsonOf(piece.heights) }),
    ...(!isValue && !(parent && areSame(piece.gradients, parent.gradients)) && { gradients: jsonOf(piece.gradients) }),
    ...(entries && { entries: entriesOf(entries, parent) }),
    ...(lowerSlopes && { lower_slopes: Array.from(lowerSlopes) }),
    ...(empty === null && value <= bound && isExact && { exact: true as const }),
    ...(empty === null && value <= bound && !isExact && overGradients && overHeights && {
      over_gradients: Array.from(overGradients),
      over_heights: Array.from(overHeights),
      ...(weights && { weights: Array.from(weights) }),
    }),
    bound: finiteOrNull(bound),
    ...(empty && { empty }),
  };
  return { record, numbers: numbersIn(record) };
}

/** A tree as a record names it. */
export function recordedTree(aim: Aim, bound: number): RecordedTree {
  return {
    aim: aim.kind,
    row: Array.from(aim.row),
    ...(aim.kind === "value" && aim.among && { among: [...aim.among] }),
    ...(aim.kind === "entry" && { feature: aim.feature }),
    bound: finiteOrNull(bound),
  };
}

function cutOf(split: Split, side: number): PieceRecord["cut"] {
  if (split.kind === "unit") return { unit: split.unit, phase: side === 0 ? 1 : -1 };
  return { feature: split.feature, at: split.at, side: side === 0 ? "lower" : "upper" };
}

/** Of the features whose sign the parent left open. */
function entriesOf({ lower, upper }: Box, parent: Piece | null): PieceRecord["entries"] {
  const features = Array.from(lower.keys()).filter((j) => parent === null || parent.signs[j] === 0);
  return {
    features,
    lower: features.map((j) => finiteOrNull(lower[j])),
    upper: features.map((j) => finiteOrNull(upper[j])),
  };
}

function jsonOf({ lower, upper }: Box): { readonly lower: (number | null)[]; readonly upper: (number | null)[] } {
  return { lower: Array.from(lower, finiteOrNull), upper: Array.from(upper, finiteOrNull) };
}

function areSame(a: Box, b: Box): boolean {
  return a === b || (same(a.lower, b.lower) && same(a.upper, b.upper));
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
