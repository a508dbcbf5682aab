import { accumulate_pair, load_pair, padded, run_length } from "./rows";

/**
 * Adds a row's product with the bias to its constant, and what rounding may have lost in the step to its magnitude.
 *
 * coefficients [rows, stride], of which `columns` columns are seen, bias [columns] or 0 for none, q [groups][padded columns] -> constants, magnitudes [rows].
 */
function absorb_rows<T>(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  bias: usize,
  q: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  const bytes = (<usize> padded(columns)) << 3, width = (<usize> columns) << 3, row_bytes = (<usize> stride) << alignof<T>();
  for (let r = 0; r < rows;) {
    const count = run_length(groups, r, rows);
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    const at = (<usize> r) << 3, row = coefficients + <usize> r * row_bytes;
    if (bias == 0) absorb_run<T>(row, count, row_bytes, q + group * bytes, width, constants + at, magnitudes + at);
    else absorb_run_with_bias<T>(row, count, row_bytes, q + group * bytes, width, bias, constants + at, magnitudes + at);
    r += count;
  }
}

/** Up to four rows of one group; missing ones repeat the first. */
function absorb_run<T>(
  row: usize,
  count: i32,
  row_bytes: usize,
  q: usize,
  width: usize,
  constants: usize,
  magnitudes: usize,
): void {
  let r0 = row, r1 = row + (count > 1 ? row_bytes : 0);
  let r2 = row + (count > 2 ? 2 * row_bytes : 0), r3 = row + (count > 3 ? 3 * row_bytes : 0);
  let m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  for (const end = q + width; q < end; q += 8) {
    const weight = v128.load64_splat(q);
    m01 = f64x2.add(m01, f64x2.mul(f64x2.abs(load_pair<T>(r0, r1)), weight));
    m23 = f64x2.add(m23, f64x2.mul(f64x2.abs(load_pair<T>(r2, r3)), weight));
    r0 += sizeof<T>();
    r1 += sizeof<T>();
    r2 += sizeof<T>();
    r3 += sizeof<T>();
  }
  accumulate_pair(constants, f64x2.splat(0), count);
  accumulate_pair(magnitudes, m01, count);
  if (count <= 2) return;
  accumulate_pair(constants + 16, f64x2.splat(0), count - 2);
  accumulate_pair(magnitudes + 16, m23, count - 2);
}

function absorb_run_with_bias<T>(
  row: usize,
  count: i32,
  row_bytes: usize,
  q: usize,
  width: usize,
  bias: usize,
  constants: usize,
  magnitudes: usize,
): void {
  let r0 = row, r1 = row + (count > 1 ? row_bytes : 0);
  let r2 = row + (count > 2 ? 2 * row_bytes : 0), r3 = row + (count > 3 ? 3 * row_bytes : 0);
  let c01 = f64x2.splat(0), c23 = f64x2.splat(0), m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  for (const end = q + width; q < end; q += 8) {
    const weight = v128.load64_splat(q), b = v128.load64_splat(bias);
    const a01 = load_pair<T>(r0, r1), a23 = load_pair<T>(r2, r3);
    c01 = f64x2.add(c01, f64x2.mul(a01, b));
    m01 = f64x2.add(m01, f64x2.mul(f64x2.abs(a01), weight));
    c23 = f64x2.add(c23, f64x2.mul(a23, b));
    m23 = f64x2.add(m23, f64x2.mul(f64x2.abs(a23), weight));
    bias += 8;
    r0 += sizeof<T>();
    r1 += sizeof<T>();
    r2 += sizeof<T>();
    r3 += sizeof<T>();
  }
  accumulate_pair(constants, c01, count);
  accumulate_pair(magnitudes, m01, count);
  if (count <= 2) return;
  accumulate_pair(constants + 16, c23, count - 2);
  accumulate_pair(magnitudes + 16, m23, count - 2);
}

/** For coefficients of f64, and of f32: what becomes of them is computed in f64 and rounded. */
export function absorb_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  bias: usize,
  q: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  absorb_rows<f64>(coefficients, rows, columns, groups, bias, q, constants, magnitudes, stride);
}

export function absorb_rows_f32(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  bias: usize,
  q: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  absorb_rows<f32>(coefficients, rows, columns, groups, bias, q, constants, magnitudes, stride);
}
