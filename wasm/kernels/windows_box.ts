import { nan_lanes, padded, zero_padding } from "./rows";
import {
  batch_of,
  begin_of,
  channels_of,
  dilation_of,
  groups_of,
  height_of,
  kernel_of,
  position_of,
  stride_of,
  width_of,
} from "./windows";

/** Outputs whose sums run together, neighbours in a line (of one class of positions where a stride spreads them). */
const LANES: i32 = 4;

/**
 * Interval image of a box under `count` rows (at `rows`, or all for 0) of a convolution's matrix, for every group.
 *
 * box [groups][2][padded inputs] -> out [groups][4][padded count]; each sum in the order of the columns.
 *
 * With `line` > 0 (elements of a line of the copy, `least` the position of its first) there is room at `scratch` for a copy
 * of the box with zeros beside each line, so that all taps of a line exist: a product with such a zero is a zero, which
 * changes no sum. (A box or a kernel that is not finite is summed one entry after the other.)
 */
export function windows_box_f64(
  out: usize,
  rows: usize,
  count: i32,
  kernel: usize,
  kernel_size: i32,
  transposed: bool,
  box: usize,
  groups: i32,
  g: usize,
  line: i32,
  least: i32,
  scratch: usize,
): void {
  const fine = !transposed;
  const inputs = batch_of(g) * channels_of(g, fine) * height_of(g, fine) * width_of(g, fine);
  const bytes = (<usize> padded(inputs)) << 3, out_bytes = (<usize> padded(count)) << 3;
  const lanes = line > 0 && all_finite(kernel, kernel_size);
  for (let group = 0; group < groups; group++) {
    if (lanes && all_finite(box, inputs) && all_finite(box + bytes, inputs)) {
      box_lines(out, out_bytes, rows, count, kernel, transposed, box, bytes, g, line, least, scratch);
    } else {
      for (let i = 0; i < count; i++) {
        box_row(out + ((<usize> i) << 3), out_bytes, row_at(rows, i), kernel, transposed, box, bytes, g);
      }
    }
    for (let t = 0; t < 4; t++) {
      zero_padding<f64>(out, count);
      out += out_bytes;
    }
    box += 2 * bytes;
  }
}

@inline
function row_at(rows: usize, i: i32): i32 {
  return rows == 0 ? i : load<i32>(rows + ((<usize> i) << 2));
}

function all_finite(values: usize, count: i32): bool {
  let bad = f64x2.splat(0);
  const end = values + ((<usize> (count & ~1)) << 3);
  for (; values < end; values += 16) {
    const x = v128.load(values);
    bad = v128.or(bad, nan_lanes(f64x2.sub(x, x)));
  }
  if ((count & 1) != 0) {
    const x = v128.load64_splat(values);
    bad = v128.or(bad, nan_lanes(f64x2.sub(x, x)));
  }
  return !v128.any_true(bad);
}

/** Copies both ends of the box to [2][planes][height][phases][line], zeros where there is no input. */
function spread_box(
  to: usize,
  end_bytes: usize,
  box: usize,
  bytes: usize,
  lines: i32,
  width: i32,
  phases: i32,
  line: i32,
  least: i32,
): void {
  memory.fill(to, 0, 2 * end_bytes);
  for (let end = 0; end < 2; end++) {
    let from = box + <usize> end * bytes, row = to + <usize> end * end_bytes;
    for (let y = 0; y < lines; y++) {
      for (let phase = 0; phase < phases; phase++) {
        for (let x = phase, at = -least; x < width; x += phases, at++) {
          if (at < 0 || at >= line) continue;
          store<f64>(row + ((<usize> at) << 3), load<f64>(from + ((<usize> x) << 3)));
        }
        row += (<usize> line) << 3;
      }
      from += (<usize> width) << 3;
    }
  }
}

/** Quotient rounded down. */
@inline
function floor_quotient(a: i32, b: i32): i32 {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/**
 * The taps of the outputs of one class in one line, in the order of the columns: pairs of a distance in the copy of the box
 * and one in the kernel, in bytes. Returns their end.
 */
function list_taps(to: usize, y: i32, rest: i32, transposed: bool, g: usize, line: i32, least: i32): usize {
  const kh = kernel_of(g, 0), kw = kernel_of(g, 4), height = height_of(g, !transposed);
  const stride = stride_of(g, 4), dilation = dilation_of(g, 4), begin = begin_of(g, 4);
  const phases = transposed ? 1 : stride;
  for (let t = 0; t < kh; t++) {
    const ky = transposed ? kh - 1 - t : t, other_y = position_of(g, 0, transposed, y, ky, height);
    if (other_y < 0) continue;
    for (let s = 0; s < kw; s++) {
      const kx = transposed ? kw - 1 - s : s;
      let phase = 0, at: i32;
      if (transposed) {
        const distance = rest + begin - kx * dilation;
        at = floor_quotient(distance, stride);
        if (at * stride != distance) continue;
      } else {
        const distance = kx * dilation - begin;
        at = floor_quotient(distance, stride);
        phase = distance - at * stride;
      }
      store<i32>(to, ((other_y * phases + phase) * line + at - least) << 3);
      store<i32>(to, (ky * kw + kx) << 3, 4);
      to += 8;
    }
  }
  return to;
}

/** Rows whose taps run together; `scratch`: of each class its block, taps and sums, then the copy of the box. */
function box_lines(
  out: usize,
  out_bytes: usize,
  rows: usize,
  count: i32,
  kernel: usize,
  transposed: bool,
  box: usize,
  bytes: usize,
  g: usize,
  line: i32,
  least: i32,
  scratch: usize,
): void {
  const own_width = width_of(g, transposed), own_height = height_of(g, transposed);
  const own_channels = channels_of(g, transposed), width = width_of(g, !transposed), height = height_of(g, !transposed);
  const channels = channels_of(g, !transposed), taps = kernel_of(g, 0) * kernel_of(g, 4);
  const per_group = channels / groups_of(g), own_per_group = own_channels / groups_of(g);
  const fine_per_group = channels_of(g, true) / groups_of(g);
  const stride = stride_of(g, 4), classes = transposed ? stride : 1, phases = transposed ? 1 : stride;
  // Of a class: y of its taps, end of its taps, block of its sums, and nothing; the sums [4][LANES]; the taps.
  const class_bytes: usize = 16 + 4 * (<usize> LANES) * 8 + ((<usize> taps) << 3);
  for (let c = 0; c < classes; c++) {
    store<i32>(scratch + <usize> c * class_bytes, -1);
    store<i32>(scratch + <usize> c * class_bytes, -1, 8);
  }
  const copy = (scratch + <usize> classes * class_bytes + 15) & ~15;
  const plane_bytes = (<usize> (height * phases * line)) << 3, planes = batch_of(g) * channels;
  const end_bytes = <usize> planes * plane_bytes;
  spread_box(copy, end_bytes, box, bytes, planes * height, width, phases, line, least);
  const blocks = (own_width + LANES - 1) / LANES;
  for (let i = 0; i < count; i++, out += 8) {
    const row = row_at(rows, i), x = row % own_width, across = row / own_width;
    const rest = transposed ? x % stride : 0, m = transposed ? x / stride : x;
    const state = scratch + <usize> rest * class_bytes, block = across * blocks + m / LANES;
    if (load<i32>(state, 8) != block) {
      const y = across % own_height, plane = across / own_height, channel = plane % own_channels;
      const list = state + 16 + 4 * (<usize> LANES) * 8;
      if (load<i32>(state) != y) {
        store<i32>(state, y);
        store<u32>(state, <u32> list_taps(list, y, rest, transposed, g, line, least), 4);
      }
      const weight = transposed
        ? channel / own_per_group * per_group * fine_per_group + channel % own_per_group
        : channel * per_group;
      sum_lanes(
        state + 16,
        list,
        <usize> load<u32>(state, 4),
        kernel + ((<usize> (weight * taps)) << 3),
        (<usize> (transposed ? fine_per_group * taps : taps)) << 3,
        copy + <usize> (plane / own_per_group * per_group) * plane_bytes + ((<usize> (m & ~(LANES - 1))) << 3),
        plane_bytes,
        end_bytes,
        per_group,
      );
      store<i32>(state, block, 8);
    }
    const sum = state + 16 + ((<usize> (m & (LANES - 1))) << 3);
    store<f64>(out, load<f64>(sum));
    store<f64>(out + out_bytes, load<f64>(sum, 32));
    store<f64>(out + 2 * out_bytes, load<f64>(sum, 64));
    store<f64>(out + 3 * out_bytes, load<f64>(sum, 96));
  }
}

/** The four sums of four neighbouring outputs. */
function sum_lanes(
  sums: usize,
  taps: usize,
  taps_end: usize,
  kernel: usize,
  kernel_step: usize,
  lower: usize,
  plane_bytes: usize,
  end_bytes: usize,
  channels: i32,
): void {
  let l0 = f64x2.splat(0), l1 = f64x2.splat(0), h0 = f64x2.splat(0), h1 = f64x2.splat(0);
  let m0 = f64x2.splat(0), m1 = f64x2.splat(0), n0 = f64x2.splat(0), n1 = f64x2.splat(0);
  for (; channels > 0; channels--, kernel += kernel_step, lower += plane_bytes) {
    for (let t = taps; t < taps_end; t += 8) {
      const at = lower + load<u32>(t);
      const w = v128.load64_splat(kernel + load<u32>(t, 4)), high = at + end_bytes;
      let x = f64x2.mul(w, v128.load(at)), y = f64x2.mul(w, v128.load(high));
      let end = f64x2.pmin(x, y);
      l0 = f64x2.add(l0, end);
      m0 = f64x2.add(m0, f64x2.abs(end));
      end = f64x2.pmax(x, y);
      h0 = f64x2.add(h0, end);
      n0 = f64x2.add(n0, f64x2.abs(end));
      x = f64x2.mul(w, v128.load(at, 16)), y = f64x2.mul(w, v128.load(high, 16));
      end = f64x2.pmin(x, y);
      l1 = f64x2.add(l1, end);
      m1 = f64x2.add(m1, f64x2.abs(end));
      end = f64x2.pmax(x, y);
      h1 = f64x2.add(h1, end);
      n1 = f64x2.add(n1, f64x2.abs(end));
    }
  }
  v128.store(sums, l0);
  v128.store(sums, l1, 16);
  v128.store(sums, m0, 32);
  v128.store(sums, m1, 48);
  v128.store(sums, h0, 64);
  v128.store(sums, h1, 80);
  v128.store(sums, n0, 96);
  v128.store(sums, n1, 112);
}

/** One row, entry after entry. */
function box_row(
  out: usize,
  out_bytes: usize,
  row: i32,
  kernel: usize,
  transposed: bool,
  lower: usize,
  bytes: usize,
  g: usize,
): void {
  const own_width = width_of(g, transposed), own_height = height_of(g, transposed);
  const own_channels = channels_of(g, transposed), width = width_of(g, !transposed), height = height_of(g, !transposed);
  const channels = channels_of(g, !transposed), kh = kernel_of(g, 0), kw = kernel_of(g, 4);
  const x = row % own_width, line = row / own_width, y = line % own_height, plane = line / own_height;
  const own_channel = plane % own_channels, sample = plane / own_channels;
  const per_group = channels / groups_of(g), group = own_channel / (own_channels / groups_of(g));
  // The kernel is [coarse channels, fine channels / groups, kh, kw].
  const taps = kh * kw, fine_per_group = channels_of(g, true) / groups_of(g);
  let low: f64 = 0, low_size: f64 = 0, high: f64 = 0, high_size: f64 = 0;
  for (let c = 0; c < per_group; c++) {
    const channel = group * per_group + c;
    const weights = (transposed ? channel * fine_per_group + own_channel % fine_per_group : own_channel * per_group + c) * taps;
    for (let t = 0; t < kh; t++) {
      const ky = transposed ? kh - 1 - t : t, other_y = position_of(g, 0, transposed, y, ky, height);
      if (other_y < 0) continue;
      for (let s = 0; s < kw; s++) {
        const kx = transposed ? kw - 1 - s : s, other_x = position_of(g, 4, transposed, x, kx, width);
        if (other_x < 0) continue;
        const column = ((sample * channels + channel) * height + other_y) * width + other_x;
        const w = load<f64>(kernel + ((<usize> (weights + ky * kw + kx)) << 3));
        const at = lower + ((<usize> column) << 3);
        const l = w * load<f64>(at), u = w * load<f64>(at + bytes);
        const least = min(l, u), most = max(l, u);
        low += least;
        low_size += abs(least);
        high += most;
        high_size += abs(most);
      }
    }
  }
  store<f64>(out, low);
  store<f64>(out + out_bytes, low_size);
  store<f64>(out + 2 * out_bytes, high);
  store<f64>(out + 3 * out_bytes, high_size);
}
