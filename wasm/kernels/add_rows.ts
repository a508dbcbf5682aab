import { padded, zero_padding } from "./rows";

/**
 * out[r, places[j]] = out[r, places[j]] + sign * a[r, j], or sign * a[r, j] when `fresh` (the rest is then zero).
 *
 * a [rows, columns], out [rows, out_columns]; places 0: every column to its own.
 */
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
  const bytes = (<usize> padded(columns)) << 3, out_bytes = (<usize> padded(out_columns)) << 3;
  for (let r = 0; r < rows; r++) {
    if (fresh && (places != 0 || out_bytes > bytes)) memory.fill(out, 0, out_bytes);
    if (places == 0) add_row(out, a, columns, sign, fresh);
    else add_row_at(out, a, columns, places, sign, fresh);
    zero_padding(out, out_columns);
    out += out_bytes;
    a += bytes;
  }
}

/** Whole vectors, and the last number alone: what lies behind it may be a column of out. */
function add_row(out: usize, a: usize, columns: i32, sign: f64, fresh: bool): void {
  const factor = f64x2.splat(sign), whole = (<usize> (columns & ~1)) << 3;
  if (fresh) {
    for (let j: usize = 0; j < whole; j += 16) v128.store(out + j, f64x2.mul(factor, v128.load(a + j)));
  } else {
    for (let j: usize = 0; j < whole; j += 16) {
      v128.store(out + j, f64x2.add(v128.load(out + j), f64x2.mul(factor, v128.load(a + j))));
    }
  }
  if ((columns & 1) == 0) return;
  const term = sign * load<f64>(a + whole);
  store<f64>(out + whole, fresh ? term : load<f64>(out + whole) + term);
}

function add_row_at(out: usize, a: usize, columns: i32, places: usize, sign: f64, fresh: bool): void {
  for (const end = a + ((<usize> columns) << 3); a < end; a += 8, places += 4) {
    const to = out + ((<usize> load<i32>(places)) << 3), term = sign * load<f64>(a);
    store<f64>(to, fresh ? term : load<f64>(to) + term);
  }
}
