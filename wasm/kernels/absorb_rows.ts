import { accumulate, padded, total } from "./rows";

/**
 * Adds a row's product with the bias to its constant, and what rounding may have lost in the step to its magnitude.
 *
 * coefficients [rows, columns], bias [columns] or 0 for none, q [groups][padded columns] -> constants, magnitudes [rows].
 */
export function absorb_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  bias: usize,
  q: usize,
  constants: usize,
  magnitudes: usize,
): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    accumulate(constants, bias == 0 ? 0 : dot(coefficients, bias, bytes));
    accumulate(magnitudes, magnitude_dot(coefficients, q + group * bytes, bytes));
    coefficients += bytes;
    constants += 8;
    magnitudes += 8;
  }
}

/** Sum of a_j b_j over a padded row. */
function dot(a: usize, b: usize, bytes: usize): f64 {
  let s01 = f64x2.splat(0), s23 = f64x2.splat(0);
  for (const end = a + bytes; a < end; a += 32, b += 32) {
    s01 = f64x2.add(s01, f64x2.mul(v128.load(a), v128.load(b)));
    s23 = f64x2.add(s23, f64x2.mul(v128.load(a, 16), v128.load(b, 16)));
  }
  return total(s01, s23);
}

/** Sum of |a_j| b_j over a padded row. */
function magnitude_dot(a: usize, b: usize, bytes: usize): f64 {
  let s01 = f64x2.splat(0), s23 = f64x2.splat(0);
  for (const end = a + bytes; a < end; a += 32, b += 32) {
    s01 = f64x2.add(s01, f64x2.mul(f64x2.abs(v128.load(a)), v128.load(b)));
    s23 = f64x2.add(s23, f64x2.mul(f64x2.abs(v128.load(a, 16)), v128.load(b, 16)));
  }
  return total(s01, s23);
}
