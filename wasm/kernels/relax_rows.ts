import { accumulate_pair, load_pair, padded, run_length, store_pair } from "./rows";

/**
 * Replaces the activations of a layer by their lines in every row, for lower bounds of the rows.
 *
 * coefficients [rows, stride], of which `columns` columns are seen, table [groups][4][padded columns] -> coefficients,
 * constants, magnitudes [rows].
 * A line whose slope or intercept is 0 contributes exactly +0, also where the coefficient is NaN or infinite.
 */
function relax_rows<T>(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  table: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  const bytes = (<usize> padded(columns)) << 3, width = (<usize> columns) << 3, row_bytes = (<usize> stride) << alignof<T>();
  for (let r = 0; r < rows;) {
    const count = run_length(groups, r, rows);
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    const at = (<usize> r) << 3;
    const row = coefficients + <usize> r * row_bytes, lines = table + group * 4 * bytes;
    relax_run<T>(row, count, row_bytes, lines, bytes, width, constants + at, magnitudes + at);
    r += count;
  }
}

/** Up to four rows of one group; missing ones repeat the first. The four tables lie `bytes` apart. */
function relax_run<T>(
  row: usize,
  count: i32,
  row_bytes: usize,
  lines: usize,
  bytes: usize,
  width: usize,
  constants: usize,
  magnitudes: usize,
): void {
  let r0 = row, r1 = row + (count > 1 ? row_bytes : 0);
  let r2 = row + (count > 2 ? 2 * row_bytes : 0), r3 = row + (count > 3 ? 3 * row_bytes : 0);
  let c01 = f64x2.splat(0), c23 = f64x2.splat(0), m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  const zero = f64x2.splat(0);
  for (const end = lines + width; lines < end; lines += 8) {
    const lower_slope = v128.load64_splat(lines), lower_intercept = v128.load64_splat(lines + bytes);
    const upper_slope = v128.load64_splat(lines + 2 * bytes), upper_intercept = v128.load64_splat(lines + 3 * bytes);
    const a01 = load_pair<T>(r0, r1), a23 = load_pair<T>(r2, r3);

    let up = f64x2.ge(a01, zero);
    let slope = v128.bitselect(lower_slope, upper_slope, up);
    let intercept = v128.bitselect(lower_intercept, upper_intercept, up);
    let c = v128.andnot(f64x2.mul(a01, intercept), f64x2.eq(intercept, zero));
    const b01 = v128.andnot(f64x2.mul(a01, slope), f64x2.eq(slope, zero));
    c01 = f64x2.add(c01, c);
    m01 = f64x2.add(m01, f64x2.abs(c));

    up = f64x2.ge(a23, zero);
    slope = v128.bitselect(lower_slope, upper_slope, up);
    intercept = v128.bitselect(lower_intercept, upper_intercept, up);
    c = v128.andnot(f64x2.mul(a23, intercept), f64x2.eq(intercept, zero));
    const b23 = v128.andnot(f64x2.mul(a23, slope), f64x2.eq(slope, zero));
    c23 = f64x2.add(c23, c);
    m23 = f64x2.add(m23, f64x2.abs(c));

    // Stored after all loads: a repeated row is relaxed once. Repeats (always row 0) write what row 0 writes.
    store_pair<T>(r2, r3, b23);
    store_pair<T>(r0, r1, b01);
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
export function relax_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  table: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  relax_rows<f64>(coefficients, rows, columns, groups, table, constants, magnitudes, stride);
}

export function relax_rows_f32(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  table: usize,
  constants: usize,
  magnitudes: usize,
  stride: i32,
): void {
  relax_rows<f32>(coefficients, rows, columns, groups, table, constants, magnitudes, stride);
}
