/**
 * Kernels of a search: sums over rows of small f64 matrices, called at once on arrays that both sides see.
 *
 * The ORDER of every sum is part of the contract, so that two backends give the same bits: products and sums round apart.
 * `combine` and `gatedRows` add to each element one after the other. `products`, `intervals` and `corner` sum in FOUR LANES:
 * with s_k = +0 + the terms k, k + 4, k + 8, … of the first 4 floor(n / 4) ones, the sum is (s_0 + s_2) + (s_1 + s_3), to
 * which the terms left over are added one after the other. So no term has more than n + 1 roundings on its path, its
 * product included.
 */
export interface Vectors {
  readonly name: string;
  /** `length` zeros, which live until {@link Vectors.release}. Throws: `RangeError` beyond what was asked for. */
  take(length: number): Float64Array;
  takeIndices(length: number): Int32Array;
  /** Gives the memory back: arrays taken from it must not be used any more. */
  release(): void;

  /** out[at + j] += coefficients[from + i] matrix_ij for every row i whose coefficient is not 0. */
  combine(out: Float64Array, at: number, matrix: Part, coefficients: Float64Array, from: number): void;
  /** out[at + i] = sum over j of matrix_ij vector[from + j]. */
  products(out: Float64Array, at: number, matrix: Part, vector: Float64Array, from: number): void;
  /** The corner of a box where c . x is largest, middles where c_j is 0, and c . x there. */
  corner(out: Float64Array, c: Float64Array, lower: Float64Array, upper: Float64Array): number;
  /** difference = to - from; from = to. */
  move(difference: Float64Array, from: Float64Array, to: Float64Array): void;
  /**
   * For each of `count` rows: sums over j of the smaller and of the larger of row_j lower_j and row_j upper_j, side by side in
   * `out`. (Of two products the second one counts only where it is less, or more: a NaN of the first one stays.)
   */
  intervals(
    out: Float64Array,
    rows: Int32Array,
    count: number,
    matrix: Part,
    lower: Float64Array,
    upper: Float64Array,
  ): void;
  gatedRows(call: GatedRows): void;
}

/** Bytes that an array takes more than its numbers, at most, for its alignment to 16. */
export const ALIGNED = 16;

/** Arrays that are reckoned with, beside the numbers asked for. */
const ARRAYS = 256;

/** Bytes that vectors for so many numbers hold, on every backend. */
export function bytesOfVectors(numbers: number): number {
  return numbers * 8 + ARRAYS * ALIGNED;
}

/** Rows and columns of a matrix: element (i, j) is numbers[at + i stride + j]. */
export interface Part {
  readonly numbers: Float64Array;
  readonly at: number;
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Rows over g, bounded from below, and their negatives: for each, unit by unit from `first` on, a = w_v + sum over u < below_v
 * of slope_u inner_vu (u ascending), then the line of a's sign: slope_v = a s_v and the constant a t_v.
 */
export interface GatedRows {
  /** [count][4]: sum and mass of the row, sum and mass of its negative. */
  readonly out: Float64Array;
  readonly rows: Int32Array;
  readonly count: number;
  /** [any][U]: w. */
  readonly matrix: Float64Array;
  readonly first: number;
  /** [U][stride]: of row v only the columns from `first` to below_v are read, below_v <= v and <= stride. */
  readonly inner: Float64Array;
  readonly stride: number;
  readonly below: Int32Array;
  /** [4][U]: slope and constant for a > 0, slope and constant else. Units with four zeros are passed over. */
  readonly lines: Float64Array;
  /** [U]: sum += a t_v, then slope_v seed_v; mass += |a t_v|, then |slope_v| charges_v. */
  readonly seed: Float64Array;
  readonly charges: Float64Array;
  /**
   * [U][8] from unit `first` on: the slopes of the last four rows (or fewer), then of their negatives; of units from `stride`
   * on, which nothing reads, a itself.
   */
  readonly slopes: Float64Array;
}
