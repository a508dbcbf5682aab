import { CHUNK, NARROW, NARROW_CHUNK } from "../generated/gemm_tiles";
import { padded, zero_padding } from "./rows";

/** Whether a matrix of `n` columns is multiplied by tiles that read their coefficients where they are. */
@inline
export function is_narrow(n: i32): bool {
  return n <= NARROW;
}

/** Rows of a chunk of a matrix [k, n]; the last chunk has what is left. See chunkLength in shared/kernels/kernels.ts. */
export function chunk_length(k: i32, n: i32): i32 {
  const most = is_narrow(n) ? NARROW_CHUNK : CHUNK;
  const chunks = max((k + most - 1) / most, 1);
  return padded((k + chunks - 1) / chunks);
}

/** Repacks a matrix [k, n] into chunks of rows, each [padded(n) / 4][rows][4]; columns behind `n` are zero. */
export function pack_f64(out: usize, matrix: usize, k: i32, n: i32): void {
  const bytes = (<usize> padded(n)) << 3, chunk = chunk_length(k, n);
  for (; k > 0; k -= chunk, matrix += <usize> chunk * bytes) {
    const rows = min(k, chunk);
    for (let j = 0; j < n; j += 4) {
      const columns = min(n - j, 4);
      let from = matrix + ((<usize> j) << 3);
      for (let p = 0; p < rows; p++) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        zero_padding(out, columns);
        from += bytes;
        out += 32;
      }
    }
  }
}
