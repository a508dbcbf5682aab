/** Kernels of a search. Sums of four lanes: (s0 + s2) + (s1 + s3), then what is left over; see shared/kernels/vectors.ts. */

@inline
function lanes(first: v128, second: v128): f64 {
  const both = f64x2.add(first, second);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** out [columns] += the rows of a matrix times their coefficients; rows with a coefficient 0 are passed over, the others go four at a time. */
export function combine_f64(out: usize, matrix: usize, stride: i32, rows: i32, columns: i32, coefficients: usize): void {
  const row_bytes = (<usize> stride) << 3, bytes = (<usize> columns) << 3;
  let p0: usize = 0, p1: usize = 0, p2: usize = 0, c0: f64 = 0, c1: f64 = 0, c2: f64 = 0, found = 0;
  for (let i = 0; i < rows; i++, matrix += row_bytes) {
    const c = load<f64>(coefficients + ((<usize> i) << 3));
    if (c == 0) continue;
    if (found == 0) {
      p0 = matrix;
      c0 = c;
    } else if (found == 1) {
      p1 = matrix;
      c1 = c;
    } else if (found == 2) {
      p2 = matrix;
      c2 = c;
    } else {
      add_four(out, bytes, p0, p1, p2, matrix, c0, c1, c2, c);
      found = -1;
    }
    found++;
  }
  if (found == 3) {
    add_two(out, bytes, p0, p1, c0, c1);
    add_one(out, bytes, p2, c2);
  } else if (found == 2) add_two(out, bytes, p0, p1, c0, c1);
  else if (found == 1) add_one(out, bytes, p0, c0);
}

function add_four(
  out: usize, bytes: usize, p0: usize, p1: usize, p2: usize, p3: usize, c0: f64, c1: f64, c2: f64, c3: f64,
): void {
  const b0 = f64x2.splat(c0), b1 = f64x2.splat(c1), b2 = f64x2.splat(c2), b3 = f64x2.splat(c3);
  const end = out + (bytes & ~31), last = out + bytes;
  for (; out < end; out += 32, p0 += 32, p1 += 32, p2 += 32, p3 += 32) {
    let x = v128.load(out), y = v128.load(out, 16);
    x = f64x2.add(x, f64x2.mul(b0, v128.load(p0)));
    y = f64x2.add(y, f64x2.mul(b0, v128.load(p0, 16)));
    x = f64x2.add(x, f64x2.mul(b1, v128.load(p1)));
    y = f64x2.add(y, f64x2.mul(b1, v128.load(p1, 16)));
    x = f64x2.add(x, f64x2.mul(b2, v128.load(p2)));
    y = f64x2.add(y, f64x2.mul(b2, v128.load(p2, 16)));
    x = f64x2.add(x, f64x2.mul(b3, v128.load(p3)));
    y = f64x2.add(y, f64x2.mul(b3, v128.load(p3, 16)));
    v128.store(out, x);
    v128.store(out, y, 16);
  }
  for (; out < last; out += 8, p0 += 8, p1 += 8, p2 += 8, p3 += 8) {
    let x = load<f64>(out);
    x = x + c0 * load<f64>(p0);
    x = x + c1 * load<f64>(p1);
    x = x + c2 * load<f64>(p2);
    x = x + c3 * load<f64>(p3);
    store<f64>(out, x);
  }
}

function add_two(out: usize, bytes: usize, p0: usize, p1: usize, c0: f64, c1: f64): void {
  const b0 = f64x2.splat(c0), b1 = f64x2.splat(c1), end = out + (bytes & ~15), last = out + bytes;
  for (; out < end; out += 16, p0 += 16, p1 += 16) {
    let x = v128.load(out);
    x = f64x2.add(x, f64x2.mul(b0, v128.load(p0)));
    x = f64x2.add(x, f64x2.mul(b1, v128.load(p1)));
    v128.store(out, x);
  }
  if (out < last) {
    let x = load<f64>(out);
    x = x + c0 * load<f64>(p0);
    x = x + c1 * load<f64>(p1);
    store<f64>(out, x);
  }
}

function add_one(out: usize, bytes: usize, p0: usize, c0: f64): void {
  const b0 = f64x2.splat(c0), end = out + (bytes & ~15), last = out + bytes;
  for (; out < end; out += 16, p0 += 16) {
    v128.store(out, f64x2.add(v128.load(out), f64x2.mul(b0, v128.load(p0))));
  }
  if (out < last) store<f64>(out, load<f64>(out) + c0 * load<f64>(p0));
}

/** out [rows] = matrix times vector, four rows at a time. */
export function products_f64(out: usize, matrix: usize, stride: i32, rows: i32, columns: i32, vector: usize): void {
  const row_bytes = (<usize> stride) << 3, bytes = (<usize> columns) << 3;
  let i = 0;
  for (; i + 3 < rows; i += 4, out += 32, matrix += 4 * row_bytes) four_products(out, matrix, row_bytes, bytes, vector);
  for (; i < rows; i++, out += 8, matrix += row_bytes) one_product(out, matrix, bytes, vector);
}

function four_products(out: usize, p0: usize, row_bytes: usize, bytes: usize, vector: usize): void {
  let p1 = p0 + row_bytes, p2 = p1 + row_bytes, p3 = p2 + row_bytes;
  const end = vector + (bytes & ~31), last = vector + bytes;
  let a0 = f64x2.splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
  for (; vector < end; vector += 32, p0 += 32, p1 += 32, p2 += 32, p3 += 32) {
    const x = v128.load(vector), y = v128.load(vector, 16);
    a0 = f64x2.add(a0, f64x2.mul(x, v128.load(p0)));
    b0 = f64x2.add(b0, f64x2.mul(y, v128.load(p0, 16)));
    a1 = f64x2.add(a1, f64x2.mul(x, v128.load(p1)));
    b1 = f64x2.add(b1, f64x2.mul(y, v128.load(p1, 16)));
    a2 = f64x2.add(a2, f64x2.mul(x, v128.load(p2)));
    b2 = f64x2.add(b2, f64x2.mul(y, v128.load(p2, 16)));
    a3 = f64x2.add(a3, f64x2.mul(x, v128.load(p3)));
    b3 = f64x2.add(b3, f64x2.mul(y, v128.load(p3, 16)));
  }
  let s0 = lanes(a0, b0), s1 = lanes(a1, b1), s2 = lanes(a2, b2), s3 = lanes(a3, b3);
  for (; vector < last; vector += 8, p0 += 8, p1 += 8, p2 += 8, p3 += 8) {
    const x = load<f64>(vector);
    s0 = s0 + load<f64>(p0) * x;
    s1 = s1 + load<f64>(p1) * x;
    s2 = s2 + load<f64>(p2) * x;
    s3 = s3 + load<f64>(p3) * x;
  }
  store<f64>(out, s0);
  store<f64>(out, s1, 8);
  store<f64>(out, s2, 16);
  store<f64>(out, s3, 24);
}

function one_product(out: usize, p0: usize, bytes: usize, vector: usize): void {
  const end = vector + (bytes & ~31), last = vector + bytes;
  let a = f64x2.splat(0), b = a;
  for (; vector < end; vector += 32, p0 += 32) {
    a = f64x2.add(a, f64x2.mul(v128.load(vector), v128.load(p0)));
    b = f64x2.add(b, f64x2.mul(v128.load(vector, 16), v128.load(p0, 16)));
  }
  let s = lanes(a, b);
  for (; vector < last; vector += 8, p0 += 8) s = s + load<f64>(p0) * load<f64>(vector);
  store<f64>(out, s);
}

/** Ends of the box by the sign of c, its middle where c is 0 (or NaN). */
@inline
function ends(c: v128, lower: v128, upper: v128): v128 {
  const zero = f64x2.splat(0), middle = f64x2.mul(f64x2.add(lower, upper), f64x2.splat(0.5));
  return v128.bitselect(upper, v128.bitselect(lower, middle, f64x2.lt(c, zero)), f64x2.gt(c, zero));
}

export function corner_f64(out: usize, c: usize, lower: usize, upper: usize, n: i32): f64 {
  const end = c + (((<usize> n) << 3) & ~31), last = c + ((<usize> n) << 3);
  let a = f64x2.splat(0), b = a;
  for (; c < end; c += 32, lower += 32, upper += 32, out += 32) {
    const c0 = v128.load(c), c1 = v128.load(c, 16);
    const x0 = ends(c0, v128.load(lower), v128.load(upper)), x1 = ends(c1, v128.load(lower, 16), v128.load(upper, 16));
    v128.store(out, x0);
    v128.store(out, x1, 16);
    a = f64x2.add(a, f64x2.mul(c0, x0));
    b = f64x2.add(b, f64x2.mul(c1, x1));
  }
  let s = lanes(a, b);
  for (; c < last; c += 8, lower += 8, upper += 8, out += 8) {
    const one = load<f64>(c), l = load<f64>(lower), u = load<f64>(upper);
    const x = one > 0 ? u : one < 0 ? l : (l + u) * 0.5;
    store<f64>(out, x);
    s = s + one * x;
  }
  return s;
}

export function move_f64(difference: usize, from: usize, to: usize, n: i32): void {
  const end = to + (((<usize> n) << 3) & ~15), last = to + ((<usize> n) << 3);
  for (; to < end; to += 16, from += 16, difference += 16) {
    const x = v128.load(to);
    v128.store(difference, f64x2.sub(x, v128.load(from)));
    v128.store(from, x);
  }
  if (to < last) {
    const x = load<f64>(to);
    store<f64>(difference, x - load<f64>(from));
    store<f64>(from, x);
  }
}

export function intervals_f64(
  out: usize, rows: usize, count: i32, matrix: usize, stride: i32, columns: i32, lower: usize, upper: usize,
): void {
  const row_bytes = (<usize> stride) << 3, bytes = (<usize> columns) << 3, zero = f64x2.splat(0);
  for (let i = 0; i < count; i++, out += 16) {
    let p = matrix + <usize> load<i32>(rows + ((<usize> i) << 2)) * row_bytes, l = lower, u = upper;
    const end = p + (bytes & ~31), last = p + bytes;
    let a = zero, b = zero, c = zero, d = zero;
    for (; p < end; p += 32, l += 32, u += 32) {
      const w0 = v128.load(p), w1 = v128.load(p, 16);
      const p0 = f64x2.mul(w0, v128.load(l)), q0 = f64x2.mul(w0, v128.load(u));
      const p1 = f64x2.mul(w1, v128.load(l, 16)), q1 = f64x2.mul(w1, v128.load(u, 16));
      a = f64x2.add(a, f64x2.pmin(p0, q0));
      b = f64x2.add(b, f64x2.pmin(p1, q1));
      c = f64x2.add(c, f64x2.pmax(p0, q0));
      d = f64x2.add(d, f64x2.pmax(p1, q1));
    }
    let least = lanes(a, b), most = lanes(c, d);
    for (; p < last; p += 8, l += 8, u += 8) {
      const w = load<f64>(p), x = w * load<f64>(l), y = w * load<f64>(u);
      least = least + (y < x ? y : x);
      most = most + (x < y ? y : x);
    }
    store<f64>(out, least);
    store<f64>(out, most, 8);
  }
}
