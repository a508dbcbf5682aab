import { accumulate_pair, load_pair, nan_lanes, padded, run_length } from "./rows";

/**
 * Adds the lower end of every row over the box of its group to its constant, and the magnitude of the sum beside it.
 *
 * coefficients [rows, columns], box [groups][2][padded columns] -> constants, magnitudes [rows].
 */
function concretize_rows<T>(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  box: usize,
  constants: usize,
  magnitudes: usize,
): void {
  const bytes = (<usize> padded(columns)) << 3, row_bytes = (<usize> padded(columns)) << alignof<T>();
  for (let r = 0; r < rows;) {
    const count = run_length(groups, r, rows);
    const group = <usize> load<i32>(groups + ((<usize> r) << 2));
    const at = (<usize> r) << 3;
    concretize_run<T>(
      coefficients + <usize> r * row_bytes,
      count,
      row_bytes,
      box + group * 2 * bytes,
      bytes,
      constants + at,
      magnitudes + at,
    );
    r += count;
  }
}

/** max(|lower|, |upper|); pmax alone would lose a NaN in `upper`. */
@inline
function largest(lower: v128, upper: v128): v128 {
  return v128.or(f64x2.pmax(f64x2.abs(lower), f64x2.abs(upper)), nan_lanes(upper));
}

/** Up to four rows of one group; missing ones repeat the first. The upper ends lie `bytes` behind the lower ones. */
function concretize_run<T>(
  row: usize,
  count: i32,
  row_bytes: usize,
  lower: usize,
  bytes: usize,
  constants: usize,
  magnitudes: usize,
): void {
  let r0 = row, r1 = row + (count > 1 ? row_bytes : 0);
  let r2 = row + (count > 2 ? 2 * row_bytes : 0), r3 = row + (count > 3 ? 3 * row_bytes : 0);
  let c01 = f64x2.splat(0), c23 = f64x2.splat(0), m01 = f64x2.splat(0), m23 = f64x2.splat(0);
  const zero = f64x2.splat(0);
  for (const end = lower + bytes; lower < end; lower += 8) {
    const l = v128.load64_splat(lower), u = v128.load64_splat(lower + bytes);
    const furthest = largest(l, u);
    const a01 = load_pair<T>(r0, r1), a23 = load_pair<T>(r2, r3);
    c01 = f64x2.add(c01, f64x2.mul(a01, v128.bitselect(l, u, f64x2.ge(a01, zero))));
    m01 = f64x2.add(m01, f64x2.mul(f64x2.abs(a01), furthest));
    c23 = f64x2.add(c23, f64x2.mul(a23, v128.bitselect(l, u, f64x2.ge(a23, zero))));
    m23 = f64x2.add(m23, f64x2.mul(f64x2.abs(a23), furthest));
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
export function concretize_rows_f64(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  box: usize,
  constants: usize,
  magnitudes: usize,
): void {
  concretize_rows<f64>(coefficients, rows, columns, groups, box, constants, magnitudes);
}

export function concretize_rows_f32(
  coefficients: usize,
  rows: i32,
  columns: i32,
  groups: usize,
  box: usize,
  constants: usize,
  magnitudes: usize,
): void {
  concretize_rows<f32>(coefficients, rows, columns, groups, box, constants, magnitudes);
}
