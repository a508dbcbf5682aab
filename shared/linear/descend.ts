import { complement, type Dictionary, flip, pivot } from "./dictionary.ts";

/** How a descent ended; a row that no column can mend is a proof that nothing is feasible. */
export interface Descent {
  readonly outcome: "optimal" | "enough" | "infeasible" | "open";
  /** The row where `infeasible`, else -1. */
  readonly row: number;
}

/** A basic variable outside of its bounds by less is inside. */
const FEASIBLE = 1e-10;
const PIVOT = 1e-9;
/** Without progress for so many steps the lowest variable leaves instead of the one farthest outside. */
const PATIENCE = 60;
const PROGRESS = 1e-13;

/**
 * The dual simplex method: from a dictionary whose reduced costs are all <= 0 (its objective is above the optimum at every
 * step) to one whose point is feasible, too.
 *
 * It ends early where the objective, an upper bound of the optimum all along, is `below`.
 * The variable farthest outside of its bounds leaves. What enters is found past every column of [0, 1] that reaches its
 * other end before the variable is back inside (those columns are flipped): few pivots where the box has many
 * coordinates. Deterministic. Cost: 2 (m + 1)(n + 1) flops a pivot, m a flip, O(n) for the choice.
 */
export function descend(dictionary: Dictionary, steps: number, below = -Infinity): Descent {
  const { m, n, table } = dictionary, stride = n + 1, objective = m * stride + n;
  const candidates = new Int32Array(n), slacks = new Int32Array(n), ratios = new Float64Array(n);
  let still = 0;
  for (let step = 0; step < steps; step++) {
    if (table[objective] < below) return { outcome: "enough", row: -1 };
    const row = farthestOutside(dictionary, slacks, still >= PATIENCE);
    if (row < 0) return { outcome: "optimal", row };
    if (table[row * stride + n] > 0) complement(dictionary, row);
    const count = collect(dictionary, row, candidates, ratios);
    const place = crossing(dictionary, row, candidates, ratios, count);
    if (place < 0) return { outcome: "infeasible", row };
    const before = table[objective], entering = candidates[place];
    for (let c = 0; c < place; c++) flip(dictionary, candidates[c]);
    pivot(dictionary, row, entering);
    still = table[objective] < before - PROGRESS ? 0 : still + 1;
  }
  return { outcome: "open", row: -1 };
}

/** Moves every coordinate to the end where the objective is larger: the costs are then those of a descent. */
export function standBest(dictionary: Dictionary): void {
  const { m, n, table, columns, structural } = dictionary;
  for (let j = 0, at = m * (n + 1); j < n; j++, at++) {
    if (table[at] > 0 && columns[j] >= 0 && columns[j] < structural) flip(dictionary, j);
  }
}

/**
 * The variable farthest outside, measured in the space of the multipliers (the dual steepest edge, its weights read from
 * the table): a coordinate that a small step throws far out does not count for more.
 */
function farthestOutside(dictionary: Dictionary, slacks: Int32Array, lowestVariable: boolean): number {
  const { m, n, table, basic, columns, structural } = dictionary, stride = n + 1;
  let count = 0, most = 0, row = -1;
  for (let j = 0; j < n; j++) if (columns[j] >= structural) slacks[count++] = j;
  for (let i = 0, start = 0; i < m; i++, start += stride) {
    const value = table[start + n], outside = basic[i] < structural && value > 1 ? value - 1 : -value;
    if (!(outside > FEASIBLE)) continue;
    if (lowestVariable) {
      if (row < 0 || basic[i] < basic[row]) row = i;
      continue;
    }
    let weight = basic[i] >= structural ? 1 : 0;
    for (let c = 0; c < count; c++) weight += table[start + slacks[c]] * table[start + slacks[c]];
    const gain = outside * outside / Math.max(weight, SMALLEST_WEIGHT);
    if (!(gain > most)) continue;
    most = gain;
    row = i;
  }
  return row;
}

const SMALLEST_WEIGHT = 1e-12;

/** The columns that raise the row's variable, and how far each reduced cost is from changing its sign. */
function collect({ m, n, table, columns }: Dictionary, row: number, candidates: Int32Array, ratios: Float64Array) {
  const start = row * (n + 1), costs = m * (n + 1);
  let count = 0;
  for (let j = 0; j < n; j++) {
    const slope = table[start + j];
    if (!(slope > PIVOT) || columns[j] < 0) continue;
    ratios[j] = Math.max(-table[costs + j], 0) / slope;
    candidates[count++] = j;
  }
  return count;
}

/**
 * Parts the candidates: those before the returned place are passed, the one there enters; -1 where all together do not
 * bring the variable back. A weighted selection: O(n) on average.
 */
function crossing(
  { n, table, columns, structural }: Dictionary,
  row: number,
  candidates: Int32Array,
  ratios: Float64Array,
  count: number,
): number {
  const start = row * (n + 1);
  // A hair less than what is missing: sums that meet exactly may be rounded down.
  let missing = -table[start + n] - FEASIBLE / 2, from = 0, to = count;
  let isReached = false;
  while (from < to) {
    // The candidates before `from` are passed; one in from .. to - 1 is the crossing if any is (`isReached`: one is).
    const middle = candidates[(from + to) >> 1];
    let low = from, weight = 0;
    for (let c = from; c < to; c++) {
      const j = candidates[c];
      if (j === middle || !isBefore(j, middle, ratios, table, start)) continue;
      weight += columns[j] < structural ? table[start + j] : Infinity;
      candidates[c] = candidates[low];
      candidates[low++] = j;
    }
    if (weight >= missing) {
      to = low;
      isReached = true;
      continue;
    }
    const at = candidates.indexOf(middle, low);
    candidates[at] = candidates[low];
    candidates[low] = middle;
    const own = columns[middle] < structural ? table[start + middle] : Infinity;
    if (weight + own >= missing) return low;
    missing -= weight + own;
    from = low + 1;
  }
  // Rounding may lose the crossing between two sums; the last passed one is it then.
  return isReached && from > 0 ? from - 1 : -1;
}

/** By ratio; of equal ones the smaller slope is passed first. */
function isBefore(a: number, b: number, ratios: Float64Array, table: Float64Array, start: number): boolean {
  if (ratios[a] !== ratios[b]) return ratios[a] < ratios[b];
  const slopeA = table[start + a], slopeB = table[start + b];
  return slopeA !== slopeB ? slopeA < slopeB : a < b;
}
