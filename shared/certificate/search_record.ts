/** What a search leaves for those who derive its bounds again: plain JSON, part of a certificate where it was asked for. */

/** Every bounded piece of every tree, with the network's units that they speak of. Source: shared/README.md, "Record" */
export interface SearchRecord {
  /** The units of the condensed network, in its order: node and place of the activation, and the kink. */
  readonly units: readonly { readonly activation: number; readonly index: number; readonly kink: number }[];
  readonly trees: readonly RecordedTree[];
  /** By age: a piece stands behind the one it was split from. */
  readonly pieces: readonly PieceRecord[];
}

/** What is maximised over the region, with the bound of one pass: that of the whole tree where no piece is in it. */
export interface RecordedTree {
  readonly aim: "norm" | "entry" | "value";
  /** The combination of the outputs; of a value that is the least of some, any. */
  readonly row: readonly number[];
  /** The outputs whose least is maximised. */
  readonly among?: readonly number[];
  /** Of an entry. */
  readonly feature?: number;
  readonly bound: Bound;
}

/** null: not finite. */
export type Bound = number | null;

export interface Bounds {
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
}

export type Cut =
  | { readonly unit: number; readonly phase: number }
  | { readonly feature: number; readonly at: number; readonly side: "lower" | "upper" };

/**
 * A bounded piece. A member that is absent is that of the piece it was split from, after the cut; of a root that of the region.
 *
 * Only pieces that no other names as its parent, and that are not empty, count for the bound of their tree.
 */
export interface PieceRecord {
  readonly tree: number;
  /** Position of the piece it was split from; null: the whole region. */
  readonly parent: number | null;
  /** null with a parent: nothing was left to split, the same part is bounded once more. */
  readonly cut: Cut | null;
  readonly box?: Bounds;
  /** [U]: 1, -1, or 0 where it is open, after bounding. */
  readonly phases?: readonly number[];
  /** [U]: bounds of h; and of p, but of values. */
  readonly heights?: Bounds;
  readonly gradients?: Bounds;
  /** Bounds of J, of a norm: for the features whose sign was not known yet. A sign once known stays. */
  readonly entries?: Bounds & { readonly features: readonly number[] };
  /** [U]: slopes of the lower lines of r with which rows bounded h; absent where h was not bounded again. */
  readonly lower_slopes?: readonly number[];
  /** [U]: the coefficients over p and over h that `bound` follows from; absent: it is that of the parent, or of one pass. */
  readonly over_gradients?: readonly number[];
  readonly over_heights?: readonly number[];
  /** Of the outputs a value is among, in `bound`: not negative, their sum is exactly 1. */
  readonly weights?: readonly number[];
  /** `bound` is the number of the gradient itself, rounded up: the phases leave one matrix. */
  readonly exact?: true;
  /** null where it is empty. */
  readonly bound: Bound;
  readonly empty?: Emptiness;
}

/** Why a piece holds nothing. */
export type Emptiness =
  /** Phases exclude one another (kinks of one neuron), or are excluded by bounds of h. */
  | { readonly by: "phases" }
  /**
   * sign h_unit stays below 0 (where that is its phase) or crosses the bound of the other side: its row over the units below, by
   * their lower slopes and by the chords over their heights.
   */
  | { readonly by: "row"; readonly unit: number; readonly sign: number }
  /** The sum of multipliers times phase_u h_u is below 0 on the whole box; h as a form of x under the piece's phases. */
  | { readonly by: "half_spaces"; readonly units: readonly number[]; readonly multipliers: readonly number[] }
  /**
   * An exact program over these half-spaces: no point, or (thin) no neighbourhood of one, which a gradient needs; of a region without
   * interior none in a box around: ends l - 1 - |l| and u + 1 + |u|.
   */
  | { readonly by: "exact"; readonly units: readonly number[]; readonly thin: boolean };

/** The bound of each tree by its pieces: the largest of those that end it. -Infinity: all were found empty. */
export function boundsOfTrees({ trees, pieces }: SearchRecord): number[] {
  const parents = new Set(pieces.map(({ parent }) => parent));
  const bounds = trees.map(({ bound }) => bound ?? Infinity), met = new Set<number>();
  pieces.forEach(({ tree, bound, empty }, at) => {
    if (!met.has(tree)) bounds[tree] = -Infinity;
    met.add(tree);
    if (!empty && !parents.has(at)) bounds[tree] = Math.max(bounds[tree], bound ?? Infinity);
  });
  return bounds;
}

/** What is wrong with a record on its own terms: pieces before their parents, parts that do not cover, bounds that rise. */
export function brokenRecord({ trees, pieces, units }: SearchRecord): string | null {
  const parts = new Map<number, (Cut | null)[]>(), roots = new Set<number>();
  for (const [at, { tree, parent, cut, bound, empty }] of pieces.entries()) {
    if (trees[tree] === undefined) return "its record has a piece of no tree";
    const above = parent === null ? trees[tree].bound : pieces[parent]?.bound;
    if (above === undefined || (!empty && (bound ?? Infinity) > (above ?? Infinity))) {
      return "its record has a bound that rises";
    }
    if (parent === null) {
      if (cut !== null || roots.has(tree)) return "its record has a tree of several roots";
      roots.add(tree);
      continue;
    }
    if (parent >= at || pieces[parent].tree !== tree || pieces[parent].empty) {
      return "its record has a piece without what it was split from";
    }
    parts.set(parent, [...parts.get(parent) ?? [], cut]);
  }
  for (const cuts of parts.values()) if (!cover(cuts, units.length)) return "its record has parts that do not cover";
  return null;
}

/** The two sides of one cut, or the whole? */
function cover([one, other, ...more]: readonly (Cut | null)[], width: number): boolean {
  if (one === null) return other === undefined;
  if (!other || more.length > 0) return false;
  if ("unit" in one) {
    return "unit" in other && one.unit === other.unit && one.unit < width && one.phase * other.phase === -1;
  }
  return "feature" in other && one.feature === other.feature && one.at === other.at && one.side !== other.side;
}

/** How many numbers a piece holds: those of its arrays, and some for the rest. */
export function numbersIn(piece: Omit<PieceRecord, "parent">): number {
  const { box, phases, heights, gradients, entries, lower_slopes, over_gradients, over_heights, weights, empty } =
    piece;
  const pairs = [box, heights, gradients].map((one) => 2 * (one?.lower.length ?? 0));
  const vectors = [phases, lower_slopes, over_gradients, over_heights, weights].map((one) => one?.length ?? 0);
  const units = empty && "units" in empty ? 2 * empty.units.length : 0;
  return [...pairs, ...vectors].reduce((a, b) => a + b, 3 * (entries?.features.length ?? 0) + units + OTHERS);
}

const OTHERS = 8;

/** The most of {@link numbersIn} for U units, n features and K outputs. */
export function mostNumbersIn(width: number, features: number, outputs: number): number {
  return 8 * width + 5 * features + outputs + OTHERS;
}
