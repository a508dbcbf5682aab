/** What a recorded piece knows, derived again from what it began with: phases, box, bounds of h, p and J. */
import type { PieceRecord, SearchRecord } from "../../../shared/certificate/search_record.ts";
import {
  absolute,
  add,
  divide,
  type Exact,
  exact,
  multiply,
  roundDown,
  roundUp,
  sign,
  subtract,
  ZERO,
} from "../../exact/dyadic.ts";
import type { ExactCondensed } from "./exact_condensed.ts";
import type { Drawn } from "./pieces.ts";
import {
  type Ends,
  type ExactSum,
  gatedBound,
  isAbove,
  type Known,
  negated,
  rowBound,
  type SumBound,
} from "./record_sums.ts";

/** A piece with everything that its record leaves to those above it. */
export interface Resolved extends Known {
  readonly entries: Ends;
  readonly bound: number;
}

type Tree = SearchRecord["trees"][number];
type Units = SearchRecord["units"];
type Gated = Pick<ExactSum, "constant" | "gated" | "seed">;

/** What does not follow. `parent`: null of a root. */
export function falseSteps(
  drawn: Drawn,
  { units, trees }: SearchRecord,
  piece: PieceRecord,
  above: Resolved,
  found: Resolved,
  parent: Resolved | null,
): string[] {
  const tree = trees[piece.tree], wrong = falseHeights(drawn, units, piece, above, found);
  if (tree.aim === "value" || piece.empty?.by === "phases" || piece.empty?.by === "row") return wrong;
  const start = parent === null ? startOf(drawn.exact, tree) : null;
  wrong.push(...falseGradients(drawn.exact, tree, above, found, start));
  if (tree.aim === "norm" && piece.entries) {
    wrong.push(...falseEntries(drawn.exact, tree, piece.entries, [start ?? startOf(drawn.exact, tree), parent, found]));
  }
  return wrong;
}

/**
 * Rows from the input on: what the record says of h_u is not less than its row allows, a phase is that of the cut or of the
 * bounds, and the box is cut by the rows of units whose phase was known, no further.
 */
function falseHeights(
  { exact: numbers, region }: Drawn,
  units: Units,
  { empty, lower_slopes: slopes }: PieceRecord,
  above: Resolved,
  found: Resolved,
): string[] {
  const phases = [...above.phases], wrong: string[] = [];
  if (!tie(units, phases)) return empty?.by === "phases" ? [] : ["its phases exclude one another"];
  const box = { lower: [...above.box.lower], upper: [...above.box.upper] };
  for (let u = 0; u < numbers.width; u++) {
    if (slopes) {
      const known = { ...found, box, phases };
      const up = rowBound(numbers, known, u, 1, slopes), down = rowBound(numbers, known, u, -1, slopes);
      if (!isAbove(found.heights.upper[u], above.heights.upper[u], up.most)) wrong.push(`h_${u} is not bounded above`);
      if (!isAbove(minus(found.heights.lower[u]), minus(above.heights.lower[u]), down.most)) {
        wrong.push(`h_${u} is not bounded below`);
      }
      if (empty?.by === "row" && empty.unit === u) break;
      if (phases[u] === 0) phases[u] = phaseOf(found.heights, u, region.isSolid);
      // A piece that is empty, which rounding hides from the search: all bounds of it are true.
      else if (!cut(box, phases[u] > 0 ? up : down)) return wrong;
    } else {
      const isKept = found.heights.lower[u] === above.heights.lower[u] &&
        found.heights.upper[u] === above.heights.upper[u];
      if (!isKept) wrong.push(`h_${u} is bounded by nothing`);
    }
  }
  box.lower.forEach((end, j) => {
    if (!isAbove(minus(found.box.lower[j]), minus(end)) || !isAbove(found.box.upper[j], box.upper[j])) {
      wrong.push(`its box is cut along ${j}`);
    }
  });
  const isPossible = tie(units, phases);
  if ((empty?.by === "phases") === isPossible) wrong.push("its phases do not exclude one another");
  if (isPossible && found.phases.some((phase, u) => phase !== 0 && phase !== phases[u])) {
    wrong.push("a phase is decided by nothing");
  }
  return wrong;
}

/** The kinks of one neuron ascend: above a later one it is above the earlier. False: phases that cannot be. */
function tie(units: Units, phases: number[]): boolean {
  for (let u = 0; u + 1 < units.length; u++) {
    if (units[u].activation !== units[u + 1].activation || units[u].index !== units[u + 1].index) continue;
    if (phases[u] < 0 && phases[u + 1] > 0) return false;
    if (phases[u + 1] > 0) phases[u] = 1;
    else if (phases[u] < 0) phases[u + 1] = -1;
  }
  return true;
}

function phaseOf({ lower, upper }: Ends, u: number, isSolid: boolean): number {
  const l = lower[u] ?? -Infinity, h = upper[u] ?? Infinity;
  return l > 0 || (isSolid && l === 0) ? 1 : h < 0 || (isSolid && h === 0) ? -1 : 0;
}

/** w . x + c is not below 0, and at most `most` on the box: x_j is within most / |w_j| of its best end. False: nothing is left. */
function cut(box: { lower: (number | null)[]; upper: (number | null)[] }, { most, overInput }: SumBound): boolean {
  if (most === null) return true;
  if (sign(most) < 0) return false;
  overInput.forEach((w, j) => {
    if (sign(w) === 0) return;
    const l = box.lower[j]!, h = box.upper[j]!, reach = divide(most, w);
    if (sign(w) > 0) box.lower[j] = Math.max(l, roundDown(subtract(exact(h), reach)));
    else box.upper[j] = Math.min(h, roundUp(subtract(exact(l), reach)));
  });
  return box.lower.every((l, j) => l! <= box.upper[j]!);
}

/** Before the first piece: bounds of p by magnitudes, then by rows with nothing decided; and those of J that follow. */
function startOf(numbers: ExactCondensed, tree: Tree): Resolved {
  const { width, units } = numbers, gradients = { lower: [] as number[], upper: [] as number[] };
  const seed = seedOf(numbers, tree), sizes = new Array<Exact>(width).fill(ZERO);
  for (let u = width - 1; u >= 0; u--) {
    for (let w = u + 1; w < width; w++) sizes[u] = add(sizes[u], multiply(absolute(units[w][u]), sizes[w]));
    sizes[u] = add(sizes[u], absolute(seed[u]));
    [gradients.lower[u], gradients.upper[u]] = [-roundUp(sizes[u]), roundUp(sizes[u])];
  }
  const nothing = new Array<null>(width).fill(null);
  const known = {
    box: { lower: [], upper: [] },
    phases: new Array<number>(width).fill(0),
    heights: { lower: nothing, upper: nothing },
    gradients,
    entries: { lower: [], upper: [] },
    bound: Infinity,
  };
  for (let u = width - 1; u >= 0; u--) {
    const sum = gradientSum(numbers, seed, u);
    const up = gatedBound(numbers, known, sum, "rows"), down = gatedBound(numbers, known, negated(sum), "rows");
    if (up) gradients.upper[u] = Math.min(gradients.upper[u], roundUp(up));
    if (down) gradients.lower[u] = Math.max(gradients.lower[u], -roundUp(down));
  }
  return known;
}

function falseGradients(
  numbers: ExactCondensed,
  tree: Tree,
  above: Resolved,
  { phases, heights, box, gradients }: Resolved,
  start: Resolved | null,
): string[] {
  const wrong: string[] = [], seed = seedOf(numbers, tree), before = (start ?? above).gradients;
  for (let u = 0; u < numbers.width; u++) {
    const sum = gradientSum(numbers, seed, u), known = { phases, heights, box, gradients };
    const up = gatedBound(numbers, known, sum, "rows"), down = gatedBound(numbers, known, negated(sum), "rows");
    const isBounded = isAbove(gradients.upper[u], before.upper[u], up) &&
      isAbove(minus(gradients.lower[u]), minus(before.lower[u]), down);
    if (!isBounded) wrong.push(`p_${u} is bounded by nothing`);
  }
  return wrong;
}

/** Bounds of J follow from one of these: before the search, on the parent, on the piece itself. */
function falseEntries(
  numbers: ExactCondensed,
  tree: Tree,
  { features, lower, upper }: NonNullable<PieceRecord["entries"]>,
  from: readonly (Resolved | null)[],
): string[] {
  const wrong: string[] = [], seed = seedOf(numbers, tree);
  features.forEach((j, i) => {
    const sum: Gated = {
      constant: combinationOf(tree, (k) => numbers.inputs[numbers.width + k][j]),
      gated: seed.map((_, w) => numbers.inputs[w][j]),
      seed,
    };
    const boundsOf = (one: Gated) =>
      from.flatMap((known) =>
        known ? (["rows", "intervals"] as const).map((by) => gatedBound(numbers, known, one, by)) : []
      );
    const isBounded = isAbove(upper[i], ...boundsOf(sum)) && isAbove(minus(lower[i]), ...boundsOf(negated(sum)));
    if (!isBounded) wrong.push(`J_${j} is bounded by nothing`);
  });
  return wrong;
}

/** p_u = seed_u + sum over the units above it. */
function gradientSum({ units }: ExactCondensed, seed: readonly Exact[], u: number): Gated {
  return { constant: seed[u], gated: seed.map((_, w) => (w > u ? units[w][u] : ZERO)), seed };
}

function seedOf({ width, units }: ExactCondensed, tree: Tree): Exact[] {
  return Array.from({ length: width }, (_, u) => combinationOf(tree, (k) => units[width + k][u]));
}

/** A row over the outputs. */
export function combinationOf({ row }: Pick<Tree, "row">, column: (output: number) => Exact): Exact {
  return row.map((c, k) => multiply(exact(c), column(k))).reduce(add, ZERO);
}

function minus<T extends number | null>(bound: T): T | number {
  return bound === null ? bound : 0 - bound;
}
