/** Decimal numbers as they stand in a file, exactly; doubles come from them by rounding to a stated side. */
import { nextDown, nextUp } from "../numeric/rounding.ts";

/** digits * 10^exponent. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

export const ZERO: Decimal = { digits: 0n, exponent: 0 };
export const ONE: Decimal = { digits: 1n, exponent: 0 };

/** Exponents of a number that is not 0: far beyond the range of doubles, and still quick to compute with. */
const MAX_EXPONENT = 2000;
/** Digits of a number, as a power of ten. */
const MOST_DIGITS = 10n ** 4000n;

const FORM = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$|^([+-]?)\.(\d+)(?:[eE]([+-]?\d{1,6}))?$/;

/** The number a word spells, or null where it spells none. Throws: `RangeError` for an exponent beyond what is computed with. */
export function decimalOf(text: string): Decimal | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0", bareSign = "", bare = "", bareExponent = "0"] = match;
  const places = fraction + bare;
  const magnitude = BigInt(whole + places);
  return bounded(
    sign === "-" || bareSign === "-" ? -magnitude : magnitude,
    Number(exponent) + Number(bareExponent) - places.length,
  );
}

function bounded(digits: bigint, exponent: number): Decimal {
  if (digits === 0n) return ZERO;
  const isSmall = digits < MOST_DIGITS && digits > -MOST_DIGITS;
  if (isSmall && Math.abs(exponent) <= MAX_EXPONENT) return { digits, exponent };
  throw new RangeError("the number has too many digits");
}

export function negate({ digits, exponent }: Decimal): Decimal {
  return { digits: -digits, exponent };
}

/** a + b, exactly. Throws: `RangeError` as {@link decimalOf}. */
export function add(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return bounded(scaled(a, exponent) + scaled(b, exponent), exponent);
}

/** a b, exactly. Throws: `RangeError` as {@link decimalOf}. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return bounded(a.digits * b.digits, a.exponent + b.exponent);
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}

/** The sign of a - b. */
export function compare(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  return signOf(scaled(a, exponent) - scaled(b, exponent));
}

function signOf(value: bigint): number {
  return value > 0n ? 1 : value < 0n ? -1 : 0;
}

const words = new DataView(new ArrayBuffer(8));

/** The sign of a - x for a double x; infinities are beyond every number. */
export function compareWithDouble(a: Decimal, x: number): number {
  if (x === Infinity) return -1;
  if (x === -Infinity) return 1;
  words.setFloat64(0, x);
  const bits = words.getBigUint64(0);
  const biased = Number((bits >> 52n) & 2047n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  let left = a.digits;
  let right = x < 0 ? -mantissa : mantissa;
  if (a.exponent >= 0) left *= 10n ** BigInt(a.exponent);
  else right *= 10n ** BigInt(-a.exponent);
  const power = (biased === 0 ? 1 : biased) - 1075;
  if (power >= 0) right <<= BigInt(power);
  else left <<= BigInt(-power);
  return signOf(left - right);
}

/** The double nearest to a number, found by the platform; {@link roundDown} does not rely on it. */
export function nearest({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

/** The largest double that is not above the number (-Infinity below all finite ones). */
export function roundDown(a: Decimal): number {
  let x = nearest(a);
  while (compareWithDouble(a, x) < 0) x = nextDown(x);
  for (let above = nextUp(x); x < Infinity && compareWithDouble(a, above) >= 0; above = nextUp(x)) x = above;
  return x === 0 ? 0 : x;
}

/** The smallest double that is not below the number. */
export function roundUp(a: Decimal): number {
  const x = -roundDown(negate(a));
  return x === 0 ? 0 : x;
}

/** The number as it is written in a file. */
export function textOf({ digits, exponent }: Decimal): string {
  return exponent === 0 ? String(digits) : `${digits}e${exponent}`;
}
