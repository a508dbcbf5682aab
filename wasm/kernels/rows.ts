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

/** The elements of two rows in one column. */
@inline
export function load_pair(first: usize, second: usize): v128 {
  return v128.load64_lane(second, v128.load64_zero(first), 1);
}

/** Writes +0 behind the `n` numbers of the row at `row`. */
@inline
export function zero_padding(row: usize, n: i32): void {
  for (let j = n, end = padded(n); j < end; j++) store<f64>(row + ((<usize> j) << 3), 0);
}

/** All bits set in the lanes of `x` that are NaN (itself a NaN), zero elsewhere. */
@inline
export function nan_lanes(x: v128): v128 {
  return f64x2.ne(x, x);
}
