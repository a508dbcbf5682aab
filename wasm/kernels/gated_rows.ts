/**
 * Lower bounds of rows over g and of their negatives: four rows a time, in eight lanes that never meet (rows fill the lanes, as
 * sums go in the order of the units), and two units a time where neither reads the other.
 *
 * rows [count], matrix [any][width], inner [width][stride], below [width], lines [4][width], seed, charges [width],
 * slopes [width][8] -> out [count][4]; see shared/kernels/vectors.ts.
 */
export function gated_rows_f64(
  out: usize, rows: usize, count: i32, matrix: usize, width: i32, first: i32, inner: usize, stride: i32, below: usize,
  lines: usize, seed: usize, charges: usize, slopes: usize,
): void {
  for (let i = 0; i < count; i += 4, out += 128) {
    const left = count - i;
    four_rows(
      out, left, row_at(matrix, rows, i, width), row_at(matrix, rows, left > 1 ? i + 1 : i, width),
      row_at(matrix, rows, left > 2 ? i + 2 : i, width), row_at(matrix, rows, left > 3 ? i + 3 : i, width), width, first,
      inner, stride, below, lines, seed, charges, slopes,
    );
  }
}

@inline
function row_at(matrix: usize, rows: usize, i: i32, width: i32): usize {
  return matrix + ((<usize> load<i32>(rows + ((<usize> i) << 2)) * <usize> width) << 3);
}

// The sums and masses of the eight lanes: of the rows (0, 1), (2, 3) and of their negatives.
let s0: v128 = f64x2.splat(0), s1: v128 = f64x2.splat(0), s2: v128 = f64x2.splat(0), s3: v128 = f64x2.splat(0);
let m0: v128 = f64x2.splat(0), m1: v128 = f64x2.splat(0), m2: v128 = f64x2.splat(0), m3: v128 = f64x2.splat(0);

function four_rows(
  out: usize, left: i32, r0: usize, r1: usize, r2: usize, r3: usize, width: i32, first: i32, inner: usize,
  stride: i32, below: usize, lines: usize, seed: usize, charges: usize, slopes: usize,
): void {
  const zero = f64x2.splat(0), bytes = (<usize> width) << 3, row_bytes = (<usize> stride) << 3;
  s0 = zero; s1 = zero; s2 = zero; s3 = zero;
  m0 = zero; m1 = zero; m2 = zero; m3 = zero;
  for (let v = first; v < width; v++) {
    const at = (<usize> v) << 3, slope = slopes + (at << 3), from = inner + <usize> v * row_bytes;
    if (is_zero(lines + at, bytes)) {
      v128.store(slope, zero);
      v128.store(slope, zero, 16);
      v128.store(slope, zero, 32);
      v128.store(slope, zero, 48);
      continue;
    }
    const end = load<i32>(below + ((<usize> v) << 2));
    let a0 = v128.load64_lane(r1 + at, v128.load64_zero(r0 + at), 1);
    let a1 = v128.load64_lane(r3 + at, v128.load64_zero(r2 + at), 1);
    let a2 = f64x2.neg(a0), a3 = f64x2.neg(a1);
    let p = from + ((<usize> first) << 3), q = slopes + ((<usize> first) << 6);
    const last = from + ((<usize> end) << 3);
    if (
      v + 1 < width && load<i32>(below + ((<usize> v) << 2), 4) == end && !is_zero(lines + at + 8, bytes)
    ) {
      let b0 = v128.load64_lane(r1 + at + 8, v128.load64_zero(r0 + at + 8), 1);
      let b1 = v128.load64_lane(r3 + at + 8, v128.load64_zero(r2 + at + 8), 1);
      let b2 = f64x2.neg(b0), b3 = f64x2.neg(b1), other = p + row_bytes;
      for (; p < last; p += 8, other += 8, q += 64) {
        const w = v128.load64_splat(p), x = v128.load64_splat(other);
        const g0 = v128.load(q), g1 = v128.load(q, 16), g2 = v128.load(q, 32), g3 = v128.load(q, 48);
        a0 = f64x2.add(a0, f64x2.mul(g0, w));
        a1 = f64x2.add(a1, f64x2.mul(g1, w));
        a2 = f64x2.add(a2, f64x2.mul(g2, w));
        a3 = f64x2.add(a3, f64x2.mul(g3, w));
        b0 = f64x2.add(b0, f64x2.mul(g0, x));
        b1 = f64x2.add(b1, f64x2.mul(g1, x));
        b2 = f64x2.add(b2, f64x2.mul(g2, x));
        b3 = f64x2.add(b3, f64x2.mul(g3, x));
      }
      settle(a0, a1, a2, a3, lines + at, bytes, seed + at, charges + at, slope, v >= stride);
      settle(b0, b1, b2, b3, lines + at + 8, bytes, seed + at + 8, charges + at + 8, slope + 64, v + 1 >= stride);
      v++;
      continue;
    }
    for (; p < last; p += 8, q += 64) {
      const w = v128.load64_splat(p);
      a0 = f64x2.add(a0, f64x2.mul(v128.load(q), w));
      a1 = f64x2.add(a1, f64x2.mul(v128.load(q, 16), w));
      a2 = f64x2.add(a2, f64x2.mul(v128.load(q, 32), w));
      a3 = f64x2.add(a3, f64x2.mul(v128.load(q, 48), w));
    }
    settle(a0, a1, a2, a3, lines + at, bytes, seed + at, charges + at, slope, v >= stride);
  }
  write(out, s0, m0, s2, m2, 0);
  if (left > 1) write(out + 32, s0, m0, s2, m2, 1);
  if (left > 2) write(out + 64, s1, m1, s3, m3, 0);
  if (left > 3) write(out + 96, s1, m1, s3, m3, 1);
}

@inline
function is_zero(line: usize, bytes: usize): bool {
  return load<f64>(line) == 0 && load<f64>(line + bytes) == 0 && load<f64>(line + 2 * bytes) == 0 &&
    load<f64>(line + 3 * bytes) == 0;
}

function settle(
  a0: v128, a1: v128, a2: v128, a3: v128, line: usize, bytes: usize, seed: usize, charges: usize, slope: usize,
  keeps: bool,
): void {
  const zero = f64x2.splat(0), s = v128.load64_splat(seed), c = v128.load64_splat(charges);
  const low = v128.load64_splat(line), low_constant = v128.load64_splat(line + bytes);
  const high = v128.load64_splat(line + 2 * bytes), high_constant = v128.load64_splat(line + 3 * bytes);
  let mask = f64x2.gt(a0, zero);
  let constant = f64x2.mul(a0, v128.bitselect(low_constant, high_constant, mask));
  let g = f64x2.mul(a0, v128.bitselect(low, high, mask));
  v128.store(slope, keeps ? a0 : g);
  s0 = f64x2.add(f64x2.add(s0, constant), f64x2.mul(g, s));
  m0 = f64x2.add(f64x2.add(m0, f64x2.abs(constant)), f64x2.mul(f64x2.abs(g), c));
  mask = f64x2.gt(a1, zero);
  constant = f64x2.mul(a1, v128.bitselect(low_constant, high_constant, mask));
  g = f64x2.mul(a1, v128.bitselect(low, high, mask));
  v128.store(slope, keeps ? a1 : g, 16);
  s1 = f64x2.add(f64x2.add(s1, constant), f64x2.mul(g, s));
  m1 = f64x2.add(f64x2.add(m1, f64x2.abs(constant)), f64x2.mul(f64x2.abs(g), c));
  mask = f64x2.gt(a2, zero);
  constant = f64x2.mul(a2, v128.bitselect(low_constant, high_constant, mask));
  g = f64x2.mul(a2, v128.bitselect(low, high, mask));
  v128.store(slope, keeps ? a2 : g, 32);
  s2 = f64x2.add(f64x2.add(s2, constant), f64x2.mul(g, s));
  m2 = f64x2.add(f64x2.add(m2, f64x2.abs(constant)), f64x2.mul(f64x2.abs(g), c));
  mask = f64x2.gt(a3, zero);
  constant = f64x2.mul(a3, v128.bitselect(low_constant, high_constant, mask));
  g = f64x2.mul(a3, v128.bitselect(low, high, mask));
  v128.store(slope, keeps ? a3 : g, 48);
  s3 = f64x2.add(f64x2.add(s3, constant), f64x2.mul(g, s));
  m3 = f64x2.add(f64x2.add(m3, f64x2.abs(constant)), f64x2.mul(f64x2.abs(g), c));
}

@inline
function write(out: usize, sum: v128, mass: v128, other_sum: v128, other_mass: v128, lane: u8): void {
  store<f64>(out, lane == 0 ? f64x2.extract_lane(sum, 0) : f64x2.extract_lane(sum, 1));
  store<f64>(out, lane == 0 ? f64x2.extract_lane(mass, 0) : f64x2.extract_lane(mass, 1), 8);
  store<f64>(out, lane == 0 ? f64x2.extract_lane(other_sum, 0) : f64x2.extract_lane(other_sum, 1), 16);
  store<f64>(out, lane == 0 ? f64x2.extract_lane(other_mass, 0) : f64x2.extract_lane(other_mass, 1), 24);
}
