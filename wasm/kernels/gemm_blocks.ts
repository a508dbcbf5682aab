import {
  CHUNK,
  constant_tile_3,
  constant_tile_4,
  constant_tile_5,
  gathered_columns_1,
  gathered_columns_2,
  gathered_columns_3,
  gathered_columns_4,
  gathered_columns_5,
  placed_coefficients_3,
  placed_coefficients_4,
  placed_coefficients_5,
} from "../generated/gemm_tiles";
import {
  BLOCK_BYTES,
  BLOCK_COLUMNS,
  blocks_of_group,
  columns_of_group,
  GROUP_BYTES,
  GROUP_COLUMNS,
  GROUP_OUTPUTS,
  k_of_block,
  list,
  n_of_block,
  outputs_of_group,
  sums_of_block,
  sums_of_group,
} from "./blocks";
import { multiply_thin } from "./gemm";
import { chunk_length } from "./pack";
import { padded, zero_padding } from "./rows";

/**
 * out [rows, n] = a [rows, k] times the matrix of blocks.
 *
 * `clear`: out is zeroed first. `add`: sums are added to what is there, else they replace it (right where no two blocks
 * write an output). A group of blocks at a time, and of that five rows: their columns are copied once for all blocks, and
 * the sums of all blocks go to out in the order of the outputs. `scratch` holds both.
 */
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
  const a_bytes = (<usize> padded(k)) << 3, out_bytes = (<usize> padded(n)) << 3;
  if (clear) memory.fill(out, 0, <usize> rows * out_bytes);
  let block = blocks + <usize> groups * GROUP_BYTES;
  for (let group = blocks; groups > 0; groups--, group += GROUP_BYTES) {
    const columns = list(blocks, group, GROUP_COLUMNS), column_count = columns_of_group(group);
    const outputs = list(blocks, group, GROUP_OUTPUTS), output_count = outputs_of_group(group);
    const sum_bytes = (<usize> sums_of_group(group)) << 3, copy = scratch + 5 * sum_bytes;
    const first = block, end = block + <usize> blocks_of_group(group) * BLOCK_BYTES;
    let last = packed;
    for (let i = 0; i < rows; i += 5) {
      const height = min(rows - i, 5);
      gather(copy, a + <usize> i * a_bytes, a_bytes, columns, column_count, height);
      last = packed;
      for (block = first; block < end; block += BLOCK_BYTES) {
        const block_k = k_of_block(block), block_n = n_of_block(block), places = list(blocks, block, BLOCK_COLUMNS);
        const sums = scratch + ((<usize> sums_of_block(block)) << 3);
        const thin = copy + ((<usize> column_count * height) << 3);
        multiply_block(sums, sum_bytes, copy, places, last, height, block_k, block_n, thin);
        last += (<usize> block_k * padded(block_n)) << 3;
      }
      scatter(out + <usize> i * out_bytes, out_bytes, scratch, sum_bytes, outputs, output_count, height, add);
    }
    packed = last;
    block = end;
  }
  for (let i = 0; i < rows; i++, out += out_bytes) zero_padding(out, n);
}

/** to [columns][rows] = columns of up to five rows of A. */
function gather(to: usize, a: usize, a_bytes: usize, columns: usize, count: i32, rows: i32): void {
  if (rows == 5) gathered_columns_5(to, a, a_bytes, columns, count);
  else if (rows == 4) gathered_columns_4(to, a, a_bytes, columns, count);
  else if (rows == 3) gathered_columns_3(to, a, a_bytes, columns, count);
  else if (rows == 2) gathered_columns_2(to, a, a_bytes, columns, count);
  else gathered_columns_1(to, a, a_bytes, columns, count);
}

/** sums [rows, n] = the columns at `places` of the copy [columns][rows], times a block [k, n]. */
function multiply_block(
  sums: usize,
  sum_bytes: usize,
  copy: usize,
  places: usize,
  packed: usize,
  rows: i32,
  k: i32,
  n: i32,
  thin: usize,
): void {
  const chunk = chunk_length(k, n), panels = padded(n) >> 2;
  if (k == 0) for (let i = 0; i < rows; i++) memory.fill(sums + <usize> i * sum_bytes, 0, (<usize> padded(n)) << 3);
  for (let first = 0; first < k; first += chunk) {
    const depth = min(k - first, chunk);
    if (rows < 3) {
      untangle(thin, copy, places, rows, depth);
      multiply_thin(sums, sum_bytes, thin, (<usize> depth) << 3, packed, rows, depth, panels, first == 0);
      places += (<usize> depth) << 2;
    } else {
      // Chunks of few columns are longer than a tile without a loop.
      for (let p = 0; p < depth; p += CHUNK) {
        const steps = min(depth - p, CHUNK), whole = steps & ~3, tail = steps & 3, start = first + p == 0;
        const b = packed + ((<usize> p) << 5), skip = (<usize> (depth - steps)) << 5;
        if (rows == 5) {
          placed_coefficients_5(copy, places, whole, tail);
          constant_tile_5(sums, sum_bytes, b, skip, whole, tail, panels, start);
        } else if (rows == 4) {
          placed_coefficients_4(copy, places, whole, tail);
          constant_tile_4(sums, sum_bytes, b, skip, whole, tail, panels, start);
        } else {
          placed_coefficients_3(copy, places, whole, tail);
          constant_tile_3(sums, sum_bytes, b, skip, whole, tail, panels, start);
        }
        places += (<usize> steps) << 2;
      }
    }
    packed += ((<usize> depth * panels) << 5);
  }
}

/** to [rows, depth] = the columns at `places` of the copy [columns][rows]. */
function untangle(to: usize, copy: usize, places: usize, rows: i32, depth: i32): void {
  const bytes = (<usize> depth) << 3;
  for (const end = places + ((<usize> depth) << 2); places < end; places += 4, to += 8) {
    const from = copy + ((<usize> load<u32>(places) * rows) << 3);
    store<f64>(to, load<f64>(from));
    if (rows == 2) store<f64>(to + bytes, load<f64>(from, 8));
  }
}

/** The sums to the outputs, or added to them. */
function scatter(
  out: usize,
  out_bytes: usize,
  sums: usize,
  sum_bytes: usize,
  outputs: usize,
  count: i32,
  rows: i32,
  add: bool,
): void {
  const end = outputs + ((<usize> count) << 3);
  for (; rows > 0; rows--, out += out_bytes, sums += sum_bytes) {
    if (add) {
      for (let j = outputs; j < end; j += 8) {
        const to = out + ((<usize> load<u32>(j)) << 3);
        store<f64>(to, load<f64>(to) + load<f64>(sums + ((<usize> load<u32>(j, 4)) << 3)));
      }
    } else {
      for (let j = outputs; j < end; j += 8) {
        store<f64>(out + ((<usize> load<u32>(j)) << 3), load<f64>(sums + ((<usize> load<u32>(j, 4)) << 3)));
      }
    }
  }
}
