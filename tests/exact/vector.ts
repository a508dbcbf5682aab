/** Vectors and matrices of exact numbers with one exponent and one denominator, so that sums need no alignment. */
import { atExponent, type Exact, exact } from "./dyadic.ts";

/** Component i is numerators[i] * 2^exponent / denominator. */
export interface ExactVector {
  readonly numerators: readonly bigint[];
  readonly exponent: number;
  readonly denominator: bigint;
}

/** Entries row-major, entry k is entries[k] * 2^exponent. */
export interface ExactMatrix {
  readonly entries: readonly bigint[];
  readonly exponent: number;
}

/** The doubles themselves. Throws: RangeError for a NaN or an infinity. */
export function exactMatrix(values: ArrayLike<number>): ExactMatrix {
  const parts = Array.from(values, exact);
  let exponent = Infinity;
  for (const part of parts) if (part.numerator !== 0n) exponent = Math.min(exponent, part.exponent);
  if (exponent === Infinity) exponent = 0;
  return { entries: parts.map((part) => atExponent(part, exponent)), exponent };
}

const matrices = new WeakMap<Float64Array, ExactMatrix>();

/** {@link exactMatrix}, converted once for each array: the constants of a network are used at every point. */
export function constantMatrix(values: Float64Array): ExactMatrix {
  let matrix = matrices.get(values);
  if (matrix === undefined) matrices.set(values, matrix = exactMatrix(values));
  return matrix;
}

/** [n] doubles -> the same [n] numbers. */
export function exactVector(values: ArrayLike<number>): ExactVector {
  const { entries, exponent } = exactMatrix(values);
  return { numerators: entries, exponent, denominator: 1n };
}

/** Component `index`. */
export function component(vector: ExactVector, index: number): Exact {
  return { numerator: vector.numerators[index], exponent: vector.exponent, denominator: vector.denominator };
}

/** Sum of the magnitudes: the l1 norm. */
export function norm1(vector: ExactVector): Exact {
  let sum = 0n;
  for (const numerator of vector.numerators) sum += numerator < 0n ? -numerator : numerator;
  return { numerator: sum, exponent: vector.exponent, denominator: vector.denominator };
}

/** Largest magnitude: the l_inf norm. */
export function normInfinity(vector: ExactVector): Exact {
  let largest = 0n;
  for (const numerator of vector.numerators) {
    const magnitude = numerator < 0n ? -numerator : numerator;
    if (magnitude > largest) largest = magnitude;
  }
  return { numerator: largest, exponent: vector.exponent, denominator: vector.denominator };
}

/** a + sign b, both [n]. */
export function combine(a: ExactVector, b: ExactVector, sign: 1 | -1): ExactVector {
  const exponent = Math.min(a.exponent, b.exponent);
  const denominator = a.denominator === b.denominator ? a.denominator : a.denominator * b.denominator;
  const left = (denominator / a.denominator) << BigInt(a.exponent - exponent);
  const right = BigInt(sign) * ((denominator / b.denominator) << BigInt(b.exponent - exponent));
  return { numerators: a.numerators.map((n, i) => n * left + b.numerators[i] * right), exponent, denominator };
}

/** W x: [rows, columns] times [columns] -> [rows]. */
export function product(matrix: ExactMatrix, vector: ExactVector, rows: number): ExactVector {
  const { entries } = matrix, { numerators } = vector, columns = numerators.length, out: bigint[] = [];
  for (let i = 0; i < rows; i++) {
    let sum = 0n;
    for (let j = 0; j < columns; j++) {
      const value = numerators[j];
      if (value !== 0n) sum += entries[i * columns + j] * value;
    }
    out.push(sum);
  }
  return { numerators: out, exponent: matrix.exponent + vector.exponent, denominator: vector.denominator };
}

/** a W: [rows] times [rows, columns] -> [columns]. */
export function transposedProduct(matrix: ExactMatrix, vector: ExactVector, columns: number): ExactVector {
  const { entries } = matrix, out = new Array<bigint>(columns).fill(0n);
  vector.numerators.forEach((value, i) => {
    if (value !== 0n) { for (let j = 0; j < columns; j++) out[j] += entries[i * columns + j] * value; }
  });
  return { numerators: out, exponent: matrix.exponent + vector.exponent, denominator: vector.denominator };
}

/** Componentwise x_i f_i, or x_i / f_i when `inverse`; the quotients get one denominator. */
export function scaled(vector: ExactVector, factors: ExactMatrix, inverse: boolean): ExactVector {
  const { numerators, exponent, denominator } = vector;
  if (!inverse) {
    return {
      numerators: numerators.map((n, i) => n * factors.entries[i]),
      exponent: exponent + factors.exponent,
      denominator,
    };
  }
  const common = factors.entries.reduce((multiple, f) => leastCommonMultiple(multiple, f < 0n ? -f : f), 1n);
  return {
    numerators: numerators.map((n, i) => n * (common / factors.entries[i])),
    exponent: exponent - factors.exponent,
    denominator: denominator * common,
  };
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new RangeError("division by an exact zero");
  let x = a, y = b;
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}
