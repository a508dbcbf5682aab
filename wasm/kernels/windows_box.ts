import { padded, zero_padding } from "./rows";
import { batch_of, channels_of, groups_of, height_of, kernel_of, position_of, width_of } from "./windows";

/**
 * Interval image of a box under `count` rows (at `rows`, or all for 0) of a convolution's matrix, for every group.
 *
 * box [groups][2][padded inputs] -> out [groups][4][padded count]; each sum in the order of the columns.
 */
export function windows_box_f64(
  out: usize,
  rows: usize,
  count: i32,
  kernel: usize,
  transposed: bool,
  box: usize,
  groups: i32,
  g: usize,
): void {
  const fine = !transposed;
  const inputs = batch_of(g) * channels_of(g, fine) * height_of(g, fine) * width_of(g, fine);
  const bytes = (<usize> padded(inputs)) << 3, out_bytes = (<usize> padded(count)) << 3;
  for (let group = 0; group < groups; group++) {
    for (let i = 0; i < count; i++) {
      const row = rows == 0 ? i : load<i32>(rows + ((<usize> i) << 2));
      box_row(out + ((<usize> i) << 3), out_bytes, row, kernel, transposed, box, bytes, g);
    }
    for (let t = 0; t < 4; t++) {
      zero_padding(out, count);
      out += out_bytes;
    }
    box += 2 * bytes;
  }
}

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
