import { CHUNK, CHUNK_F32, NARROW, NARROW_CHUNK } from "../generated/gemm_tiles";
import { padded, zero_padding } from "./rows";

/** Whether a matrix of `n` columns is multiplied by tiles that read their coefficients where they are. */
@inline
export function is_narrow(n: i32): bool {
  return n <= NARROW;
}

/** Rows of a chunk of a matrix [k, n]; the last chunk has what is left. See chunkLength in shared/kernels/packed.ts. */
export function chunk_length<T>(k: i32, n: i32): i32 {
  const most = sizeof<T>() == 4 ? CHUNK_F32 : is_narrow(n) ? NARROW_CHUNK : CHUNK;
  const chunks = max((k + most - 1) / most, 1);
  return padded((k + chunks - 1) / chunks);
}

/** Repacks a matrix [k, n] into chunks of rows, each [padded(n) / 4][rows][4]; columns behind `n` are zero. */
export function pack_f64(out: usize, matrix: usize, k: i32, n: i32): void {
  const bytes = (<usize> padded(n)) << 3, chunk = chunk_length<f64>(k, n);
  for (; k > 0; k -= chunk, matrix += <usize> chunk * bytes) {
    const rows = min(k, chunk);
    for (let j = 0; j < n; j += 4) {
      const columns = min(n - j, 4);
      let from = matrix + ((<usize> j) << 3);
      for (let p = 0; p < rows; p++) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        zero_padding<f64>(out, columns);
        from += bytes;
        out += 32;
      }
    }
  }
}

/** The same rounded to f32, in panels of eight columns. */
export function pack_f32(out: usize, matrix: usize, k: i32, n: i32): void {
  const bytes = (<usize> padded(n)) << 3, chunk = chunk_length<f32>(k, n);
  for (; k > 0; k -= chunk, matrix += <usize> chunk * bytes) {
    const rows = min(k, chunk);
    for (let j = 0; j < n; j += 8) {
      const columns = min(n - j, 8);
      let from = matrix + ((<usize> j) << 3);
      for (let p = 0; p < rows; p++) {
        if (columns == 8) {
          for (let i: usize = 0; i < 32; i += 8) {
            v128.store64_lane(out + i, f32x4.demote_f64x2_zero(v128.load(from + (i << 1))), 0);
          }
        } else {
          for (let i = 0; i < 8; i++) {
            const place = <usize> i;
            store<f32>(out + (place << 2), i < columns ? <f32> load<f64>(from + (place << 3)) : 0);
          }
        }
        from += bytes;
        out += 32;
      }
    }
  }
}
