/**
 * Arithmetic on doubles that answers only when the result is exact: the condition under which constants may be merged
 * without the merged network being another function over the reals.
 *
 * Every finite double is a dyadic rational m 2^e, so BigInt decides; the usual error-free transformations decide the
 * common cases faster, inside ranges where they are themselves exact.
 */
import type { ScaleNode } from "../graph.ts";

/** The value `mantissa` 2^`exponent`. */
export interface Dyadic {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const VIEW = new DataView(new ArrayBuffer(8));

/** A finite double as a dyadic rational. */
export function dyadic(value: number): Dyadic {
  VIEW.setFloat64(0, value);
  const bits = VIEW.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  if (biased === 0x7ff) throw new RangeError(`${value} is not finite`);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: bits >> 63n === 1n ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
}

function equal(a: Dyadic, b: Dyadic): boolean {
  const exponent = Math.min(a.exponent, b.exponent);
  return a.mantissa << BigInt(a.exponent - exponent) === b.mantissa << BigInt(b.exponent - exponent);
}

function multiply(a: Dyadic, b: Dyadic): Dyadic {
  return { mantissa: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent };
}

/** a + b if it is a double, else null. */
export function exactSum(a: number, b: number): number | null {
  const sum = a + b;
  if (!Number.isFinite(sum)) return null;
  // Knuth's two-sum: its error term is exact unless something on the way overflows, and then it is not 0.
  const shared = sum - a;
  return (a - (sum - shared)) + (b - shared) === 0 ? sum : null;
}

/** a b if it is a double, else null. */
export function exactProduct(a: number, b: number): number | null {
  const product = a * b;
  if (!Number.isFinite(product)) return null;
  if (a === 0 || b === 0) return product;
  // Two float32 have at most 48 bits together and exponents far inside the range of a double.
  if (Math.fround(a) === a && Math.fround(b) === b) return product;
  return productError(a, b, product) === 0 ? product : null;
}

/** a / b (b not 0) if it is a double, else null. */
export function exactQuotient(a: number, b: number): number | null {
  const quotient = a / b;
  if (!Number.isFinite(quotient)) return null;
  return exactProduct(quotient, b) === a ? quotient : null;
}

/** 2^27 + 1: splits a double into two halves of 26 bits. */
const SPLITTER = 134217729;

/** a b - product, exactly or at least 0 only if it is 0. */
function productError(a: number, b: number, product: number): number {
  const magnitude = Math.abs(product);
  if (magnitude > 2 ** -960 && Math.abs(a) < 2 ** 990 && Math.abs(b) < 2 ** 990 && magnitude < 2 ** 1000) {
    // Dekker's two-product; the guards keep every partial product in range.
    const ta = SPLITTER * a, aHigh = ta - (ta - a), aLow = a - aHigh;
    const tb = SPLITTER * b, bHigh = tb - (tb - b), bLow = b - bHigh;
    return ((aHigh * bHigh - product) + aHigh * bLow + aLow * bHigh) + aLow * bLow;
  }
  return equal(multiply(dyadic(a), dyadic(b)), dyadic(product)) ? 0 : 1;
}

/** Applies an exact operation elementwise; null as soon as one result would round. */
export function exactly(
  length: number,
  operation: (index: number) => number | null,
): Float64Array | null {
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const value = operation(i);
    if (value === null) return null;
    out[i] = value;
  }
  return out;
}

/**
 * x + y, if exact and without cancellation: a runtime adds the two one after the other, and what it may lose there must
 * still be seen in the sum (the cross-check's tolerance is eight times its magnitude).
 */
export function plainSum(x: number, y: number): number | null {
  const sum = exactSum(x, y);
  return sum !== null && 4 * Math.abs(sum) >= Math.max(Math.abs(x), Math.abs(y)) ? sum : null;
}

/** x scaled as the node does it to value `index`, if exact. */
export function scaled(x: number, { factors, inverse }: ScaleNode, index: number): number | null {
  return inverse ? exactQuotient(x, factors[index]) : exactProduct(x, factors[index]);
}
