import {
  coefficients_3,
  coefficients_4,
  coefficients_5,
  constant_tile_3,
  constant_tile_4,
  constant_tile_5,
  loop_tile_1x1,
  loop_tile_1x4,
  loop_tile_2x1,
  loop_tile_2x2,
  loop_tile_3x1,
  loop_tile_4x1,
  loop_tile_5x1,
} from "../generated/gemm_tiles";
import { chunk_length, is_narrow } from "./pack";
import { padded, zero_padding } from "./rows";

/** Rows of A that a pass takes, whole tiles: their sums and a chunk of B stay in the second cache. */
const ROW_BLOCK: i32 = 60;

/**
 * out [rows, n] = a [rows, k] times packed [k, n] (chunks of panels of four columns, see pack_f64).
 *
 * Each element starts at +0 and adds its products one after the other in the order of k, a product and a sum rounded apart.
 * Chunks keep that order: a later chunk goes on from the sums that the one before it stored.
 */
export function gemm_f64(out: usize, a: usize, packed: usize, rows: i32, k: i32, n: i32): void {
  const row_bytes = (<usize> padded(k)) << 3, out_bytes = (<usize> padded(n)) << 3;
  const chunk = chunk_length<f64>(k, n), panels = padded(n) >> 2, narrow = is_narrow(n);
  if (k == 0) memory.fill(out, 0, <usize> rows * out_bytes);
  for (let i = 0; i < rows; i += ROW_BLOCK) {
    const height = min(rows - i, ROW_BLOCK);
    const c = out + <usize> i * out_bytes, block = a + <usize> i * row_bytes;
    for (let p = 0; p < k; p += chunk) {
      const depth = min(k - p, chunk), from = block + ((<usize> p) << 3), b = packed + <usize> p * out_bytes;
      if (narrow) multiply_narrow(c, out_bytes, from, row_bytes, b, height, depth, panels, p == 0);
      else multiply_wide(c, out_bytes, from, row_bytes, b, height, depth, panels, p == 0);
    }
  }
  // An infinite coefficient times a zero of the padding is NaN.
  for (let i = 0; i < rows; i++, out += out_bytes) zero_padding<f64>(out, n);
}

/** A block of rows times a chunk of many columns: tiles of five rows, then tiles of the rows that are left. */
function multiply_wide(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  rows: i32,
  depth: i32,
  panels: i32,
  first: bool,
): void {
  const whole = depth & ~3, tail = depth & 3;
  for (; rows >= 5; rows -= 5, a += 5 * row_bytes, out += 5 * out_bytes) {
    coefficients_5(a, row_bytes, whole, tail);
    constant_tile_5(out, out_bytes, b, 0, whole, tail, panels, first);
  }
  if (rows == 4) {
    coefficients_4(a, row_bytes, whole, tail);
    constant_tile_4(out, out_bytes, b, 0, whole, tail, panels, first);
  } else if (rows == 3) {
    coefficients_3(a, row_bytes, whole, tail);
    constant_tile_3(out, out_bytes, b, 0, whole, tail, panels, first);
  } else if (rows > 0) {
    multiply_thin(out, out_bytes, a, row_bytes, b, rows, depth, panels, first);
  }
}

/** The same for few columns, which do not pay for a copy of the coefficients. */
function multiply_narrow(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  rows: i32,
  depth: i32,
  panels: i32,
  first: bool,
): void {
  for (; rows >= 5; rows -= 5, a += 5 * row_bytes, out += 5 * out_bytes) {
    loop_tile_5x1(out, out_bytes, a, row_bytes, b, depth, panels, first);
  }
  if (rows == 4) loop_tile_4x1(out, out_bytes, a, row_bytes, b, depth, panels, first);
  else if (rows == 3) loop_tile_3x1(out, out_bytes, a, row_bytes, b, depth, panels, first);
  else if (rows > 0) multiply_thin(out, out_bytes, a, row_bytes, b, rows, depth, panels, first);
}

/** One or two rows: several panels at once, or too few sums would be under way to hide the latency of an addition. */
export function multiply_thin(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  rows: i32,
  depth: i32,
  panels: i32,
  first: bool,
): void {
  const width = rows == 1 ? 4 : 2, left = panels % width, gap = panels / width;
  if (rows == 1) loop_tile_1x4(out, out_bytes, a, row_bytes, b, depth, gap, first);
  else loop_tile_2x2(out, out_bytes, a, row_bytes, b, depth, gap, first);
  out += (<usize> (panels - left)) << 5;
  b += (<usize> ((panels - left) * depth)) << 5;
  if (rows == 1) loop_tile_1x1(out, out_bytes, a, row_bytes, b, depth, left, first);
  else loop_tile_2x1(out, out_bytes, a, row_bytes, b, depth, left, first);
}
