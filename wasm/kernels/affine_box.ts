import { nan_lanes, padded, total, zero_padding } from "./rows";

/**
 * Interval image of a box under a matrix, for every group: sums of the low ends, of their magnitudes, and of the high ones.
 *
 * matrix [rows, columns], box [groups][2][padded columns] -> out [groups][4][padded rows].
 */
export function affine_box_f64(out: usize, matrix: usize, box: usize, groups: i32, rows: i32, columns: i32): void {
  const bytes = (<usize> padded(columns)) << 3, out_bytes = (<usize> padded(rows)) << 3;
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < rows; i++) {
      box_row(out + ((<usize> i) << 3), out_bytes, matrix + <usize> i * bytes, box, bytes);
    }
    for (let t = 0; t < 4; t++) {
      zero_padding(out, rows);
      out += out_bytes;
    }
    box += 2 * bytes;
  }
}

/** The smaller of two products; a NaN in either stays. */
// @ts-ignore: decorator
@inline
function low_end(x: v128, y: v128): v128 {
  return v128.or(f64x2.pmin(x, y), nan_lanes(y));
}

/** The larger of two products; a NaN in either stays. */
// @ts-ignore: decorator
@inline
function high_end(x: v128, y: v128): v128 {
  return v128.or(f64x2.pmax(x, y), nan_lanes(y));
}

/** One row of the matrix; its four sums go to places `out_bytes` apart. */
function box_row(out: usize, out_bytes: usize, row: usize, lower: usize, bytes: usize): void {
  let l01 = f64x2.splat(0), l23 = f64x2.splat(0), h01 = f64x2.splat(0), h23 = f64x2.splat(0);
  let la01 = f64x2.splat(0), la23 = f64x2.splat(0), ha01 = f64x2.splat(0), ha23 = f64x2.splat(0);
  let upper = lower + bytes;
  for (const end = row + bytes; row < end;) {
    let w = v128.load(row);
    let x = f64x2.mul(w, v128.load(lower)), y = f64x2.mul(w, v128.load(upper));
    let low = low_end(x, y), high = high_end(x, y);
    l01 = f64x2.add(l01, low);
    la01 = f64x2.add(la01, f64x2.abs(low));
    h01 = f64x2.add(h01, high);
    ha01 = f64x2.add(ha01, f64x2.abs(high));

    w = v128.load(row, 16);
    x = f64x2.mul(w, v128.load(lower, 16)), y = f64x2.mul(w, v128.load(upper, 16));
    low = low_end(x, y), high = high_end(x, y);
    l23 = f64x2.add(l23, low);
    la23 = f64x2.add(la23, f64x2.abs(low));
    h23 = f64x2.add(h23, high);
    ha23 = f64x2.add(ha23, f64x2.abs(high));

    row += 32;
    lower += 32;
    upper += 32;
  }
  store<f64>(out, total(l01, l23));
  store<f64>(out + out_bytes, total(la01, la23));
  store<f64>(out + 2 * out_bytes, total(h01, h23));
  store<f64>(out + 3 * out_bytes, total(ha01, ha23));
}
