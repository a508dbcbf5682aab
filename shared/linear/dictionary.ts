/**
 * A dictionary of the simplex method with bounded variables, in floating point and in place: nothing it says is proved.
 *
 * Basic variables and the objective over the others, row after row:
 *
 *     basic_i = table[i][n] + sum_j table[i][j] nonbasic_j,     objective = table[m][n] + sum_j table[m][j] nonbasic_j.
 *
 * Variables 0 .. structural - 1 lie in [0, 1], those above in [0, infinity). The others stand at 0; a variable at its
 * upper end 1 is replaced by 1 - itself, and `flipped` says so.
 */
export interface Dictionary {
  readonly m: number;
  readonly n: number;
  /** [m + 1][n + 1]: the last row is the objective, the last column the values at the present point. */
  readonly table: Float64Array;
  /** Which variable is basic in a row, and which one a column stands for; -1 is a column that is gone. */
  readonly basic: Int32Array;
  readonly columns: Int32Array;
  readonly structural: number;
  readonly flipped: Uint8Array;
}

/** What ends a climb. */
export interface Limits {
  /** The most pivots and flips. */
  readonly steps: number;
  /** It ends where the objective is above this. */
  readonly enough: number;
  /** Counted up by every step. */
  readonly spent?: { steps: number };
}

/** How a climb ended; `open`: the limit of steps, or no end in sight (an objective without bound). */
export type Outcome = "optimal" | "enough" | "open";

/** A reduced cost below this is none: rows are scaled so that 1 is large. */
const COST = 1e-11;
/** Smaller pivots would ruin the table. */
const PIVOT = 1e-9;
/** A step shorter than this is no progress; after so many without any, Bland's rule holds until there is some. */
const PROGRESS = 1e-13;
const PATIENCE = 40;

/**
 * Climbs: maximises the objective from the dictionary's point, which must be feasible.
 *
 * The steepest column enters, the lowest one on a tie; where nothing moves for long, by Bland's rule. Deterministic.
 * Cost: 2 (m + 1)(n + 1) flops a pivot, m + n a flip.
 */
export function climb(dictionary: Dictionary, { steps, enough, spent }: Limits): Outcome {
  const { m, n, table } = dictionary, stride = n + 1, objective = m * stride;
  let still = 0;
  for (let step = 0; step < steps; step++) {
    if (table[objective + n] > enough) return "enough";
    const entering = still < PATIENCE ? steepest(dictionary) : first(dictionary);
    if (entering < 0) return "optimal";
    if (spent) spent.steps++;
    const before = table[objective + n];
    const row = blocking(dictionary, entering, still >= PATIENCE);
    if (row === NO_ROW) return "open";
    if (row === OWN_END) flip(dictionary, entering);
    else {
      if (table[row * stride + entering] > 0) complement(dictionary, row);
      pivot(dictionary, row, entering);
    }
    still = table[objective + n] > before + PROGRESS ? 0 : still + 1;
  }
  return "open";
}

function steepest({ m, n, table, columns }: Dictionary): number {
  let best = COST, entering = -1;
  for (let j = 0, at = m * (n + 1); j < n; j++, at++) {
    if (table[at] > best && columns[j] >= 0) {
      best = table[at];
      entering = j;
    }
  }
  return entering;
}

function first({ m, n, table, columns }: Dictionary): number {
  let lowest = Infinity, entering = -1;
  for (let j = 0, at = m * (n + 1); j < n; j++, at++) {
    if (table[at] > COST && columns[j] >= 0 && columns[j] < lowest) {
      lowest = columns[j];
      entering = j;
    }
  }
  return entering;
}

const OWN_END = -1;
const NO_ROW = -2;

/** The row whose variable meets an end first when a column grows from 0: on near ties the largest pivot, or (Bland) the lowest variable. */
function blocking(
  { n, m, table, basic, columns, structural }: Dictionary,
  entering: number,
  lowestVariable: boolean,
): number {
  const stride = n + 1;
  let shortest = columns[entering] < structural ? 1 : Infinity;
  let row = shortest === 1 ? OWN_END : NO_ROW;
  let size = 0;
  for (let i = 0; i < m; i++) {
    const slope = table[i * stride + entering];
    let room: number;
    if (slope < -PIVOT) room = Math.max(table[i * stride + n], 0) / -slope;
    else if (slope > PIVOT && basic[i] < structural) room = Math.max(1 - table[i * stride + n], 0) / slope;
    else continue;
    const isTied = row >= 0 && Math.abs(room - shortest) <= TIE * (1 + shortest);
    const isBetter = isTied ? (lowestVariable ? basic[i] < basic[row] : Math.abs(slope) > size) : room < shortest;
    if (!isBetter) continue;
    shortest = Math.min(room, shortest);
    row = i;
    size = Math.abs(slope);
  }
  return row;
}

const TIE = 1e-14;

/** Moves a column's variable to its other end: x = 1 - x'. */
export function flip({ m, n, table, columns, flipped }: Dictionary, column: number): void {
  const stride = n + 1;
  for (let i = 0, at = column, value = n; i <= m; i++, at += stride, value += stride) {
    table[value] += table[at];
    table[at] = -table[at];
  }
  flipped[columns[column]] ^= 1;
}

/** The same for the variable of a row, wherever it is. */
export function complement({ n, table, basic, flipped }: Dictionary, row: number): void {
  const start = row * (n + 1), value = start + n;
  for (let at = start; at < value; at++) table[at] = -table[at];
  table[value] = 1 - table[value];
  flipped[basic[row]] ^= 1;
}

/** Exchanges the variable of a row (which goes to 0) with that of a column. */
export function pivot({ m, n, table, basic, columns }: Dictionary, row: number, column: number): void {
  const stride = n + 1, start = row * stride, inverse = 1 / table[start + column];
  for (let at = start, end = start + n; at <= end; at++) table[at] *= -inverse;
  table[start + column] = inverse;
  for (let i = 0; i <= m; i++) {
    if (i === row) continue;
    const to = i * stride, factor = table[to + column];
    if (factor === 0) continue;
    table[to + column] = 0;
    for (let j = 0; j <= n; j++) table[to + j] += factor * table[start + j];
  }
  const leaving = basic[row];
  if (row < m) basic[row] = columns[column];
  columns[column] = leaving;
}
