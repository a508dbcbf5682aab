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
    zero_padding<f64>(a, columns);
    a += bytes;
  }
}

/** The same for f32: products and quotients are computed in f64 and rounded. */
export function scale_columns_f32(a: usize, rows: i32, columns: i32, factors: usize, inverse: bool): void {
  const bytes = (<usize> padded(columns)) << 2;
  for (let r = 0; r < rows; r++) {
    for (let j: usize = 0; j < bytes; j += 8) {
      const pair = f64x2.promote_low_f32x4(v128.load64_zero(a + j)), factor = v128.load(factors + (j << 1));
      const scaled = inverse ? f64x2.div(pair, factor) : f64x2.mul(pair, factor);
      v128.store64_lane(a + j, f32x4.demote_f64x2_zero(scaled), 0);
    }
    zero_padding<f32>(a, columns);
    a += bytes;
  }
}
