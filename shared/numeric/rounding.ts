/** Outward rounding: the only place that turns counted rounding errors into a step. Proofs: shared/README.md (1) to (4). */

/** u = 2^-53: a rounded operation of f64 has the relative error u unless it underflows. */
export const UNIT_ROUNDOFF = 2 ** -53;
/** The same of f32: 2^-24. */
export const SINGLE_ROUNDOFF = 2 ** -24;

/** Kinds of numbers that are rounded to. */
type Precision = "f64" | "f32";

export function unitRoundoff(precision: Precision): number {
  return precision === "f64" ? UNIT_ROUNDOFF : SINGLE_ROUNDOFF;
}

/** The smallest positive f64; a product that underflows is off by at most half of it. */
export const SMALLEST_SUBNORMAL = 2 ** -1074;
/** Products of two numbers at least this large in magnitude (as a product) are normal numbers: nothing underflows. */
export const SAFE_PRODUCT = 2 ** -1021;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer); // little endian: [low, high]

/**
 * The next f64 above x; +Infinity and NaN stay.
 *
 * Away from the subnormal range |x| (u + 2^-105) lies strictly between half a step and one and a half steps, so the sum
 * rounds to the neighbour (Rump, Zimmermann, Boldo, Melquiond 2009); near it the bits are counted up.
 */
export function nextUp(x: number): number {
  if (x > AWAY_FROM_SUBNORMAL || x < -AWAY_FROM_SUBNORMAL) {
    return x === -Infinity ? -Number.MAX_VALUE : x + Math.abs(x) * STEP;
  }
  if (!(x < Infinity)) return x;
  if (x === 0) return SMALLEST_SUBNORMAL;
  float[0] = x;
  if (x > 0) {
    if (++words[0] === 0) words[1]++;
  } else {
    if (words[0]-- === 0) words[1]--;
  }
  return float[0];
}

const AWAY_FROM_SUBNORMAL = 2 ** -960;
const STEP = UNIT_ROUNDOFF + 2 ** -105;

/** The next f64 below x; -Infinity and NaN stay. */
export function nextDown(x: number): number {
  return -nextUp(-x);
}

/** x y rounded up; exact where a factor is 0, 1 or -1. */
export function multiplyUp(x: number, y: number): number {
  const product = x * y;
  return isExactFactor(x) || isExactFactor(y) ? product : nextUp(product);
}

/** x y rounded down; exact where a factor is 0, 1 or -1. */
export function multiplyDown(x: number, y: number): number {
  const product = x * y;
  return isExactFactor(x) || isExactFactor(y) ? product : nextDown(product);
}

function isExactFactor(x: number): boolean {
  return x === 0 || x === 1 || x === -1;
}

/** At least the real x y for x >= 0 and y >= 0, where x may be short of its real value by one rounding: (1 + u) <= (1 + 4 u) (1 - u)^2. */
export function productAbove(x: number, y: number): number {
  return x * y * FOUR_ROUNDINGS + SMALLEST_SUBNORMAL;
}

const FOUR_ROUNDINGS = 1 + 2 ** -51;

/** x + y rounded down, exact sums unchanged (two-sum shows the error). */
export function addDown(x: number, y: number): number {
  const sum = x + y;
  // The real sum of finite numbers is below infinity, however far it overflows.
  if (sum === Infinity && x < Infinity && y < Infinity) return Number.MAX_VALUE;
  return additionError(x, y, sum) < 0 ? nextDown(sum) : sum;
}

/** x + y rounded up, exact sums unchanged. */
export function addUp(x: number, y: number): number {
  return -addDown(-x, -y);
}

/** The exact x + y - fl(x + y) (Knuth's two-sum: holds for all finite f64 without overflow). */
function additionError(x: number, y: number, sum: number): number {
  const shadow = sum - x;
  return (x - (sum - shadow)) + (y - shadow);
}

/** gamma_n = n u / (1 - n u), rounded up; n u must be far below 1. */
export function gamma(n: number, precision: Precision = "f64"): number {
  const most = precision === "f64" ? MAX_ROUNDINGS : MAX_SINGLE_ROUNDINGS;
  if (!(n >= 0 && n <= most)) throw new RangeError(`Cannot bound ${n} roundings: at most ${most}`);
  const nu = n * unitRoundoff(precision);
  return nextUp(nu / (1 - nu));
}

/** Roundings to f32 on the path of a coefficient: what (1 + gamma) inflates stays small. */
const MAX_SINGLE_ROUNDINGS = 2 ** 20;

/** gamma'_n in units of gamma'_2, rounded up: how a charge for n roundings to f32 is weighed (shared/README.md (21)). */
export function singleWeight(n: number): number {
  return n <= 2 ? 1 : nextUp(nextUp(gamma(n, "f32") / gamma(2, "f32"))) * (1 + 2 ** -40);
}

/** Up to here (1 + 2^-20) in {@link settleLower} covers what rounding hides in the sum of magnitudes. */
const MAX_ROUNDINGS = 2 ** 30;

/**
 * A number that the real sum is not below, given what a kernel summed in floating point.
 *
 * `sum` is the computed sum of terms of which none has more than `roundings` roundings on its path; `magnitude` the
 * computed sum of their magnitudes under the same count (more is allowed); `underflow` bounds what underflow lost,
 * 0 when no product underflows. If all terms have one sign the result has not passed 0, and an exact 0 stays 0.
 *
 * Rounding: result <= real sum. A `sum` or `magnitude` that is not finite gives -Infinity.
 * Source: shared/README.md (2)
 */
export function settleLower(sum: number, magnitude: number, roundings: number, underflow: number): number {
  return settleWith(radiusFactor(roundings), sum, magnitude, underflow);
}

/** What {@link settleWith} multiplies the magnitude with: gamma of the roundings and its reserve. */
export function radiusFactor(roundings: number): number {
  return gamma(roundings + 8) * RADIUS_INFLATION;
}

/** {@link settleLower} for many sums of one count of roundings. */
export function settleWith(factor: number, sum: number, magnitude: number, underflow: number): number {
  const isKnown = magnitude >= 0 && magnitude < Infinity && underflow >= 0 && underflow < Infinity;
  if (!(isKnown && Math.abs(sum) < Infinity)) return -Infinity;
  const settled = sum - factor * magnitude;
  return underflow === 0 ? settled : nextDown(settled - underflow);
}

/** The mirror image of {@link settleLower}: a number that the real sum is not above. */
export function settleUpper(sum: number, magnitude: number, roundings: number, underflow: number): number {
  return -settleLower(-sum, magnitude, roundings, underflow);
}

const RADIUS_INFLATION = 1 + 2 ** -20;

/** Roundings on the path of an element of a kernel's row sum over `columns` columns: its product and the sums after it. */
export function rowSumRoundings(columns: number): number {
  return 1 + columns;
}

/** `count` half-steps of underflow as a number, rounded up; in f32 each is a whole step of f32, and all that f64 loses. */
export function underflowOf(count: number, precision: Precision = "f64"): number {
  const step = precision === "f64" ? SMALLEST_SUBNORMAL : SMALLEST_SINGLE;
  return count === 0 ? 0 : nextUp(count * 1.0000001 * step);
}

/** The smallest positive f32. */
const SMALLEST_SINGLE = 2 ** -149;

/** Bounds of the real sum of non-negative numbers. */
export function sumBounds(values: Iterable<number>): { lower: number; upper: number } {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    sum += value;
    count++;
  }
  return { lower: settleLower(sum, sum, count, 0), upper: settleUpper(sum, sum, count, 0) };
}
