import type { Windows } from "../graph.ts";
import type { Precision } from "./packed.ts";
import type { Vectors } from "./vectors.ts";

export type { Precision } from "./packed.ts";

/**
 * What a backend computes. Calls enqueue; only {@link Kernels.read} is awaited, so a GPU fits behind it.
 *
 * Coefficients under way and packed matrices are of the kernels' {@link Precision}, everything else is f64. Matrices are row-major; a row of `n` logical columns takes `paddedLength(n)` elements and the padding
 * is zero. Rounding is IEEE nearest, a product and a sum round apart (never fused), and the ORDER of every sum is part of
 * the contract, so that two backends give the same bits:
 *
 * every sum, in `gemm` and along rows, starts at +0 and adds fl(a_k b_k) for column k = 0, 1, 2, … one after the other, so
 * that a column of exact zeros can be dropped without changing a bit (shared/README.md (12)). In f32 the sums of `gemm` and
 * `gemmBlocks` go chunk by chunk instead: each of `chunkLength` products (`packed.ts`) sums from +0 in its order and is then added
 * to the sum of those before it, all in f32, so that a sum of k products has about 32 + k / 32 roundings on the path of a
 * term. Along rows f32 coefficients are promoted, and sums, products and tables are f64 as ever; what becomes a coefficient
 * is computed in f64 and rounded to f32.
 *
 * Rows name their *group*: a domain, or a domain and an output. Tables are per group, matrices are shared by all groups.
 * A kernel takes finite or non-finite numbers and never traps; NaN and infinities must come out as NaN or infinity in the
 * row's sums (shared/README.md, non-finite numbers).
 */
export interface Kernels {
  readonly name: string;
  /** Of coefficients (rows `a` and `out`, `coefficients`) and packed matrices; a buffer of another kind is a `TypeError`. */
  readonly precision: Precision;
  /** These kernels with coefficients in f32, on the same memory and in the same scopes. */
  readonly single: Kernels;
  /**
   * The kernels of a search, with memory of their own for `numbers` numbers, which counts as held until they are released.
   * Null where that and what is held would be more than the backend may hold.
   */
  vectors(numbers: number): Vectors | null;

  /** `length` zeros. */
  allocate(length: number): Buffer;
  upload(values: Float64Array): Buffer;
  /**
   * `length` numbers of the kind of coefficients, of ANY value: for rows under way and packed matrices, which a kernel
   * writes (padding too) before one reads them. The reference backend fills them with NaN.
   */
  allocateCoefficients(length: number): Buffer;
  /** Rounded to the kind of coefficients. */
  uploadCoefficients(values: Float64Array): Buffer;
  uploadIndices(values: Int32Array): Indices;
  /** Copies the first `length` elements (default: all) to the host. */
  read(buffer: Buffer, length?: number): Promise<Float64Array>;
  /** Runs `body`; everything allocated inside is freed afterwards, also when it throws. Scopes nest. */
  scope<T>(body: () => Promise<T>): Promise<T>;
  /** Bytes held now, and the most held since the last call to `resetPeak`. */
  memory(): { readonly bytes: number; readonly peakBytes: number };
  resetPeak(): void;

  /**
   * out[r, c] = source[rows[r] * rowStride + columns[c] * columnStride]; a transpose is a choice of strides. Both are f64, or
   * both are coefficients.
   */
  gatherMatrix(call: GatherMatrix): void;
  /**
   * Repacks a row-major matrix [k, n] of f64 for `gemm`, which then reads it from the first number to the last: chunks of
   * chunkLength(k, n) rows (fewer in the last), each in panels of 32 bytes, four columns of f64 or eight of f32,
   * [panels][rows of the chunk][columns of a panel]; see `packed.ts`.
   */
  packMatrix(call: PackMatrix): void;
  /** out [rows, n] = a [rows, k] times packed [k, n]. */
  gemm(call: Gemm): void;
  /** out row r = signs[r] * matrix row indices[r], from f64 to coefficients. */
  gatherRows(call: GatherRows): void;
  /** Row first + i of out becomes the unit row of column places[i], or zeros where that is -1. */
  unitRows(call: UnitRows): void;
  /**
   * Replaces activations by their lines, for lower bounds of the rows: with the row's group's table
   * (slope, intercept) = a_j >= 0 ? (lowerSlope_j, lowerIntercept_j) : (upperSlope_j, upperIntercept_j),
   * c_j = intercept == 0 ? 0 : fl(a_j intercept); then a_j becomes slope == 0 ? 0 : fl(a_j slope),
   * constants[r] += sum of c_j, magnitudes[r] += sum of |c_j|. (A NaN a_j takes the upper line.)
   */
  relaxRows(call: RelaxRows): void;
  /** constants[r] += sum of fl(a_j bias_j) (+0 if bias is null); magnitudes[r] += sum of fl(|a_j| q_j), q of the row's group. */
  absorbRows(call: AbsorbRows): void;
  /** Lower end over the row's group's box: constants[r] += sum of fl(a_j (a_j >= 0 ? lower_j : upper_j)); magnitudes[r] += sum of fl(|a_j| max(|lower_j|, |upper_j|)). */
  concretizeRows(call: ConcretizeRows): void;
  /** a[r, j] = fl(a[r, j] f_j), or fl(a[r, j] / f_j) when `inverse` (padding: multiply by 0, never divide). */
  scaleColumns(call: ScaleColumns): void;
  /**
   * out[r, places[j]] = fl(out[r, places[j]] + sign a[r, j]), or sign a[r, j] when `fresh` (the other columns are then 0):
   * branches meet, or a row is handed on. Without places, column j goes to column j.
   */
  addRows(call: AddRows): void;
  /** Lays out a matrix [k, n] of dense blocks; throws `RangeError` for an index out of range. Freed with the scope. */
  uploadBlocks(layout: BlockLayout): Blocks;
  /**
   * out [rows, n] = a [rows, k] times the matrix of blocks: for each block the columns of `a` that it reads are multiplied
   * with it in their order (a sum from +0, as in `gemm`) and added to the outputs it writes: to +0, or with `accumulate` to
   * what is there. In place (out = a) with `accumulate` where no block reads an output that a block writes.
   */
  gemmBlocks(call: GemmBlocks): void;
  /**
   * Fills the packed blocks of a part of a convolution's matrix: entry (i, j) of block b is that of row rows[columns[i]]
   * and column inputs[outputs[j]] of W (of its transpose when `transposed`), 0 where they do not meet.
   */
  packWindows(call: PackWindows): void;
  /** `affineBox` for the rows (null: all) of a convolution's matrix; sums run over the entries of a row in column order. */
  windowsBox(call: WindowsBox): void;
  /**
   * Interval image of a box under y = W x (no bias), for every group and row i. With x = fl(w l), y = fl(w u),
   * low = y < x ? y : x and high = x < y ? y : x for each column (a NaN stays), out holds four tables a group:
   * [0] sum of low, [1] sum of |low|, [2] sum of high, [3] sum of |high|.
   */
  affineBox(call: AffineBox): void;
}

/** A block of numbers that belongs to a backend, f64 or of the kind of coefficients; opaque. */
export interface Buffer {
  readonly length: number;
}

/** A block of i32 numbers that belongs to a backend; opaque. */
export interface Indices {
  readonly length: number;
}

export { paddedLength } from "./packed.ts";

/** A matrix [k, n] as dense blocks, each with the columns (of k) it reads and the outputs (of n) it writes, both ascending. */
export interface BlockLayout {
  readonly k: number;
  readonly n: number;
  readonly blocks: readonly { readonly columns: Int32Array; readonly outputs: Int32Array }[];
}

/** A layout in the backend's memory; opaque. */
export interface Blocks {
  readonly k: number;
  readonly n: number;
  /** Elements of the packed blocks one after the other: each as `packMatrix` lays it out. */
  readonly packedLength: number;
  /** Products in a row: the sum of the blocks' sizes. */
  readonly products: number;
  /** Most products of a sum within a block, and most blocks that write one output. */
  readonly deepest: number;
  readonly mostWrites: number;
}

export interface GemmBlocks {
  readonly out: Buffer; // [rows, n]
  readonly a: Buffer; // [rows, k]
  readonly blocks: Blocks;
  readonly packed: Buffer;
  readonly rows: number;
  readonly accumulate: boolean;
}

export interface PackWindows {
  readonly out: Buffer; // blocks.packedLength
  readonly blocks: Blocks;
  /** Index of the node's value for each of the k columns that blocks read. */
  readonly rows: Indices;
  /** Index of the node's input for each of the n outputs. */
  readonly inputs: Indices;
  readonly kernel: Buffer;
  readonly windows: Windows;
  readonly transposed: boolean;
}

export interface WindowsBox {
  readonly out: Buffer; // [groups][4][paddedLength(count)]
  /** The rows asked for, ascending; null for all. */
  readonly rows: Indices | null;
  readonly kernel: Buffer;
  readonly windows: Windows;
  readonly transposed: boolean;
  readonly box: Buffer; // [groups][2][paddedLength(size of the input)]
  readonly groups: number;
}

export interface GatherMatrix {
  readonly out: Buffer; // [rows, columns]
  readonly source: Buffer;
  readonly rows: Indices;
  readonly columns: Indices;
  readonly rowStride: number;
  readonly columnStride: number;
}

export interface PackMatrix {
  readonly out: Buffer; // packedLength(k, n)
  readonly matrix: Buffer; // [k, n]
  readonly k: number;
  readonly n: number;
}

export interface Gemm {
  readonly out: Buffer; // [rows, n]
  readonly a: Buffer; // [rows, k]
  readonly packed: Buffer;
  readonly rows: number;
  readonly k: number;
  readonly n: number;
}

export interface GatherRows {
  readonly out: Buffer; // [rows, columns]
  readonly matrix: Buffer; // [any, columns]
  readonly indices: Indices;
  readonly signs: Indices; // +1 or -1
  readonly rows: number;
  readonly columns: number;
}

export interface UnitRows {
  readonly out: Buffer; // [rows, columns]
  readonly columns: number;
  readonly first: number;
  readonly places: Int32Array;
}

/** Rows under way: coefficients [rows, columns] with the sums of each row. */
interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly coefficients: Buffer;
  /** Group of each row. */
  readonly groups: Indices;
  readonly constants: Buffer; // [rows]
  readonly magnitudes: Buffer; // [rows]
}

/** Rows of which only `columns` columns are seen: coefficients [rows, stride], from column `first` on. */
interface WindowedRows extends Rows {
  readonly window?: { readonly first: number; readonly stride: number };
}

export interface RelaxRows extends WindowedRows {
  /** [groups][4][paddedLength(columns)]: lower slope, lower intercept, upper slope, upper intercept. */
  readonly table: Buffer;
}

export interface AbsorbRows extends WindowedRows {
  readonly bias: Buffer | null; // [columns]
  readonly q: Buffer; // [groups][paddedLength(columns)]
}

export interface ConcretizeRows extends Rows {
  readonly box: Buffer; // [groups][2][paddedLength(columns)]
}

export interface ScaleColumns {
  readonly coefficients: Buffer; // [rows, columns]
  readonly rows: number;
  readonly columns: number;
  readonly factors: Buffer; // [columns]
  readonly inverse: boolean;
}

export interface AddRows {
  readonly out: Buffer; // [rows, outColumns]
  readonly a: Buffer; // [rows, columns]
  readonly rows: number;
  readonly columns: number;
  /** Columns of out (default: those of a). */
  readonly outColumns?: number;
  /** Where each column of a goes, ascending (default: to its own). */
  readonly places?: Indices;
  readonly sign: 1 | -1;
  readonly fresh: boolean;
}

export interface AffineBox {
  readonly out: Buffer; // [groups][4][paddedLength(rows)]
  readonly matrix: Buffer; // [rows, columns]
  readonly box: Buffer; // [groups][2][paddedLength(columns)]
  readonly groups: number;
  readonly rows: number;
  readonly columns: number;
}

/** What `unitRows` writes, for backends whose memory the host sees: rows of `stride` numbers from `at` on. */
export function writeUnitRows(out: Float64Array | Float32Array, at: number, stride: number, places: Int32Array): void {
  out.fill(0, at, at + places.length * stride);
  places.forEach((place, i) => {
    if (place >= 0) out[at + i * stride + place] = 1;
  });
}
