import { accumulate, nan_lanes, padded, total } from "./rows";

/**
 * Adds the lower end of every row over the box of its group to its constant, and the magnitude of the sum beside it.
 *
 * coefficients [rows, columns], box [groups][2][padded columns] -> constants, magnitudes [rows].
 */
export function concretize_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  box: usize,
  constants: usize,
  magnitudes: usize,
): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    concretize_row(coefficients, box + group * 2 * bytes, bytes, constants, magnitudes);
    coefficients += bytes;
    constants += 8;
    magnitudes += 8;
  }
}

/** max(|lower|, |upper|); pmax alone would lose a NaN in `upper`. */
// @ts-ignore: decorator
@inline
function largest(lower: v128, upper: v128): v128 {
  return v128.or(f64x2.pmax(f64x2.abs(lower), f64x2.abs(upper)), nan_lanes(upper));
}

/** One row; the upper ends lie `bytes` behind the lower ones. */
function concretize_row(row: usize, lower: usize, bytes: usize, constant: usize, magnitude: usize): void {
  let c01 = f64x2.splat(0), c23 = f64x2.splat(0), m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  let upper = lower + bytes;
  for (const end = row + bytes; row < end;) {
    let a = v128.load(row), l = v128.load(lower), u = v128.load(upper);
    c01 = f64x2.add(c01, f64x2.mul(a, v128.bitselect(l, u, f64x2.ge(a, f64x2.splat(0)))));
    m01 = f64x2.add(m01, f64x2.mul(f64x2.abs(a), largest(l, u)));

    a = v128.load(row, 16), l = v128.load(lower, 16), u = v128.load(upper, 16);
    c23 = f64x2.add(c23, f64x2.mul(a, v128.bitselect(l, u, f64x2.ge(a, f64x2.splat(0)))));
    m23 = f64x2.add(m23, f64x2.mul(f64x2.abs(a), largest(l, u)));

    row += 32;
    lower += 32;
    upper += 32;
  }
  accumulate(constant, total(c01, c23));
  accumulate(magnitude, total(m01, m23));
}
