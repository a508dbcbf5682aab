import type { Box } from "../numeric/box.ts";
import { ratioToNumber } from "../numeric/dyadic.ts";
import { boxMaximum, isInside, rowsInside } from "./empty.ts";
import type { ExactForm } from "./exact_form.ts";
import { exactRoom } from "./exact_simplex.ts";
import type { HalfSpaces } from "./half_spaces.ts";
import { combinedSlopes, moves, provesNoInterior, type UnitForm, unitForm } from "./no_interior.ts";
import { roomiest } from "./polytope.ts";

/** A piece of the region on which every neuron has its phase: all of them are half-spaces. */
export interface Leaf {
  readonly box: Box;
  /** The half-spaces in floating point, and how far each may be from the truth on the box: |h_i - (a_i . x + b_i)| <= e_i. */
  readonly halfSpaces: HalfSpaces;
  readonly errors: Float64Array;
  /** The true h_i, exactly and up to a positive factor; null where it cannot be had. Asked for only where it decides. */
  readonly exactRow: (i: number) => ExactForm | null;
}

/**
 * `empty`: no point of the box has all h_i >= 0. `thin`: the points that have are no neighbourhood of one, relative to the
 * box; `point` is within rounding of one that has the `rows` in doubt, perhaps not the others. `inside`: there is a
 * neighbourhood; `point` is in it or within rounding of it (exactly in it where `isExact`). Each is proved, in outward
 * arithmetic by `multipliers` of all half-spaces where there are any, else by an exact program over `rows`. `unknown`: a limit
 * or a missing row.
 */
export type Decision =
  | { readonly kind: "empty"; readonly rows: readonly number[]; readonly multipliers?: Float64Array }
  | { readonly kind: "thin"; readonly rows: readonly number[]; readonly point: Float64Array }
  | { readonly kind: "inside"; readonly point: Float64Array; readonly isExact: boolean }
  | { readonly kind: "unknown" };

export interface LeafLimits {
  /** Exact rows, free coordinates and pivots of one exact program, and how often rows or coordinates are added. */
  readonly rows: number;
  readonly coordinates: number;
  readonly pivots: number;
  readonly rounds: number;
}

export const LEAF_LIMITS: LeafLimits = { rows: 48, coordinates: 96, pivots: 400, rounds: 24 };

const UNKNOWN: Decision = { kind: "unknown" };

/**
 * Has a leaf an interior? Floating point proposes and outward rounding proves what is clear; where the room is within
 * rounding of 0 an exact program over the rows in doubt decides, which grows until it proves either side.
 *
 * Rounding: none in what is answered. Cost: that of `roomiest`; an exact program some ms for a dozen rows.
 * Source: shared/README.md (24)
 */
export function decideLeaf(leaf: Leaf, limits: LeafLimits = LEAF_LIMITS): Decision {
  const { halfSpaces, errors, box } = leaf;
  const { point, multipliers } = roomiest(halfSpaces, box);
  if (boxMaximum(halfSpaces, errors, box, multipliers) < 0) {
    return { kind: "empty", rows: placesOf(multipliers), multipliers };
  }
  if (isInside(halfSpaces, errors, box, point)) return { kind: "inside", point, isExact: true };
  return decideExactly(leaf, point, multipliers, limits);
}

function placesOf(multipliers: Float64Array): number[] {
  return Array.from(multipliers.keys()).filter((i) => multipliers[i] > 0);
}

/** The exact program: the rows in doubt, over the coordinates that are free; the others stand at an end of the box. */
function decideExactly(leaf: Leaf, start: Float64Array, multipliers: Float64Array, limits: LeafLimits): Decision {
  const { halfSpaces, errors, box } = leaf, { lower, upper } = box;
  const forms = new Map<number, UnitForm>(), still = new Set<number>(), free = new Set<number>();
  const atUpper = start.map((x, j) => (x - lower[j] > upper[j] - x ? 1 : 0));
  let wanted = new Set(placesOf(multipliers));
  rowsInside(halfSpaces, errors, start, null).forEach((holds, i) => holds || wanted.add(i));
  for (let round = 0; round < limits.rounds; round++) {
    for (const i of wanted) {
      const exact = forms.size < limits.rows && !still.has(i) ? leaf.exactRow(i) : null;
      if (exact === null) return UNKNOWN;
      const form = unitForm(exact, box);
      if (moves(form)) forms.set(i, form);
      else if (form.value < 0n) return { kind: "empty", rows: [i] };
      else still.add(i);
      form.slopes.forEach((slope, j) => slope !== 0n && lower[j] < start[j] && start[j] < upper[j] && free.add(j));
    }
    if (forms.size === 0) return { kind: "inside", point: start, isExact: true };
    const rows = [...forms.keys()].sort((a, b) => a - b), list = rows.map((i) => forms.get(i)!);
    const found = exactProgram(list, free, atUpper, limits);
    if (found === null) return UNKNOWN;
    const proposed = (program: Program) => {
      const isMet = (j: number) => list.some(({ slopes }) => slopes[j] !== 0n);
      return pointFrom(program, box, start.map((x, j) => (!isMet(j) ? x : atUpper[j] === 1 ? upper[j] : lower[j])));
    };
    if (found.sign === 1) {
      const point = proposed(found);
      const inside = rowsInside(halfSpaces, errors, point, box);
      wanted = new Set([...inside.keys()].filter((i) => !inside[i] && !forms.has(i) && !still.has(i)));
      if (wanted.size === 0) return { kind: "inside", point, isExact: false };
      continue;
    }
    const proof = provesNoInterior(list, found.multipliers);
    const proving = rows.filter((_, k) => found.multipliers[k] > 0n);
    if (proof === "empty") return { kind: proof, rows: proving };
    if (proof === "thin") return { kind: proof, rows: proving, point: proposed(found) };
    // The fixed coordinates that would raise the sum at their other end are free from now on.
    combinedSlopes(list, found.multipliers).forEach((slope, j) => {
      if (atUpper[j] === 1 ? slope < 0n : slope > 0n) free.add(j);
    });
    wanted = new Set();
  }
  return UNKNOWN;
}

interface Program {
  readonly sign: -1 | 0 | 1;
  readonly multipliers: readonly bigint[];
  /** Values of the free coordinates in [0, 1], from the lower ends on. */
  readonly shares: ReadonlyMap<number, readonly [bigint, bigint]>;
}

function exactProgram(
  forms: readonly UnitForm[],
  free: ReadonlySet<number>,
  atUpper: ArrayLike<number>,
  limits: LeafLimits,
): Program | null {
  const coordinates = [...free].sort((a, b) => a - b);
  if (coordinates.length > limits.coordinates) return null;
  const rows = forms.map(({ slopes, value }) => {
    let corner = value;
    for (let j = 0; j < slopes.length; j++) if (atUpper[j] === 1) corner += slopes[j];
    return [...coordinates.map((j) => (atUpper[j] === 1 ? -slopes[j] : slopes[j])), corner];
  });
  const room = exactRoom(rows, limits.pivots);
  if (room === null) return null;
  const shares = new Map(coordinates.map((j, k) => {
    const share = atUpper[j] === 1 ? room.denominator - room.point[k] : room.point[k];
    return [j, [share, room.denominator] as const];
  }));
  return { sign: room.sign, multipliers: room.multipliers, shares };
}

/** A double next to the program's point: share within 4 u, width and product 2 u of at most 2 max(|l|, |u|), the sum u. */
function pointFrom({ shares }: Program, { lower, upper }: Box, others: Float64Array): Float64Array {
  return lower.map((l, j) => {
    const share = shares.get(j);
    if (share === undefined) return others[j];
    return Math.min(Math.max(l + ratioToNumber(...share) * (upper[j] - l), l), upper[j]);
  });
}
