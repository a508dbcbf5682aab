import { padded, zero_padding } from "./rows";

/** Repacks a matrix [k, n] into panels of four columns, [padded(n) / 4][k][4]; columns behind `n` are zero. */
export function pack_f64(out: usize, matrix: usize, k: i32, n: i32): void {
  const bytes = (<usize> padded(n)) << 3;
  for (let j = 0; j < n; j += 4) {
    const columns = min(n - j, 4);
    let from = matrix + ((<usize> j) << 3);
    for (let p = 0; p < k; p++) {
      v128.store(out, v128.load(from));
      v128.store(out, v128.load(from, 16), 16);
      zero_padding(out, columns);
      from += bytes;
      out += 32;
    }
  }
}
