/**
 * Exact numbers: numerator * 2^exponent / denominator with a positive denominator, 1 for dyadic rationals.
 *
 * Every finite double is one of them, and so is every value of a network of doubles; nothing here rounds, except the
 * functions whose names say so.
 */
export interface Exact {
  readonly numerator: bigint;
  readonly exponent: number;
  readonly denominator: bigint;
}

export const ZERO: Exact = { numerator: 0n, exponent: 0, denominator: 1n };
export const ONE: Exact = { numerator: 1n, exponent: 0, denominator: 1n };

const words = new DataView(new ArrayBuffer(8));

/** The double itself. Throws: RangeError for NaN and infinities, which are no numbers. */
export function exact(value: number): Exact {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a number that can be taken exactly`);
  if (value === 0) return ZERO;
  words.setFloat64(0, value);
  const bits = words.getBigUint64(0);
  const biased = Number((bits >> 52n) & 2047n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  return { numerator: value < 0 ? -mantissa : mantissa, exponent, denominator: 1n };
}

/** The integer n with n * 2^exponent equal to a dyadic number. Throws: RangeError where there is none. */
export function atExponent(value: Exact, exponent: number): bigint {
  if (value.numerator === 0n) return 0n;
  const shift = value.exponent - exponent;
  if (shift < 0 || value.denominator !== 1n) throw new RangeError("the number is no multiple of that power of two");
  return value.numerator << BigInt(shift);
}

export function add(a: Exact, b: Exact): Exact {
  if (a.numerator === 0n) return b;
  if (b.numerator === 0n) return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.numerator << BigInt(a.exponent - exponent);
  const right = b.numerator << BigInt(b.exponent - exponent);
  if (a.denominator === b.denominator) return { numerator: left + right, exponent, denominator: a.denominator };
  return {
    numerator: left * b.denominator + right * a.denominator,
    exponent,
    denominator: a.denominator * b.denominator,
  };
}

export function negate(a: Exact): Exact {
  return { ...a, numerator: -a.numerator };
}

export function subtract(a: Exact, b: Exact): Exact {
  return add(a, negate(b));
}

export function multiply(a: Exact, b: Exact): Exact {
  if (a.numerator === 0n || b.numerator === 0n) return ZERO;
  return {
    numerator: a.numerator * b.numerator,
    exponent: a.exponent + b.exponent,
    denominator: a.denominator * b.denominator,
  };
}

/** a / b. Throws: RangeError when b is 0. */
export function divide(a: Exact, b: Exact): Exact {
  if (b.numerator === 0n) throw new RangeError("division by an exact zero");
  const numerator = a.numerator * b.denominator;
  return {
    numerator: b.numerator < 0n ? -numerator : numerator,
    exponent: a.exponent - b.exponent,
    denominator: a.denominator * (b.numerator < 0n ? -b.numerator : b.numerator),
  };
}

export function absolute(a: Exact): Exact {
  return a.numerator < 0n ? negate(a) : a;
}

/** -1, 0 or 1. */
export function sign(a: Exact): number {
  return a.numerator < 0n ? -1 : a.numerator > 0n ? 1 : 0;
}

/** The sign of a - b. */
export function compare(a: Exact, b: Exact): number {
  return sign(subtract(a, b));
}

export function minimum(a: Exact, b: Exact): Exact {
  return compare(a, b) <= 0 ? a : b;
}

export function maximum(a: Exact, b: Exact): Exact {
  return compare(a, b) >= 0 ? a : b;
}

/** 2^exponent. */
export function powerOfTwo(exponent: number): Exact {
  return { numerator: 1n, exponent, denominator: 1n };
}

/** value <= bound where the bound is a double or an infinity; a NaN bounds nothing. */
export function isAtMost(value: Exact, bound: number): boolean {
  if (Number.isFinite(bound)) return compare(value, exact(bound)) <= 0;
  return bound === Infinity;
}

/** bound <= value where the bound is a double or an infinity; a NaN bounds nothing. */
export function isAtLeast(value: Exact, bound: number): boolean {
  return isAtMost(negate(value), -bound);
}

/** The next double above (or below) a finite one; infinity past the largest. */
export function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  words.setFloat64(0, value);
  words.setBigUint64(0, words.getBigUint64(0) + ((value > 0) === (direction > 0) ? 1n : -1n));
  return words.getFloat64(0);
}

/** Rounds to a double near the number (at most one step off); for messages and as a start of {@link roundUp}. */
export function toNumber(value: Exact): number {
  if (value.numerator === 0n) return 0;
  const magnitude = value.numerator < 0n ? -value.numerator : value.numerator;
  const shift = 64 - (bitLength(magnitude) - bitLength(value.denominator));
  const scaled = shift >= 0 ? magnitude << BigInt(shift) : magnitude >> BigInt(-shift);
  const quotient = Number(scaled / value.denominator);
  const exponent = value.exponent - shift;
  // Two steps, since 2^exponent alone may underflow or overflow where the product does not.
  const half = Math.trunc(exponent / 2);
  const near = quotient * 2 ** half * 2 ** (exponent - half);
  return value.numerator < 0n ? -near : near;
}

/** The smallest double (or infinity) that is at least the number. */
export function roundUp(value: Exact): number {
  let near = toNumber(value);
  if (near === -Infinity) near = -Number.MAX_VALUE;
  while (!isAtMost(value, near)) near = neighbour(near, 1);
  for (;;) {
    const below = near === Infinity ? Number.MAX_VALUE : neighbour(near, -1);
    if (!isAtMost(value, below) || below === -Infinity) return near;
    near = below;
  }
}

/** The largest double (or minus infinity) that is at most the number. */
export function roundDown(value: Exact): number {
  return -roundUp(negate(value));
}

function bitLength(positive: bigint): number {
  return positive.toString(16).length * 4;
}
