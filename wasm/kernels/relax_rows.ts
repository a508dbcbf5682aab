import { accumulate, padded, total } from "./rows";

/**
 * Replaces the activations of a layer by their lines in every row, for lower bounds of the rows.
 *
 * coefficients [rows, columns], table [groups][4][padded columns] -> coefficients, constants, magnitudes [rows].
 * A line whose slope or intercept is 0 contributes exactly +0, also where the coefficient is NaN or infinite.
 */
export function relax_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  table: usize,
  constants: usize,
  magnitudes: usize,
): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    relax_row(coefficients, table + group * 4 * bytes, bytes, constants, magnitudes);
    coefficients += bytes;
    constants += 8;
    magnitudes += 8;
  }
}

/** One row; the four tables lie `bytes` apart. */
function relax_row(row: usize, lines: usize, bytes: usize, constant: usize, magnitude: usize): void {
  let c01 = f64x2.splat(0), c23 = f64x2.splat(0), m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  let lower_slope = lines, lower_intercept = lines + bytes;
  let upper_slope = lines + 2 * bytes, upper_intercept = lines + 3 * bytes;
  for (const end = row + bytes; row < end;) {
    let a = v128.load(row);
    let up = f64x2.ge(a, f64x2.splat(0));
    let slope = v128.bitselect(v128.load(lower_slope), v128.load(upper_slope), up);
    let intercept = v128.bitselect(v128.load(lower_intercept), v128.load(upper_intercept), up);
    let c = v128.andnot(f64x2.mul(a, intercept), f64x2.eq(intercept, f64x2.splat(0)));
    v128.store(row, v128.andnot(f64x2.mul(a, slope), f64x2.eq(slope, f64x2.splat(0))));
    c01 = f64x2.add(c01, c);
    m01 = f64x2.add(m01, f64x2.abs(c));

    a = v128.load(row, 16);
    up = f64x2.ge(a, f64x2.splat(0));
    slope = v128.bitselect(v128.load(lower_slope, 16), v128.load(upper_slope, 16), up);
    intercept = v128.bitselect(v128.load(lower_intercept, 16), v128.load(upper_intercept, 16), up);
    c = v128.andnot(f64x2.mul(a, intercept), f64x2.eq(intercept, f64x2.splat(0)));
    v128.store(row, v128.andnot(f64x2.mul(a, slope), f64x2.eq(slope, f64x2.splat(0))), 16);
    c23 = f64x2.add(c23, c);
    m23 = f64x2.add(m23, f64x2.abs(c));

    row += 32;
    lower_slope += 32;
    lower_intercept += 32;
    upper_slope += 32;
    upper_intercept += 32;
  }
  accumulate(constant, total(c01, c23));
  accumulate(magnitude, total(m01, m23));
}
