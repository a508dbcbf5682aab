/**
 * Linear programs over the rationals: a simplex without divisions that do not come out even, for a few variables.
 *
 * A _form_ is an affine function of x as the vector of its n coefficients and its constant, denominator 1. A polytope is
 * the set where every one of its forms is >= 0; it has to be bounded.
 */
import type { Exact } from "./dyadic.ts";
import type { ExactVector } from "./vector.ts";

export type Form = ExactVector;

/** a . x + b. */
export function valueAt({ numerators: form, exponent }: Form, point: ExactVector): Exact {
  const { numerators, denominator } = integral(point), features = numerators.length;
  let sum = form[features] * denominator;
  for (let j = 0; j < features; j++) sum += form[j] * numerators[j];
  return { numerator: sum, exponent, denominator };
}

/** The form x_j - end (or end - x_j for `sign` -1). */
export function side(features: number, j: number, end: Exact, sign: 1 | -1): Form {
  const exponent = Math.min(end.exponent, 0), numerators = new Array<bigint>(features + 1).fill(0n);
  numerators[j] = BigInt(sign) << BigInt(-exponent);
  numerators[features] = -BigInt(sign) * (end.numerator << BigInt(end.exponent - exponent));
  return { numerators, exponent, denominator: 1n };
}

/** The same numbers with exponent 0. */
function integral({ numerators, exponent, denominator }: ExactVector): ExactVector {
  return exponent > 0
    ? { numerators: numerators.map((n) => n << BigInt(exponent)), exponent: 0, denominator }
    : { numerators, exponent: 0, denominator: denominator << BigInt(-exponent) };
}

/**
 * A point of the polytope where `objective` is largest, found from `start`, a point of it. With `enough` the search ends
 * at the first point that it accepts the sign of: 1 where the objective is above 0, 0 where it is at least 0.
 *
 * Columns are nonbasic variables, rows basic ones, entries T / D: slack_i + sum_j t_ij v_j = t_i. Pivots keep all T whole
 * (Edmonds). Coordinates are free: each enters once, at the cost of a pivot, and never leaves; then Bland's rule.
 */
export function maximise(
  polytope: readonly Form[],
  objective: Form,
  start: ExactVector,
  enough?: 0 | 1,
): ExactVector {
  const features = start.numerators.length, from = integral(start);
  // In units of the denominator: x = (start + z) / denominator, a . z >= -(a . start + b denominator).
  const row = (form: Form, sign: 1n | -1n): bigint[] => [
    ...form.numerators.slice(0, features).map((a) => sign * a),
    -sign * valueAt(form, from).numerator,
  ];
  const rows = polytope.map((form) => row(form, -1n)), last = row(objective, -1n);
  // The objective's row holds its value in the last column, and minus its gains.
  rows.push(last);
  const tableau: Tableau = {
    rows,
    scale: 1n,
    basic: polytope.map((_, i) => features + i),
    columns: from.numerators.map((_, j) => j),
    flipped: new Set(),
    features,
  };
  const reached = () => {
    const value = last[features];
    return enough !== undefined && (enough === 1 ? value > 0n : value >= 0n);
  };
  for (let j = 0; j < features && !reached(); j++) {
    if (last[j] > 0n || (last[j] === 0n && leaving(tableau, j) < 0)) flip(tableau, j);
    const out = leaving(tableau, j);
    if (out < 0) throw new RangeError("the polytope is not bounded");
    pivot(tableau, out, j);
  }
  while (!reached()) {
    const enter = entering(tableau);
    if (enter < 0) break;
    const out = leaving(tableau, enter);
    if (out < 0) throw new RangeError("the polytope is not bounded");
    pivot(tableau, out, enter);
  }
  return pointOf(tableau, from);
}

interface Tableau {
  readonly rows: bigint[][];
  /** The common denominator D, positive. */
  scale: bigint;
  /** Variables: coordinates below `features`, slacks from there on. */
  readonly basic: number[];
  readonly columns: number[];
  /** Coordinates of which the tableau holds the negative. */
  readonly flipped: Set<number>;
  readonly features: number;
}

/** The column of the first slack by which the objective grows; -1 where there is none. */
function entering({ rows, columns, features }: Tableau): number {
  const gains = rows[rows.length - 1];
  let best = -1;
  for (let j = 0; j < features; j++) {
    if (columns[j] >= features && gains[j] < 0n && (best < 0 || columns[j] < columns[best])) best = j;
  }
  return best;
}

/** The row of the slack that is used up first when column j grows; -1 where none is. */
function leaving({ rows, basic, features }: Tableau, j: number): number {
  let best = -1;
  for (let i = 0; i < basic.length; i++) {
    if (basic[i] < features || rows[i][j] <= 0n) continue;
    if (best < 0) {
      best = i;
      continue;
    }
    const difference = rows[i][features] * rows[best][j] - rows[best][features] * rows[i][j];
    if (difference < 0n || (difference === 0n && basic[i] < basic[best])) best = i;
  }
  return best;
}

function flip({ rows, columns, flipped }: Tableau, j: number): void {
  for (const row of rows) row[j] = -row[j];
  flipped.add(columns[j]);
}

function pivot(tableau: Tableau, r: number, c: number): void {
  const { rows, scale, basic, columns, features } = tableau, own = rows[r], by = own[c];
  rows.forEach((row, i) => {
    const factor = row[c];
    if (i === r) return;
    for (let j = 0; j <= features; j++) {
      if (j !== c) row[j] = (row[j] * by - factor * own[j]) / scale;
    }
    row[c] = -factor;
  });
  own[c] = scale;
  [basic[r], columns[c]] = [columns[c], basic[r]];
  tableau.scale = by;
}

function pointOf({ rows, scale, basic, flipped, features }: Tableau, from: ExactVector): ExactVector {
  const numerators = from.numerators.map((n) => n * scale);
  basic.forEach((variable, i) => {
    if (variable < features) numerators[variable] += (flipped.has(variable) ? -1n : 1n) * rows[i][features];
  });
  return { numerators, exponent: 0, denominator: from.denominator * scale };
}

/**
 * A point near the segment's `share` between two points with as few bits as `accepts` allows.
 *
 * `accepts` has to hold for the point itself and around it.
 */
export function shortPoint(
  a: ExactVector,
  b: ExactVector,
  share: Exact,
  accepts: (point: ExactVector) => boolean,
): ExactVector {
  const [p, q] = [integral(a), integral(b)], { numerator: s, denominator: d } = wholeShare(share);
  const denominator = p.denominator * q.denominator * d;
  const numerators = p.numerators.map((n, j) => n * q.denominator * (d - s) + q.numerators[j] * p.denominator * s);
  for (let bits = 4; bits < 4096; bits *= 2) {
    const point = {
      numerators: numerators.map((n) => (n << BigInt(bits)) / denominator),
      exponent: -bits,
      denominator: 1n,
    };
    if (accepts(point)) return point;
  }
  return { numerators, exponent: 0, denominator };
}

function wholeShare({ numerator, exponent, denominator }: Exact) {
  return exponent >= 0
    ? { numerator: numerator << BigInt(exponent), denominator }
    : { numerator, denominator: denominator << BigInt(-exponent) };
}
