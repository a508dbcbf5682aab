import { multiply_narrow, multiply_wide } from "./gemm";
import { chunk_length, is_narrow } from "./pack";
import { padded, zero_padding } from "./rows";

/** Rows of A that a pass takes; the columns they read are few, so that the copies stay in the first cache. */
const WIDE_ROWS: i32 = 60, NARROW_ROWS: i32 = 10;

/**
 * out [rows, n] = a [rows, k] times the matrix of blocks, or added to what is there.
 *
 * `scratch` holds the sums of a pass and the columns of A that it reads.
 */
export function gemm_blocks_f64(
  out: usize,
  a: usize,
  packed: usize,
  blocks: usize,
  count: i32,
  rows: i32,
  k: i32,
  n: i32,
  accumulate: bool,
  scratch: usize,
): void {
  const out_bytes = (<usize> padded(n)) << 3;
  if (!accumulate) memory.fill(out, 0, <usize> rows * out_bytes);
  for (let b = 0; b < count; b++) {
    const block = blocks + ((<usize> b) << 4);
    multiply_block(
      out,
      out_bytes,
      a,
      (<usize> padded(k)) << 3,
      packed,
      rows,
      load<i32>(block),
      load<i32>(block, 4),
      blocks + ((<usize> load<i32>(block, 8)) << 2),
      blocks + ((<usize> load<i32>(block, 12)) << 2),
      scratch,
    );
    packed += (<usize> (load<i32>(block) * padded(load<i32>(block, 4)))) << 3;
  }
  if (accumulate) for (let i = 0; i < rows; i++, out += out_bytes) zero_padding(out, n);
}

function multiply_block(
  out: usize,
  out_bytes: usize,
  a: usize,
  a_bytes: usize,
  packed: usize,
  rows: i32,
  k: i32,
  n: i32,
  columns: usize,
  outputs: usize,
  scratch: usize,
): void {
  const narrow = is_narrow(n), chunk = chunk_length(k, n), panels = padded(n) >> 2;
  const pass = narrow ? NARROW_ROWS : WIDE_ROWS, sum_bytes = (<usize> padded(n)) << 3, chunk_bytes = (<usize> chunk) << 3;
  const copy = scratch + <usize> pass * sum_bytes;
  for (let i = 0; i < rows; i += pass) {
    const height = min(rows - i, pass);
    if (k == 0) memory.fill(scratch, 0, <usize> height * sum_bytes);
    for (let p = 0; p < k; p += chunk) {
      const depth = min(k - p, chunk), b = packed + <usize> p * sum_bytes;
      gather(copy, chunk_bytes, a + <usize> i * a_bytes, a_bytes, columns + ((<usize> p) << 2), height, depth);
      if (narrow) multiply_narrow(scratch, sum_bytes, copy, chunk_bytes, b, height, depth, panels, p == 0);
      else multiply_wide(scratch, sum_bytes, copy, chunk_bytes, b, height, depth, panels, p == 0);
    }
    scatter(out + <usize> i * out_bytes, out_bytes, scratch, sum_bytes, outputs, height, n);
  }
}

function gather(to: usize, to_bytes: usize, a: usize, a_bytes: usize, columns: usize, rows: i32, depth: i32): void {
  for (; rows > 0; rows--, to += to_bytes, a += a_bytes) {
    for (let p: usize = 0; p < <usize> depth; p++) {
      store<f64>(to + (p << 3), load<f64>(a + ((<usize> load<i32>(columns + (p << 2))) << 3)));
    }
  }
}

/** Adds the sums to the outputs. */
function scatter(out: usize, out_bytes: usize, sums: usize, sum_bytes: usize, outputs: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += out_bytes, sums += sum_bytes) {
    for (let j: usize = 0; j < <usize> n; j++) {
      const to = out + ((<usize> load<i32>(outputs + (j << 2))) << 3);
      store<f64>(to, load<f64>(to) + load<f64>(sums + (j << 3)));
    }
  }
}
