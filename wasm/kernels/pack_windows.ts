import {
  BLOCK_BYTES,
  BLOCK_COLUMNS,
  BLOCK_OUTPUTS,
  blocks_of_group,
  GROUP_BYTES,
  k_of_block,
  list,
  n_of_block,
} from "./blocks";
import { chunk_length } from "./pack";
import { padded, panels } from "./rows";
import { batch_of, begin_of, channels_of, dilation_of, groups_of, height_of, kernel_of, stride_of, width_of } from "./windows";

/**
 * What is known of a value of a grid: the sample and group it belongs to, where it lies on both axes in units of the fine
 * grid, and its share of a place in the kernel, in bytes. A spot is the outputs of a block at one position of a group: a
 * value, then its key, the start and the length of its list, and whether its weights lie one `step` apart.
 */
const VALUE_BYTES: usize = 16, SPOT_BYTES: usize = 32;

/**
 * Fills the packed blocks of a part of a convolution's matrix.
 *
 * The rows are decoded once. Then for each block its outputs are sorted by their position (`table` holds one more than the
 * number of the spot of each), and every row writes the entries of the spots it meets; the rest of the block is zero.
 */
function pack_windows<T>(
  out: usize,
  blocks: usize,
  groups: i32,
  widest: i32,
  k: i32,
  rows: usize,
  inputs: usize,
  kernel: usize,
  transposed: bool,
  g: usize,
  scratch: usize,
): void {
  const positions = batch_of(g) * groups_of(g) * height_of(g, !transposed) * width_of(g, !transposed);
  const decoded = scratch, spots = decoded + <usize> k * VALUE_BYTES, bytes = (<usize> padded(widest)) << 2;
  const owners = spots + <usize> (widest + 1) * SPOT_BYTES, weights = owners + bytes, order = weights + bytes;
  const places = order + bytes, first_weights = places + bytes, table = first_weights + bytes;
  const columns: i32 = 32 >> <i32> alignof<T>();
  memory.fill(table, 0, (<usize> positions) << 2);
  for (let i = 0; i < k; i++) {
    decode(decoded + <usize> i * VALUE_BYTES, load<i32>(rows + ((<usize> i) << 2)), transposed, g);
  }
  const step = (<usize> ((transposed ? channels_of(g, true) / groups_of(g) : 1) * kernel_of(g, 0) * kernel_of(g, 4))) << 3;
  let block = blocks + <usize> groups * GROUP_BYTES;
  for (let group = blocks; groups > 0; groups--, group += GROUP_BYTES) {
    for (const end = block + <usize> blocks_of_group(group) * BLOCK_BYTES; block < end; block += BLOCK_BYTES) {
      const n = n_of_block(block), block_k = k_of_block(block), outputs = list(blocks, block, BLOCK_OUTPUTS);
      const spot_count = find_spots(
        n,
        outputs,
        inputs,
        !transposed,
        g,
        step,
        spots,
        owners,
        first_weights,
        weights,
        order,
        table,
      );
      const last = spots + <usize> spot_count * SPOT_BYTES, row_bytes = (<usize> panels<T>(n)) << 5;
      // One spot of all outputs writes whole rows, one weight after the other.
      const whole = spot_count == 1 && load<i32>(spots, 28) != 0;
      if (!whole) memory.fill(out, 0, <usize> block_k * row_bytes);
      const chunk = chunk_length<T>(block_k, n);
      let column = list(blocks, block, BLOCK_COLUMNS);
      for (let first = 0; first < block_k; first += chunk) {
        const depth = min(chunk, block_k - first), panel_bytes = (<usize> depth) << 5;
        if (!whole) {
          for (let t: usize = 0, end = (<usize> n) << 2; t < end; t += 4) {
            const j = load<i32>(order + t);
            store<i32>(places + t, ((j / columns * depth) << 5) + ((j % columns) << <i32> alignof<T>()));
          }
        }
        for (let to = out, end = out + panel_bytes; to < end; to += 32, column += 4) {
          const value = decoded + <usize> load<u32>(column) * VALUE_BYTES;
          if (whole) {
            const tap = tap_of(value, spots, transposed, g);
            if (tap < 0) zero_row<T>(to, panel_bytes, n);
            else pack_panels<T>(to, panel_bytes, kernel + load<u32>(value, 12) + <usize> tap + load<u32>(weights), step, n);
          } else {
            pack_spots<T>(to, value, spots, last, kernel, transposed, g, weights, places);
          }
        }
        out += (<usize> depth) * row_bytes;
      }
      for (let spot = spots; spot < last; spot += SPOT_BYTES) {
        store<i32>(table + ((<usize> load<u32>(spot, 16)) << 2), 0);
      }
    }
  }
}

/** Writes what is known of the value of a grid (the fine one or the coarse one) with index `index`. */
function decode(to: usize, index: i32, fine: bool, g: usize): void {
  const width = width_of(g, fine), height = height_of(g, fine), channels = channels_of(g, fine);
  const line = index / width, plane = line / height, per_group = channels / groups_of(g);
  const x = index - line * width, y = line - plane * height, channel = plane % channels;
  const taps = kernel_of(g, 0) * kernel_of(g, 4);
  store<i32>(to, plane / per_group);
  store<i32>(to, fine ? y + begin_of(g, 0) : y * stride_of(g, 0), 4);
  store<i32>(to, fine ? x + begin_of(g, 4) : x * stride_of(g, 4), 8);
  store<i32>(to, (fine ? channel % per_group * taps : channel * (channels_of(g, true) / groups_of(g)) * taps) << 3, 12);
}

/** Sorts the outputs of a block by their spots; returns how many spots there are. */
function find_spots(
  n: i32,
  outputs: usize,
  inputs: usize,
  fine: bool,
  g: usize,
  step: usize,
  spots: usize,
  owners: usize,
  first_weights: usize,
  weights: usize,
  order: usize,
  table: usize,
): i32 {
  const area = width_of(g, fine) * height_of(g, fine), end = (<usize> n) << 2;
  let count = 0;
  for (let j: usize = 0; j < end; j += 4) {
    const input = load<i32>(inputs + ((<usize> load<u32>(outputs + j)) << 2));
    // Decoded behind the last spot, which it may become.
    const next = spots + <usize> count * SPOT_BYTES;
    decode(next, input, fine, g);
    store<i32>(first_weights + j, load<i32>(next, 12));
    const key = load<i32>(next) * area + input % area, entry = table + ((<usize> key) << 2);
    if (load<i32>(entry) == 0) {
      store<i32>(next, key, 16);
      store<i32>(next, 0, 24);
      store<i32>(entry, ++count);
    }
    const owner = load<i32>(entry) - 1, spot = spots + <usize> owner * SPOT_BYTES;
    store<i32>(owners + j, owner);
    store<i32>(spot, load<i32>(spot, 24) + 1, 24);
  }
  const last = spots + <usize> count * SPOT_BYTES;
  let start = 0;
  for (let spot = spots; spot < last; spot += SPOT_BYTES) {
    store<i32>(spot, start, 20);
    start += load<i32>(spot, 24);
    store<i32>(spot, 0, 24);
    store<i32>(spot, 1, 28);
  }
  for (let j: usize = 0; j < end; j += 4) {
    const spot = spots + <usize> load<u32>(owners + j) * SPOT_BYTES, length = load<i32>(spot, 24);
    const to = (<usize> (load<i32>(spot, 20) + length)) << 2, weight = load<i32>(first_weights + j);
    store<i32>(order + to, <i32> (j >> 2));
    store<i32>(weights + to, weight);
    store<i32>(spot, length + 1, 24);
    if (length > 0 && load<i32>(weights + to - 4) + <i32> step != weight) store<i32>(spot, 0, 28);
  }
  return count;
}

/** The tap with which two distances from it meet, or -1. */
@inline
function tap_at(distance: i32, taps: i32, dilation: i32): i32 {
  if (distance < 0) return -1;
  if (dilation != 1) {
    const tap = distance / dilation;
    if (tap * dilation != distance) return -1;
    distance = tap;
  }
  return distance < taps ? distance : -1;
}

/** Distance in the kernel, in bytes, of the tap with which a row meets a spot, or -1. */
@inline
function tap_of(value: usize, spot: usize, transposed: bool, g: usize): i32 {
  if (load<i32>(value) != load<i32>(spot)) return -1;
  const y = load<i32>(spot, 4) - load<i32>(value, 4), x = load<i32>(spot, 8) - load<i32>(value, 8);
  const ky = tap_at(transposed ? -y : y, kernel_of(g, 0), dilation_of(g, 0));
  const kx = tap_at(transposed ? -x : x, kernel_of(g, 4), dilation_of(g, 4));
  return ky < 0 || kx < 0 ? -1 : (ky * kernel_of(g, 4) + kx) << 3;
}

/** A row of zeros in each panel. */
function zero_row<T>(to: usize, panel_bytes: usize, n: i32): void {
  for (; n > 0; n -= 32 >> <i32> alignof<T>(), to += panel_bytes) {
    v128.store(to, f64x2.splat(0));
    v128.store(to, f64x2.splat(0), 16);
  }
}

/** `n` weights, `step` bytes apart, as consecutive outputs from a panel's first on; zeros behind them. */
function pack_panels<T>(to: usize, panel_bytes: usize, from: usize, step: usize, n: i32): void {
  if (sizeof<T>() == 4) {
    for (; n > 0; n -= 8, to += panel_bytes) {
      const columns = min(n, 8);
      if (columns < 8) {
        v128.store(to, f64x2.splat(0));
        v128.store(to, f64x2.splat(0), 16);
      }
      for (let place = to, end = to + ((<usize> columns) << 2); place < end; place += 4, from += step) {
        store<f32>(place, <f32> load<f64>(from));
      }
    }
    return;
  }
  for (; n >= 4; n -= 4, to += panel_bytes) {
    const w0 = v128.load64_zero(from);
    from += step;
    const w1 = v128.load64_lane(from, w0, 1);
    from += step;
    const w2 = v128.load64_zero(from);
    from += step;
    const w3 = v128.load64_lane(from, w2, 1);
    from += step;
    v128.store(to, w1);
    v128.store(to, w3, 16);
  }
  if (n == 0) return;
  v128.store(to, f64x2.splat(0));
  v128.store(to, f64x2.splat(0), 16);
  for (; n > 0; n--, to += 8, from += step) store<f64>(to, load<f64>(from));
}

/** The entries of a row of the matrix at the spots that it meets. */
function pack_spots<T>(
  to: usize,
  value: usize,
  spots: usize,
  last: usize,
  kernel: usize,
  transposed: bool,
  g: usize,
  weights: usize,
  places: usize,
): void {
  for (let spot = spots; spot < last; spot += SPOT_BYTES) {
    const tap = tap_of(value, spot, transposed, g);
    if (tap < 0) continue;
    const from = kernel + load<u32>(value, 12) + <usize> tap;
    let t = (<usize> load<u32>(spot, 20)) << 2;
    for (const end = t + ((<usize> load<u32>(spot, 24)) << 2); t < end; t += 4) {
      store<T>(to + load<u32>(places + t), <T> load<f64>(from + load<u32>(weights + t)));
    }
  }
}

/** Into blocks of f64, and of f32. */
export function pack_windows_f64(
  out: usize,
  blocks: usize,
  groups: i32,
  widest: i32,
  k: i32,
  rows: usize,
  inputs: usize,
  kernel: usize,
  transposed: bool,
  g: usize,
  scratch: usize,
): void {
  pack_windows<f64>(out, blocks, groups, widest, k, rows, inputs, kernel, transposed, g, scratch);
}

export function pack_windows_f32(
  out: usize,
  blocks: usize,
  groups: i32,
  widest: i32,
  k: i32,
  rows: usize,
  inputs: usize,
  kernel: usize,
  transposed: bool,
  g: usize,
  scratch: usize,
): void {
  pack_windows<f32>(out, blocks, groups, widest, k, rows, inputs, kernel, transposed, g, scratch);
}
