/** Elements that a row of `n` numbers takes: the next multiple of four. */
@inline
export function padded(n: i32): i32 {
  return (n + 3) & ~3;
}

/** Adds `value` to the number at `address`. */
@inline
export function accumulate(address: usize, value: f64): void {
  store<f64>(address, load<f64>(address) + value);
}

/** Adds the lanes of `values` to the first `count` (1 or more) of two numbers at `address`. */
@inline
export function accumulate_pair(address: usize, values: v128, count: i32): void {
  accumulate(address, f64x2.extract_lane(values, 0));
  if (count > 1) accumulate(address + 8, f64x2.extract_lane(values, 1));
}

/**
 * How many rows from `r` on, four at most, run together: sums go in the order of the columns, so it is rows that fill
 * the lanes, and rows of one group share its tables.
 */
@inline
export function run_length(groups: usize, r: i32, rows: i32): i32 {
  const group = load<i32>(groups + ((<usize> r) << 2));
  let count = 1;
  while (count < 4 && r + count < rows && load<i32>(groups + ((<usize> (r + count)) << 2)) == group) count++;
  return count;
}

/** The coefficients (f64 or f32) of two rows in one column, as f64. */
@inline
export function load_pair<T>(first: usize, second: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load32_lane(second, v128.load32_zero(first), 1));
  return v128.load64_lane(second, v128.load64_zero(first), 1);
}

/** Rounds a pair to the kind of coefficients and stores it, the second first. */
@inline
export function store_pair<T>(first: usize, second: usize, pair: v128): void {
  if (sizeof<T>() == 4) {
    const narrow = f32x4.demote_f64x2_zero(pair);
    v128.store32_lane(second, narrow, 1);
    v128.store32_lane(first, narrow, 0);
  } else {
    v128.store64_lane(second, pair, 1);
    v128.store64_lane(first, pair, 0);
  }
}

/** Writes +0 behind the `n` numbers of the row at `row`. */
@inline
export function zero_padding<T>(row: usize, n: i32): void {
  for (let j = n, end = padded(n); j < end; j++) store<T>(row + ((<usize> j) << alignof<T>()), 0);
}

/** Panels of 32 bytes that `n` columns take. */
@inline
export function panels<T>(n: i32): i32 {
  const width: i32 = 32 >> <i32> alignof<T>();
  return (n + width - 1) / width;
}

/** All bits set in the lanes of `x` that are NaN (itself a NaN), zero elsewhere. */
@inline
export function nan_lanes(x: v128): v128 {
  return f64x2.ne(x, x);
}
