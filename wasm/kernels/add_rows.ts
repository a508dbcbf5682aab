import { padded, zero_padding } from "./rows";

/** out[r, j] = out[r, j] + sign * a[r, j], or sign * a[r, j] when `fresh`; out and a [rows, columns]. */
export function add_rows_f64(out: usize, a: usize, rows: i32, columns: i32, sign: f64, fresh: bool): void {
  const bytes = (<usize> padded(columns)) << 3, factor = f64x2.splat(sign);
  for (let r = 0; r < rows; r++) {
    if (fresh) {
      for (let j: usize = 0; j < bytes; j += 16) v128.store(out + j, f64x2.mul(factor, v128.load(a + j)));
    } else {
      for (let j: usize = 0; j < bytes; j += 16) {
        v128.store(out + j, f64x2.add(v128.load(out + j), f64x2.mul(factor, v128.load(a + j))));
      }
    }
    zero_padding(out, columns);
    out += bytes;
    a += bytes;
  }
}
