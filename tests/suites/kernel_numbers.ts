/** Seeded numbers for calls of the kernels, and sums and tables in the layout of the contract. */
import { paddedLength, type Precision } from "../../shared/kernels/kernels.ts";
import { chunkLength } from "../../shared/kernels/packed.ts";

export interface Shape {
  readonly seed: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly groups: number;
  /** Whether NaN, infinities, subnormal and huge numbers are among the values. */
  readonly wild: boolean;
}

/** A small generator (mulberry32), so that a printed seed gives the same numbers everywhere. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WILD = [NaN, Infinity, -Infinity, 5e-324, -2e-310, 1e308, -1e308, 1e-200];

function draw(random: () => number, wild: boolean): number {
  const kind = random();
  if (kind < 0.1) return 0;
  if (kind < 0.15) return -0;
  if (wild && kind < 0.25) return WILD[Math.floor(random() * WILD.length)];
  return (random() * 2 - 1 + random() * 2 ** -30) * 2 ** Math.floor(random() * 20 - 10);
}

/** Rows of `columns` drawn numbers with zeros behind. */
export function padded(random: () => number, wild: boolean, rows: number, columns: number): Float64Array {
  const stride = paddedLength(columns), values = new Float64Array(rows * stride);
  for (let r = 0; r < rows; r++) for (let j = 0; j < columns; j++) values[r * stride + j] = draw(random, wild);
  return values;
}

export const indices = (random: () => number, length: number, limit: number): Int32Array =>
  Int32Array.from({ length }, () => Math.floor(random() * limit));

/** The sum along a row in the order of the contract. */
export function rowSum(terms: readonly number[]): number {
  return terms.reduce((sum, term) => sum + term, 0);
}

/** To the kind of coefficients. */
export const roundingTo = (precision: Precision): (x: number) => number => precision === "f64" ? (x) => x : Math.fround;

/** The sum of the products of the matrix kernels: in f32 chunk by chunk. */
export function productSum(
  k: number,
  n: number,
  precision: Precision,
  a: (p: number) => number,
  b: (p: number) => number,
) {
  const round = roundingTo(precision), chunk = precision === "f64" ? k : chunkLength(k, n, precision);
  let sum = 0;
  for (let first = 0; first < k; first += chunk) {
    let part = 0;
    for (let p = first; p < Math.min(k, first + chunk); p++) part = round(part + round(round(a(p)) * round(b(p))));
    sum = round(sum + part);
  }
  return sum;
}

/** A result of `rows` rows, element by element, zero in the padding. */
export function table(rows: number, columns: number, element: (r: number, j: number) => number): Float64Array {
  const stride = paddedLength(columns), out = new Float64Array(rows * stride);
  for (let r = 0; r < rows; r++) for (let j = 0; j < columns; j++) out[r * stride + j] = element(r, j);
  return out;
}

export const poison = (length: number): Float64Array => new Float64Array(length).fill(NaN);
export const columnsOf = (columns: number): number[] => Array.from({ length: columns }, (_, j) => j);

/** The box [groups][2][columns] with ordered ends. */
export function box(random: () => number, { groups, columns, wild }: Shape): Float64Array {
  const values = padded(random, wild, groups * 2, columns), stride = paddedLength(columns);
  for (let g = 0; g < groups; g++) {
    for (let j = 0; j < columns; j++) {
      const l = g * 2 * stride + j, u = l + stride;
      if (values[l] > values[u]) [values[l], values[u]] = [values[u], values[l]];
    }
  }
  return values;
}
