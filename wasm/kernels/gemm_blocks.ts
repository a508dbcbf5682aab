import {
  CHUNK,
  coefficients_at_3,
  coefficients_at_4,
  coefficients_at_5,
  coefficients_at_f32_3,
  coefficients_at_f32_4,
  coefficients_at_f32_5,
  constant_tile_3,
  constant_tile_4,
  constant_tile_5,
  scatter_1,
  scatter_2,
  scatter_3,
  scatter_4,
  scatter_5,
  scatter_f32_1,
  scatter_f32_2,
  scatter_f32_3,
  scatter_f32_4,
  scatter_f32_5,
} from "../generated/gemm_tiles";
import {
  BLOCK_BYTES,
  BLOCK_COLUMNS,
  blocks_of_group,
  GROUP_BYTES,
  GROUP_OUTPUTS,
  k_of_block,
  list,
  n_of_block,
  outputs_of_group,
  sums_of_block,
  sums_of_group,
} from "./blocks";
import { multiply_thin } from "./gemm";
import { multiply_copied, multiply_thin_f32 } from "./gemm_f32";
import { chunk_length } from "./pack";
import { padded, panels, zero_padding } from "./rows";

/**
 * out [rows, n] = a [rows, k] times the matrix of blocks.
 *
 * `clear`: out is zeroed first. `add`: sums are added to what is there, else they replace it (right where no two blocks
 * write an output). A group of blocks at a time, and of that five rows: the sums of all its blocks lie at `scratch` and go
 * to out in the order of the outputs.
 */
function gemm_blocks<T>(
  out: usize,
  a: usize,
  packed: usize,
  blocks: usize,
  groups: i32,
  rows: i32,
  k: i32,
  n: i32,
  add: bool,
  clear: bool,
  scratch: usize,
): void {
  const a_bytes = (<usize> padded(k)) << alignof<T>(), out_bytes = (<usize> padded(n)) << alignof<T>();
  if (clear) memory.fill(out, 0, <usize> rows * out_bytes);
  let block = blocks + <usize> groups * GROUP_BYTES;
  for (let group = blocks; groups > 0; groups--, group += GROUP_BYTES) {
    const outputs = list(blocks, group, GROUP_OUTPUTS), output_count = outputs_of_group(group);
    const sum_bytes = (<usize> sums_of_group(group)) << alignof<T>();
    const first = block, end = block + <usize> blocks_of_group(group) * BLOCK_BYTES;
    let last = packed;
    for (let i = 0; i < rows; i += 5) {
      const height = min(rows - i, 5);
      last = packed;
      for (block = first; block < end; block += BLOCK_BYTES) {
        const block_k = k_of_block(block), block_n = n_of_block(block);
        const sums = scratch + ((<usize> sums_of_block(block)) << alignof<T>());
        const columns = list(blocks, block, BLOCK_COLUMNS), thin = scratch + 5 * sum_bytes;
        const from = a + <usize> i * a_bytes;
        if (sizeof<T>() == 8) {
          multiply_block(sums, sum_bytes, from, a_bytes, columns, last, height, block_k, block_n, thin);
        } else {
          multiply_block_f32(sums, sum_bytes, from, a_bytes, columns, last, height, block_k, block_n, thin);
        }
        last += (<usize> (block_k * panels<T>(block_n))) << 5;
      }
      scatter<T>(out + <usize> i * out_bytes, out_bytes, scratch, sum_bytes, outputs, output_count, height, add);
    }
    packed = last;
    block = end;
  }
  for (let i = 0; i < rows; i++, out += out_bytes) zero_padding<T>(out, n);
}

/** sums [rows, n] = columns of up to five rows of A times a block [k, n]; there is room for two rows at `thin`. */
function multiply_block(
  sums: usize,
  sum_bytes: usize,
  a: usize,
  a_bytes: usize,
  columns: usize,
  packed: usize,
  rows: i32,
  k: i32,
  n: i32,
  thin: usize,
): void {
  const chunk = chunk_length<f64>(k, n), panels = padded(n) >> 2;
  if (k == 0) for (let i = 0; i < rows; i++) memory.fill(sums + <usize> i * sum_bytes, 0, (<usize> padded(n)) << 3);
  for (let first = 0; first < k; first += chunk) {
    const depth = min(k - first, chunk);
    if (rows < 3) {
      gather<f64>(thin, a, a_bytes, columns, rows, depth);
      multiply_thin(sums, sum_bytes, thin, (<usize> depth) << 3, packed, rows, depth, panels, first == 0);
      columns += (<usize> depth) << 2;
    } else {
      // Chunks of few columns are longer than a tile without a loop.
      for (let p = 0; p < depth; p += CHUNK) {
        const steps = min(depth - p, CHUNK), whole = steps & ~3, tail = steps & 3, start = first + p == 0;
        const b = packed + ((<usize> p) << 5), skip = (<usize> (depth - steps)) << 5;
        if (rows == 5) {
          coefficients_at_5(a, a_bytes, columns, whole, tail);
          constant_tile_5(sums, sum_bytes, b, skip, whole, tail, panels, start);
        } else if (rows == 4) {
          coefficients_at_4(a, a_bytes, columns, whole, tail);
          constant_tile_4(sums, sum_bytes, b, skip, whole, tail, panels, start);
        } else {
          coefficients_at_3(a, a_bytes, columns, whole, tail);
          constant_tile_3(sums, sum_bytes, b, skip, whole, tail, panels, start);
        }
        columns += (<usize> steps) << 2;
      }
    }
    packed += (<usize> (depth * panels)) << 5;
  }
}

/** The same in f32, where chunks are no longer than a tile. */
function multiply_block_f32(
  sums: usize,
  sum_bytes: usize,
  a: usize,
  a_bytes: usize,
  columns: usize,
  packed: usize,
  rows: i32,
  k: i32,
  n: i32,
  thin: usize,
): void {
  const chunk = chunk_length<f32>(k, n), step_bytes = (<usize> panels<f32>(n)) << 5;
  if (k == 0) for (let i = 0; i < rows; i++) memory.fill(sums + <usize> i * sum_bytes, 0, (<usize> padded(n)) << 2);
  for (let first = 0; first < k; first += chunk) {
    const depth = min(k - first, chunk), whole = depth & ~3, tail = depth & 3;
    if (rows < 3) {
      gather<f32>(thin, a, a_bytes, columns, rows, depth);
      multiply_thin_f32(sums, sum_bytes, thin, (<usize> depth) << 2, packed, rows, depth, n, first == 0);
    } else {
      if (rows == 5) coefficients_at_f32_5(a, a_bytes, columns, whole, tail);
      else if (rows == 4) coefficients_at_f32_4(a, a_bytes, columns, whole, tail);
      else coefficients_at_f32_3(a, a_bytes, columns, whole, tail);
      multiply_copied(sums, sum_bytes, packed, rows, whole, tail, n, first == 0);
    }
    columns += (<usize> depth) << 2;
    packed += <usize> depth * step_bytes;
  }
}

/** to [rows, depth] = columns of A. */
function gather<T>(to: usize, a: usize, a_bytes: usize, columns: usize, rows: i32, depth: i32): void {
  const end = columns + ((<usize> depth) << 2);
  for (; rows > 0; rows--, a += a_bytes) {
    for (let p = columns; p < end; p += 4, to += sizeof<T>()) {
      store<T>(to, load<T>(a + ((<usize> load<u32>(p)) << alignof<T>())));
    }
  }
}

/** The sums of up to five rows to their outputs, or added to them. */
function scatter<T>(
  out: usize,
  out_bytes: usize,
  sums: usize,
  sum_bytes: usize,
  outputs: usize,
  count: i32,
  rows: i32,
  add: bool,
): void {
  if (sizeof<T>() == 4) {
    if (rows == 5) scatter_f32_5(out, out_bytes, sums, sum_bytes, outputs, count, add);
    else if (rows == 4) scatter_f32_4(out, out_bytes, sums, sum_bytes, outputs, count, add);
    else if (rows == 3) scatter_f32_3(out, out_bytes, sums, sum_bytes, outputs, count, add);
    else if (rows == 2) scatter_f32_2(out, out_bytes, sums, sum_bytes, outputs, count, add);
    else scatter_f32_1(out, out_bytes, sums, sum_bytes, outputs, count, add);
    return;
  }
  if (rows == 5) scatter_5(out, out_bytes, sums, sum_bytes, outputs, count, add);
  else if (rows == 4) scatter_4(out, out_bytes, sums, sum_bytes, outputs, count, add);
  else if (rows == 3) scatter_3(out, out_bytes, sums, sum_bytes, outputs, count, add);
  else if (rows == 2) scatter_2(out, out_bytes, sums, sum_bytes, outputs, count, add);
  else scatter_1(out, out_bytes, sums, sum_bytes, outputs, count, add);
}

/** Of f64, and of f32. */
export function gemm_blocks_f64(
  out: usize,
  a: usize,
  packed: usize,
  blocks: usize,
  groups: i32,
  rows: i32,
  k: i32,
  n: i32,
  add: bool,
  clear: bool,
  scratch: usize,
): void {
  gemm_blocks<f64>(out, a, packed, blocks, groups, rows, k, n, add, clear, scratch);
}

export function gemm_blocks_f32(
  out: usize,
  a: usize,
  packed: usize,
  blocks: usize,
  groups: i32,
  rows: i32,
  k: i32,
  n: i32,
  add: bool,
  clear: bool,
  scratch: usize,
): void {
  gemm_blocks<f32>(out, a, packed, blocks, groups, rows, k, n, add, clear, scratch);
}
