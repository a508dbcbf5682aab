import { padded, zero_padding } from "./rows";

/**
 * out[r, places[j]] = out[r, places[j]] + sign * a[r, j], or sign * a[r, j] when `fresh` (the rest is then zero).
 *
 * a [rows, columns], out [rows, out_columns]; places 0: every column to its own.
 */
function add_rows<T>(
  out: usize,
  a: usize,
  rows: i32,
  columns: i32,
  out_columns: i32,
  places: usize,
  sign: f64,
  fresh: bool,
): void {
  const bytes = (<usize> padded(columns)) << alignof<T>(), out_bytes = (<usize> padded(out_columns)) << alignof<T>();
  for (let r = 0; r < rows; r++) {
    if (fresh && (places != 0 || out_bytes > bytes)) memory.fill(out, 0, out_bytes);
    if (places == 0) add_row<T>(out, a, columns, <T> sign, fresh);
    else add_row_at<T>(out, a, columns, places, <T> sign, fresh);
    zero_padding<T>(out, out_columns);
    out += out_bytes;
    a += bytes;
  }
}

/** Whole vectors, and the last numbers alone: what lies behind it may be a column of out. */
function add_row<T>(out: usize, a: usize, columns: i32, sign: T, fresh: bool): void {
  const lanes = 16 / <i32> sizeof<T>();
  const factor = v128.splat<T>(sign), whole = (<usize> (columns & ~(lanes - 1))) << alignof<T>();
  if (fresh) {
    for (let j: usize = 0; j < whole; j += 16) v128.store(out + j, v128.mul<T>(factor, v128.load(a + j)));
  } else {
    for (let j: usize = 0; j < whole; j += 16) {
      v128.store(out + j, v128.add<T>(v128.load(out + j), v128.mul<T>(factor, v128.load(a + j))));
    }
  }
  for (let j = whole, end = (<usize> columns) << alignof<T>(); j < end; j += sizeof<T>()) {
    const term: T = sign * load<T>(a + j);
    store<T>(out + j, fresh ? term : load<T>(out + j) + term);
  }
}

function add_row_at<T>(out: usize, a: usize, columns: i32, places: usize, sign: T, fresh: bool): void {
  for (const end = a + ((<usize> columns) << alignof<T>()); a < end; a += sizeof<T>(), places += 4) {
    const to = out + ((<usize> load<i32>(places)) << alignof<T>()), term: T = sign * load<T>(a);
    store<T>(to, fresh ? term : load<T>(to) + term);
  }
}

/** Of f64, and of f32. */
export function add_rows_f64(
  out: usize,
  a: usize,
  rows: i32,
  columns: i32,
  out_columns: i32,
  places: usize,
  sign: f64,
  fresh: bool,
): void {
  add_rows<f64>(out, a, rows, columns, out_columns, places, sign, fresh);
}

export function add_rows_f32(
  out: usize,
  a: usize,
  rows: i32,
  columns: i32,
  out_columns: i32,
  places: usize,
  sign: f64,
  fresh: bool,
): void {
  add_rows<f32>(out, a, rows, columns, out_columns, places, sign, fresh);
}
