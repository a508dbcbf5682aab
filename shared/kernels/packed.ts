/** Layout of packed matrices, and how their sums are chunked: the same on every backend. */

/** What coefficients are: the wide one everywhere, or f32 with sums, tables and images in f64 (shared/README.md (21)). */
export type Precision = "f64" | "f32";

/** Elements a row of `n` numbers takes: the next multiple of four. */
export function paddedLength(n: number): number {
  return (n + 3) & ~3;
}

/** Most rows of a chunk of a packed matrix, and in f64 most of one with at most {@link NARROW} columns; multiples of four. */
export const CHUNK = 48, NARROW_CHUNK = 512;
export const NARROW = 20;
/** The same in f32, where short chunks also make short sums: k products have CHUNK_F32 + k / CHUNK_F32 roundings. */
export const CHUNK_F32 = 32;

/** Rows of a chunk of a packed matrix [k, n]: equal shares of k, rounded up to a multiple of four. */
export function chunkLength(k: number, n: number, precision: Precision): number {
  const most = precision === "f32" ? CHUNK_F32 : n <= NARROW ? NARROW_CHUNK : CHUNK;
  return paddedLength(Math.ceil(k / Math.max(1, Math.ceil(k / most))));
}

/** Columns of a panel of a packed matrix: 32 bytes. */
export function panelWidth(precision: Precision): number {
  return precision === "f64" ? 4 : 8;
}

/** Elements that a packed matrix [k, n] takes: whole panels. */
export function packedLength(k: number, n: number, precision: Precision): number {
  const width = panelWidth(precision);
  return k * Math.ceil(n / width) * width;
}

/** Where element (i, j) of a matrix [k, n] stands when it is packed. */
export function packedPlace(k: number, n: number, i: number, j: number, precision: Precision): number {
  const width = panelWidth(precision), chunk = chunkLength(k, n, precision);
  const first = i - i % chunk, rows = Math.min(chunk, k - first);
  return packedLength(first, n, precision) + (j - j % width) * rows + (i - first) * width + j % width;
}

/**
 * Most roundings on the path of a term of an f32 sum of `k` products, the product's own included, where `writes` such sums
 * are added to one output: a chunk's product and additions, then one addition for each further chunk and sum.
 */
export function chunkedRoundings(k: number, writes: number): number {
  return k === 0 ? 0 : Math.min(k, CHUNK_F32) + Math.ceil(k / CHUNK_F32) - 1 + Math.max(0, writes - 1);
}
