/** Elements that a row of `n` numbers takes: the next multiple of four. */
// @ts-ignore: decorator
@inline
export function padded(n: i32): i32 {
  return (n + 3) & ~3;
}

/** The sum along a row from its partial sums (s0, s1) and (s2, s3): (s0 + s2) + (s1 + s3). */
// @ts-ignore: decorator
@inline
export function total(s01: v128, s23: v128): f64 {
  const pair = f64x2.add(s01, s23);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

/** Adds `value` to the number at `address`. */
// @ts-ignore: decorator
@inline
export function accumulate(address: usize, value: f64): void {
  store<f64>(address, load<f64>(address) + value);
}

/** Writes +0 behind the `n` numbers of the row at `row`. */
// @ts-ignore: decorator
@inline
export function zero_padding(row: usize, n: i32): void {
  for (let j = n, end = padded(n); j < end; j++) store<f64>(row + ((<usize> j) << 3), 0);
}

/** All bits set in the lanes of `x` that are NaN (itself a NaN), zero elsewhere. */
// @ts-ignore: decorator
@inline
export function nan_lanes(x: v128): v128 {
  return f64x2.ne(x, x);
}
