import { padded, zero_padding } from "./rows";

/** a[r, j] = a[r, j] * factors[j], or a[r, j] / factors[j] when `inverse`; a [rows, columns]. */
export function scale_columns_f64(a: usize, rows: i32, columns: i32, factors: usize, inverse: bool): void {
  const bytes = (<usize> padded(columns)) << 3;
  for (let r = 0; r < rows; r++) {
    if (inverse) {
      for (let j: usize = 0; j < bytes; j += 16) {
        v128.store(a + j, f64x2.div(v128.load(a + j), v128.load(factors + j)));
      }
    } else {
      for (let j: usize = 0; j < bytes; j += 16) {
        v128.store(a + j, f64x2.mul(v128.load(a + j), v128.load(factors + j)));
      }
    }
    // A padded factor is 0: a division by it leaves a NaN that must not stay.
    zero_padding(a, columns);
    a += bytes;
  }
}
