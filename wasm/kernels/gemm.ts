import {
  tile_1x1,
  tile_1x4,
  tile_2x1,
  tile_2x2,
  tile_3x1,
  tile_4x1,
  tile_5x1,
} from "../generated/gemm_tiles";
import { padded, zero_padding } from "./rows";

/** Columns of A that a pass takes: a panel's slice of 16 KB and a tile's rows stay in the first cache. */
const K_BLOCK: i32 = 512;
/** Rows of A that a pass takes, whole tiles: their slice of 240 KB stays in the second cache. */
const ROW_BLOCK: i32 = 60;

/**
 * out [rows, n] = a [rows, k] times packed [k, n] (panels of four columns, see pack_f64).
 *
 * Each element starts at +0 and adds its products one after the other in the order of k, a product and a sum rounded apart.
 * Blocks of k keep that order: a later block goes on from the sums that the one before it stored.
 */
export function gemm_f64(out: usize, a: usize, packed: usize, rows: i32, k: i32, n: i32): void {
  const row_bytes = (<usize> padded(k)) << 3, out_bytes = (<usize> padded(n)) << 3;
  const panels = padded(n) >> 2, panel_bytes = (<usize> k) << 5;
  if (k == 0) memory.fill(out, 0, <usize> rows * out_bytes);
  for (let p = 0; p < k; p += K_BLOCK) {
    const depth = min(k - p, K_BLOCK);
    const b = packed + ((<usize> p) << 5);
    for (let i = 0; i < rows; i += ROW_BLOCK) {
      const height = min(rows - i, ROW_BLOCK);
      const from = a + <usize> i * row_bytes + ((<usize> p) << 3);
      multiply_block(out + <usize> i * out_bytes, out_bytes, from, row_bytes, b, panel_bytes, height, depth, panels, p == 0);
    }
  }
  // An infinite coefficient times a zero of the padding is NaN.
  for (let i = 0; i < rows; i++, out += out_bytes) zero_padding(out, n);
}

/** A block of rows times every panel: tiles of five rows, then one tile of the rows that are left. */
function multiply_block(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  panel_bytes: usize,
  rows: i32,
  depth: i32,
  panels: i32,
  first: bool,
): void {
  const left = rows % 5, whole = rows - left;
  let panel = b, column = out;
  for (let j = 0; j < panels; j++, panel += panel_bytes, column += 32) {
    let row = a, c = column;
    for (let i = 0; i < whole; i += 5, row += 5 * row_bytes, c += 5 * out_bytes) {
      tile_5x1(c, out_bytes, row, row_bytes, panel, panel_bytes, depth, first);
    }
    if (left == 4) tile_4x1(c, out_bytes, row, row_bytes, panel, panel_bytes, depth, first);
    else if (left == 3) tile_3x1(c, out_bytes, row, row_bytes, panel, panel_bytes, depth, first);
  }
  if (left == 1 || left == 2) {
    const down = <usize> whole;
    multiply_thin(out + down * out_bytes, out_bytes, a + down * row_bytes, row_bytes, b, panel_bytes, left, depth, panels, first);
  }
}

/** One or two rows: several panels at once, or too few sums would be under way to hide the latency of an addition. */
function multiply_thin(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  panel_bytes: usize,
  rows: i32,
  depth: i32,
  panels: i32,
  first: bool,
): void {
  const width = rows == 1 ? 4 : 2;
  let j = 0;
  for (; j + width <= panels; j += width, out += (<usize> width) << 5, b += <usize> width * panel_bytes) {
    if (rows == 1) tile_1x4(out, out_bytes, a, row_bytes, b, panel_bytes, depth, first);
    else tile_2x2(out, out_bytes, a, row_bytes, b, panel_bytes, depth, first);
  }
  for (; j < panels; j++, out += 32, b += panel_bytes) {
    if (rows == 1) tile_1x1(out, out_bytes, a, row_bytes, b, panel_bytes, depth, first);
    else tile_2x1(out, out_bytes, a, row_bytes, b, panel_bytes, depth, first);
  }
}
