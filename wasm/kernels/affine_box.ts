import { load_pair, nan_lanes, padded, zero_padding } from "./rows";

/**
 * Interval image of a box under a matrix, for every group: sums of the low ends, of their magnitudes, and of the high ones.
 *
 * matrix [rows, columns], box [groups][2][padded columns] -> out [groups][4][padded rows].
 */
export function affine_box_f64(out: usize, matrix: usize, box: usize, groups: i32, rows: i32, columns: i32): void {
  const bytes = (<usize> padded(columns)) << 3, out_bytes = (<usize> padded(rows)) << 3;
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < rows; i += 4) {
      box_rows(out + ((<usize> i) << 3), out_bytes, matrix + <usize> i * bytes, min(rows - i, 4), box, bytes);
    }
    for (let t = 0; t < 4; t++) {
      zero_padding<f64>(out, rows);
      out += out_bytes;
    }
    box += 2 * bytes;
  }
}

/** The smaller of two products; a NaN in either stays. */
@inline
function low_end(x: v128, y: v128): v128 {
  return v128.or(f64x2.pmin(x, y), nan_lanes(y));
}

/** The larger of two products; a NaN in either stays. */
@inline
function high_end(x: v128, y: v128): v128 {
  return v128.or(f64x2.pmax(x, y), nan_lanes(y));
}

/** Up to four rows of the matrix (missing ones repeat the first); the four sums go to places `out_bytes` apart. */
function box_rows(out: usize, out_bytes: usize, row: usize, count: i32, lower: usize, bytes: usize): void {
  let r0 = row, r1 = row + (count > 1 ? bytes : 0);
  let r2 = row + (count > 2 ? 2 * bytes : 0), r3 = row + (count > 3 ? 3 * bytes : 0);
  let l01 = f64x2.splat(0), l23 = f64x2.splat(0), h01 = f64x2.splat(0), h23 = f64x2.splat(0);
  let la01 = f64x2.splat(0), la23 = f64x2.splat(0), ha01 = f64x2.splat(0), ha23 = f64x2.splat(0);
  for (const end = lower + bytes; lower < end; lower += 8) {
    const l = v128.load64_splat(lower), u = v128.load64_splat(lower + bytes);
    let w = load_pair<f64>(r0, r1);
    let x = f64x2.mul(w, l), y = f64x2.mul(w, u);
    let low = low_end(x, y), high = high_end(x, y);
    l01 = f64x2.add(l01, low);
    la01 = f64x2.add(la01, f64x2.abs(low));
    h01 = f64x2.add(h01, high);
    ha01 = f64x2.add(ha01, f64x2.abs(high));

    w = load_pair<f64>(r2, r3);
    x = f64x2.mul(w, l), y = f64x2.mul(w, u);
    low = low_end(x, y), high = high_end(x, y);
    l23 = f64x2.add(l23, low);
    la23 = f64x2.add(la23, f64x2.abs(low));
    h23 = f64x2.add(h23, high);
    ha23 = f64x2.add(ha23, f64x2.abs(high));

    r0 += 8;
    r1 += 8;
    r2 += 8;
    r3 += 8;
  }
  // Behind the last row these land in the padding, which is zeroed afterwards.
  v128.store(out, l01);
  v128.store(out, l23, 16);
  v128.store(out + out_bytes, la01);
  v128.store(out + out_bytes, la23, 16);
  v128.store(out + 2 * out_bytes, h01);
  v128.store(out + 2 * out_bytes, h23, 16);
  v128.store(out + 3 * out_bytes, ha01);
  v128.store(out + 3 * out_bytes, ha23, 16);
}
