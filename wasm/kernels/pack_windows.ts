import { chunk_length } from "./pack";
import { padded } from "./rows";
import { batch_of, channels_of, groups_of, height_of, kernel_of, position_of, width_of } from "./windows";

/**
 * Fills the packed blocks of a part of a convolution's matrix.
 *
 * Each block is zeroed; then every row goes over its taps and writes where a tap meets an output. For that the outputs of
 * the block are listed by their position (sample, group, y, x): `table` holds start + 1 and length of the list of each
 * position, `keys`, `weights` and `places` hold for each output its position, its place in the kernel, its place in a row.
 */
export function pack_windows_f64(
  out: usize,
  blocks: usize,
  count: i32,
  widest: i32,
  rows: usize,
  inputs: usize,
  kernel: usize,
  transposed: bool,
  g: usize,
  scratch: usize,
): void {
  const fine = !transposed;
  const positions = batch_of(g) * groups_of(g) * height_of(g, fine) * width_of(g, fine);
  const table = scratch, keys = table + ((<usize> positions) << 3);
  const bytes = (<usize> padded(widest)) << 2;
  const weights = keys + bytes, order = weights + bytes, places = order + bytes;
  memory.fill(table, 0, (<usize> positions) << 3);
  for (let b = 0; b < count; b++) {
    const block = blocks + ((<usize> b) << 4);
    const k = load<i32>(block), n = load<i32>(block, 4);
    const columns = blocks + ((<usize> load<i32>(block, 8)) << 2), outputs = blocks + ((<usize> load<i32>(block, 12)) << 2);
    const row_bytes = (<usize> padded(n)) << 3;
    memory.fill(out, 0, <usize> k * row_bytes);
    list_outputs(n, outputs, inputs, transposed, g, table, keys, weights, order);
    const chunk = chunk_length(k, n);
    for (let first = 0; first < k; first += chunk) {
      const depth = min(chunk, k - first);
      for (let t = 0; t < n; t++) {
        const j = load<i32>(order + ((<usize> t) << 2));
        store<i32>(places + ((<usize> t) << 2), (((j >> 2) * depth) << 5) + ((j & 3) << 3));
      }
      const to = out + <usize> first * row_bytes;
      for (let i = 0; i < depth; i++) {
        const row = load<i32>(rows + ((<usize> load<i32>(columns + ((<usize> (first + i)) << 2))) << 2));
        pack_row(to + ((<usize> i) << 5), row, kernel, transposed, g, table, weights, places);
      }
    }
    for (let j = 0; j < n; j++) store<i64>(table + ((<usize> load<i32>(keys + ((<usize> j) << 2))) << 3), 0);
    out += <usize> k * row_bytes;
  }
}

/** Sorts the outputs of a block by their position. */
function list_outputs(
  n: i32,
  outputs: usize,
  inputs: usize,
  transposed: bool,
  g: usize,
  table: usize,
  keys: usize,
  weights: usize,
  order: usize,
): void {
  const area = width_of(g, !transposed) * height_of(g, !transposed), channels = channels_of(g, !transposed);
  const per_group = channels / groups_of(g);
  for (let j: usize = 0; j < <usize> n; j++) {
    const input = load<i32>(inputs + ((<usize> load<i32>(outputs + (j << 2))) << 2));
    const plane = input / area, key = plane / per_group * area + input % area;
    store<i32>(keys + (j << 2), key);
    const entry = table + ((<usize> key) << 3);
    store<i32>(entry, load<i32>(entry, 4) + 1, 4);
  }
  const taps = kernel_of(g, 0) * kernel_of(g, 4), fine_per_group = channels_of(g, true) / groups_of(g);
  let next = 0;
  for (let j: usize = 0; j < <usize> n; j++) {
    const entry = table + ((<usize> load<i32>(keys + (j << 2))) << 3);
    if (load<i32>(entry) == 0) {
      store<i32>(entry, next + 1);
      next += load<i32>(entry, 4);
      store<i32>(entry, 0, 4);
    }
    const length = load<i32>(entry, 4), at = (<usize> (load<i32>(entry) - 1 + length)) << 2;
    store<i32>(entry, length + 1, 4);
    const channel = load<i32>(inputs + ((<usize> load<i32>(outputs + (j << 2))) << 2)) / area % channels;
    const weight = transposed ? channel * fine_per_group * taps : channel % per_group * taps;
    store<i32>(weights + at, weight << 3);
    store<i32>(order + at, <i32> j);
  }
}

/** The entries of a row of the matrix, to the places of the outputs that its taps meet. */
function pack_row(
  to: usize,
  row: i32,
  kernel: usize,
  transposed: bool,
  g: usize,
  table: usize,
  weights: usize,
  places: usize,
): void {
  const own_width = width_of(g, transposed), own_height = height_of(g, transposed);
  const own_channels = channels_of(g, transposed), width = width_of(g, !transposed), height = height_of(g, !transposed);
  const kh = kernel_of(g, 0), kw = kernel_of(g, 4);
  const x = row % own_width, line = row / own_width, y = line % own_height, plane = line / own_height;
  const own_per_group = own_channels / groups_of(g), channel = plane % own_channels;
  const fine_per_group = channels_of(g, true) / groups_of(g);
  const own_weight = (transposed ? channel % own_per_group : channel * fine_per_group) * kh * kw;
  const base = plane / own_per_group * height;
  for (let ky = 0; ky < kh; ky++) {
    const other_y = position_of(g, 0, transposed, y, ky, height);
    if (other_y < 0) continue;
    for (let kx = 0; kx < kw; kx++) {
      const other_x = position_of(g, 4, transposed, x, kx, width);
      if (other_x < 0) continue;
      const entry = table + ((<usize> ((base + other_y) * width + other_x)) << 3);
      const start = load<i32>(entry);
      if (start == 0) continue;
      const from = kernel + ((<usize> (own_weight + ky * kw + kx)) << 3);
      const end = (<usize> (start - 1 + load<i32>(entry, 4))) << 2;
      for (let t = (<usize> (start - 1)) << 2; t < end; t += 4) {
        store<f64>(to + load<u32>(places + t), load<f64>(from + load<u32>(weights + t)));
      }
    }
  }
}
