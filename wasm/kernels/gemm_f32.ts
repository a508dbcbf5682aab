import {
  coefficients_f32_3,
  coefficients_f32_4,
  coefficients_f32_5,
  constant_tile_3_f32,
  constant_tile_4_f32,
  constant_tile_5_f32,
  half_loop_tile_1_f32,
  half_loop_tile_2_f32,
  half_tile_3_f32,
  half_tile_4_f32,
  half_tile_5_f32,
  loop_tile_1x1_f32,
  loop_tile_1x4_f32,
  loop_tile_2x1_f32,
  loop_tile_2x2_f32,
} from "../generated/gemm_tiles";
import { chunk_length } from "./pack";
import { padded, zero_padding } from "./rows";

/** Rows of A that a pass takes, whole tiles: their sums and a chunk of B stay in the second cache. */
const ROW_BLOCK: i32 = 60;

/**
 * out [rows, n] = a [rows, k] times packed [k, n], all f32 (chunks of panels of eight columns, see pack_f32).
 *
 * The products of a chunk are added one after the other from +0 in the order of k, a product and a sum rounded apart, and
 * their sum is added to that of the chunks before.
 */
export function gemm_f32(out: usize, a: usize, packed: usize, rows: i32, k: i32, n: i32): void {
  const row_bytes = (<usize> padded(k)) << 2, out_bytes = (<usize> padded(n)) << 2;
  const chunk = chunk_length<f32>(k, n), step_bytes = (<usize> ((n + 7) >> 3)) << 5;
  if (k == 0) memory.fill(out, 0, <usize> rows * out_bytes);
  for (let i = 0; i < rows; i += ROW_BLOCK) {
    const height = min(rows - i, ROW_BLOCK);
    const c = out + <usize> i * out_bytes, block = a + <usize> i * row_bytes;
    for (let p = 0; p < k; p += chunk) {
      const depth = min(k - p, chunk), whole = depth & ~3, tail = depth & 3, b = packed + <usize> p * step_bytes;
      let left = height, from = block + ((<usize> p) << 2), to = c;
      for (; left >= 5; left -= 5, from += 5 * row_bytes, to += 5 * out_bytes) {
        coefficients_f32_5(from, row_bytes, whole, tail);
        multiply_copied(to, out_bytes, b, 5, whole, tail, n, p == 0);
      }
      if (left >= 3) {
        if (left == 4) coefficients_f32_4(from, row_bytes, whole, tail);
        else coefficients_f32_3(from, row_bytes, whole, tail);
        multiply_copied(to, out_bytes, b, left, whole, tail, n, p == 0);
      } else if (left > 0) {
        multiply_thin_f32(to, out_bytes, from, row_bytes, b, left, depth, n, p == 0);
      }
    }
  }
  // An infinite coefficient times a zero of the padding is NaN.
  for (let i = 0; i < rows; i++, out += out_bytes) zero_padding<f32>(out, n);
}

/** Three to five rows, whose coefficients were copied to their constant addresses, times a chunk. */
export function multiply_copied(
  out: usize,
  out_bytes: usize,
  b: usize,
  rows: i32,
  whole: i32,
  tail: i32,
  n: i32,
  first: bool,
): void {
  // Rows of sums end after a multiple of four columns: the last panel may be its first half.
  const width = padded(n), panels = width >> 3, half = (width & 4) != 0;
  const last = out + ((<usize> panels) << 5), last_b = b + ((<usize> (panels * (whole + tail))) << 5);
  if (rows == 5) {
    constant_tile_5_f32(out, out_bytes, b, 0, whole, tail, panels, first);
    if (half) half_tile_5_f32(last, out_bytes, last_b, whole, tail, 1, first);
  } else if (rows == 4) {
    constant_tile_4_f32(out, out_bytes, b, 0, whole, tail, panels, first);
    if (half) half_tile_4_f32(last, out_bytes, last_b, whole, tail, 1, first);
  } else {
    constant_tile_3_f32(out, out_bytes, b, 0, whole, tail, panels, first);
    if (half) half_tile_3_f32(last, out_bytes, last_b, whole, tail, 1, first);
  }
}

/** One or two rows: several panels at once, or too few sums would be under way to hide the latency of an addition. */
export function multiply_thin_f32(
  out: usize,
  out_bytes: usize,
  a: usize,
  row_bytes: usize,
  b: usize,
  rows: i32,
  depth: i32,
  n: i32,
  first: bool,
): void {
  const padded_n = padded(n), panels = padded_n >> 3, half = (padded_n & 4) != 0;
  const width = rows == 1 ? 4 : 2, left = panels % width, gap = panels / width;
  if (rows == 1) loop_tile_1x4_f32(out, out_bytes, a, row_bytes, b, depth, gap, first);
  else loop_tile_2x2_f32(out, out_bytes, a, row_bytes, b, depth, gap, first);
  out += (<usize> (panels - left)) << 5;
  b += (<usize> ((panels - left) * depth)) << 5;
  if (rows == 1) loop_tile_1x1_f32(out, out_bytes, a, row_bytes, b, depth, left, first);
  else loop_tile_2x1_f32(out, out_bytes, a, row_bytes, b, depth, left, first);
  if (!half) return;
  out += (<usize> left) << 5;
  b += (<usize> (left * depth)) << 5;
  if (rows == 1) half_loop_tile_1_f32(out, out_bytes, a, row_bytes, b, depth, 1, first);
  else half_loop_tile_2_f32(out, out_bytes, a, row_bytes, b, depth, 1, first);
}
