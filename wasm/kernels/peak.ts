/**
 * The machine's limit for multiplications and additions rounded apart: seven chains of each in registers, no memory.
 *
 * A round is 112 operations (4 steps, 7 multiplications and 7 additions of 2 lanes). `y` multiplies, so pass 1; the sum of
 * all chains is returned so that none can be left out.
 */
export function peak_f64(rounds: i32, x: f64, y: f64): f64 {
  const b = f64x2.splat(y);
  let p0 = f64x2.splat(x), p1 = p0, p2 = p0, p3 = p0, p4 = p0, p5 = p0, p6 = p0;
  let s0 = p0, s1 = p0, s2 = p0, s3 = p0, s4 = p0, s5 = p0, s6 = p0;
  for (; rounds > 0; rounds--) {
    s0 = f64x2.add(s0, b); p0 = f64x2.mul(p0, b);
    s1 = f64x2.add(s1, b); p1 = f64x2.mul(p1, b);
    s2 = f64x2.add(s2, b); p2 = f64x2.mul(p2, b);
    s3 = f64x2.add(s3, b); p3 = f64x2.mul(p3, b);
    s4 = f64x2.add(s4, b); p4 = f64x2.mul(p4, b);
    s5 = f64x2.add(s5, b); p5 = f64x2.mul(p5, b);
    s6 = f64x2.add(s6, b); p6 = f64x2.mul(p6, b);
    s0 = f64x2.add(s0, b); p0 = f64x2.mul(p0, b);
    s1 = f64x2.add(s1, b); p1 = f64x2.mul(p1, b);
    s2 = f64x2.add(s2, b); p2 = f64x2.mul(p2, b);
    s3 = f64x2.add(s3, b); p3 = f64x2.mul(p3, b);
    s4 = f64x2.add(s4, b); p4 = f64x2.mul(p4, b);
    s5 = f64x2.add(s5, b); p5 = f64x2.mul(p5, b);
    s6 = f64x2.add(s6, b); p6 = f64x2.mul(p6, b);
    s0 = f64x2.add(s0, b); p0 = f64x2.mul(p0, b);
    s1 = f64x2.add(s1, b); p1 = f64x2.mul(p1, b);
    s2 = f64x2.add(s2, b); p2 = f64x2.mul(p2, b);
    s3 = f64x2.add(s3, b); p3 = f64x2.mul(p3, b);
    s4 = f64x2.add(s4, b); p4 = f64x2.mul(p4, b);
    s5 = f64x2.add(s5, b); p5 = f64x2.mul(p5, b);
    s6 = f64x2.add(s6, b); p6 = f64x2.mul(p6, b);
    s0 = f64x2.add(s0, b); p0 = f64x2.mul(p0, b);
    s1 = f64x2.add(s1, b); p1 = f64x2.mul(p1, b);
    s2 = f64x2.add(s2, b); p2 = f64x2.mul(p2, b);
    s3 = f64x2.add(s3, b); p3 = f64x2.mul(p3, b);
    s4 = f64x2.add(s4, b); p4 = f64x2.mul(p4, b);
    s5 = f64x2.add(s5, b); p5 = f64x2.mul(p5, b);
    s6 = f64x2.add(s6, b); p6 = f64x2.mul(p6, b);
  }
  s0 = f64x2.add(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)), f64x2.add(f64x2.add(s4, s5), s6));
  p0 = f64x2.add(f64x2.add(f64x2.add(p0, p1), f64x2.add(p2, p3)), f64x2.add(f64x2.add(p4, p5), p6));
  s0 = f64x2.add(s0, p0);
  return f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
}
