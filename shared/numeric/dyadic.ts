/**
 * Exact numbers as integers times one power of two: every finite double is one, and so are sums and products of them.
 */

import { nextDown, nextUp } from "./rounding.ts";

/** Numbers integers[i] * 2^exponent. */
export interface Dyadics {
  readonly integers: readonly bigint[];
  readonly exponent: number;
}

const view = new DataView(new ArrayBuffer(8));

/** The exponent of a double's last bit that is 1; 0 has none: Infinity. */
function lastBit(value: number): number {
  if (value === 0) return Infinity;
  view.setFloat64(0, value);
  const high = view.getUint32(0), low = view.getUint32(4), biased = (high >>> 20) & 2047;
  const exponent = Math.max(biased, 1) - 1075;
  if (low !== 0) return exponent + trailingZeros(low);
  const top = (high & 0xfffff) | (biased === 0 ? 0 : 0x100000);
  return exponent + 32 + trailingZeros(top);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** value / 2^exponent for an exponent up to the double's last bit. */
function integerOf(value: number, exponent: number): bigint {
  if (value === 0) return 0n;
  const last = lastBit(value);
  // The odd part of a double has at most 53 bits: two steps, since 2^-last may overflow.
  const half = Math.trunc(-last / 2);
  return BigInt(value * 2 ** half * 2 ** (-last - half)) << BigInt(last - exponent);
}

/** Doubles as they are. Throws: RangeError for NaN and infinities, which are no numbers. */
export function dyadicsOf(values: ArrayLike<number>): Dyadics {
  let exponent = Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`${values[i]} cannot be taken exactly`);
    exponent = Math.min(exponent, lastBit(values[i]));
  }
  if (exponent === Infinity) exponent = 0;
  const integers = new Array<bigint>(values.length);
  for (let i = 0; i < values.length; i++) integers[i] = integerOf(values[i], exponent);
  return { integers, exponent };
}

/** The numbers over a smaller exponent. */
export function atExponent({ integers, exponent }: Dyadics, smaller: number): readonly bigint[] {
  if (exponent === smaller) return integers;
  const shift = BigInt(exponent - smaller);
  return integers.map((n) => n << shift);
}

/** Bits of a magnitude, at most three too many. */
export function bitLength(n: bigint): number {
  return (n < 0n ? -n : n).toString(16).length * 4;
}

/** A double near numerator / denominator (denominator > 0): within two steps, infinite where it overflows. */
export function ratioToNumber(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const shift = 64 + bitLength(denominator) - bitLength(numerator);
  const scaled = shift >= 0 ? (numerator << BigInt(shift)) / denominator : numerator / (denominator << BigInt(-shift));
  const half = Math.trunc(-shift / 2);
  return Number(scaled) * 2 ** half * 2 ** (-shift - half);
}

export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/**
 * The doubles next to numerator 2^exponent / denominator (denominator > 0): the largest at most it, the smallest at least it.
 *
 * Beyond the largest double the outer one is infinite.
 */
export function doublesAround(
  numerator: bigint,
  exponent: number,
  denominator: bigint,
): { readonly lower: number; readonly upper: number } {
  if (numerator === 0n) return { lower: 0, upper: 0 };
  const whole = exponent > 0 ? numerator << BigInt(exponent) : numerator;
  const parts = exponent < 0 ? denominator << BigInt(-exponent) : denominator;
  const compare = (x: number): number => {
    if (x === Infinity || x === -Infinity) return x > 0 ? 1 : -1;
    const { integers: [integer], exponent: last } = dyadicsOf([x]), lift = BigInt(Math.abs(last));
    const difference = last < 0 ? integer * parts - (whole << lift) : (integer << lift) * parts - whole;
    return difference > 0n ? 1 : difference < 0n ? -1 : 0;
  };
  let lower = ratioToNumber(whole, parts);
  while (compare(lower) > 0) lower = nextDown(lower);
  let upper = lower;
  while (compare(upper) < 0) [lower, upper] = [upper, nextUp(upper)];
  return { lower: compare(upper) === 0 ? upper : lower, upper };
}
