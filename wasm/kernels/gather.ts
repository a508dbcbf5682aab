import { padded, zero_padding } from "./rows";

/**
 * out[r, c] = source[rows[r] * row_stride + columns[c] * column_stride]: any submatrix, transposed or not.
 *
 * Strides count elements; out [row_count, column_count].
 */
function gather_matrix<T>(
  out: usize,
  source: usize,
  rows: usize,
  row_count: i32,
  columns: usize,
  column_count: i32,
  row_stride: i32,
  column_stride: i32,
): void {
  const bytes = (<usize> padded(column_count)) << alignof<T>();
  const step = (<usize> column_stride) << alignof<T>();
  for (let r = 0; r < row_count; r++) {
    const from = source + (<usize> load<i32>(rows + ((<usize> r) << 2)) * <usize> row_stride << alignof<T>());
    for (let c = 0; c < column_count; c++) {
      const column = <usize> load<i32>(columns + ((<usize> c) << 2));
      store<T>(out + ((<usize> c) << alignof<T>()), load<T>(from + column * step));
    }
    zero_padding<T>(out, column_count);
    out += bytes;
  }
}

/** out row r = signs[r] * matrix row indices[r]; out [rows, columns]. */
export function gather_rows_f64(
  out: usize,
  matrix: usize,
  indices: usize,
  signs: usize,
  rows: i32,
  columns: i32,
): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    const place = (<usize> r) << 2;
    const sign = f64x2.splat(<f64> load<i32>(signs + place));
    const from = matrix + <usize> load<i32>(indices + place) * bytes;
    for (let j: usize = 0; j < bytes; j += 32) {
      v128.store(out + j, f64x2.mul(sign, v128.load(from + j)));
      v128.store(out + j, f64x2.mul(sign, v128.load(from + j, 16)), 16);
    }
    zero_padding<f64>(out, columns);
    out += bytes;
  }
}

/** Of f64, and of f32. */
export function gather_matrix_f64(
  out: usize,
  source: usize,
  rows: usize,
  row_count: i32,
  columns: usize,
  column_count: i32,
  row_stride: i32,
  column_stride: i32,
): void {
  gather_matrix<f64>(out, source, rows, row_count, columns, column_count, row_stride, column_stride);
}

export function gather_matrix_f32(
  out: usize,
  source: usize,
  rows: usize,
  row_count: i32,
  columns: usize,
  column_count: i32,
  row_stride: i32,
  column_stride: i32,
): void {
  gather_matrix<f32>(out, source, rows, row_count, columns, column_count, row_stride, column_stride);
}

/** The same rounded to f32. */
export function gather_rows_f32(
  out: usize,
  matrix: usize,
  indices: usize,
  signs: usize,
  rows: i32,
  columns: i32,
): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    const place = (<usize> r) << 2;
    const sign = f64x2.splat(<f64> load<i32>(signs + place));
    const from = matrix + <usize> load<i32>(indices + place) * bytes;
    for (let j: usize = 0; j < bytes; j += 16) {
      const pair = f32x4.demote_f64x2_zero(f64x2.mul(sign, v128.load(from + j)));
      v128.store64_lane(out + (j >> 1), pair, 0);
    }
    zero_padding<f32>(out, columns);
    out += bytes >> 1;
  }
}
