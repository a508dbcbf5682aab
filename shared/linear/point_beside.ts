import { atExponent, doublesAround, dyadicsOf } from "../numeric/dyadic.ts";
import type { Box } from "../numeric/box.ts";
import type { ExactForm } from "./exact_form.ts";

/** Coordinates that are tried. */
const MOST_COORDINATES = 32;

/** Bits after the point that all other coordinates are rounded to: coarser ones leave the last one finer doubles. */
const GRIDS = [Infinity, 48, 40, 32, 24, 16, 10, 6, 3, 1];

/**
 * A point of doubles in the box where all forms are >= 0, exactly: one coordinate is solved for, the others stay where they are or go
 * to a grid. null where none is found, which says nothing.
 *
 * What is thinner than the doubles around one point may hold them at others: where a coordinate is small, or where it meets the
 * others' last bits. Cost: 10 m n^2 products of integers for m forms over n coordinates.
 */
export function pointBeside(forms: readonly ExactForm[], box: Box, near: Float64Array): Float64Array | null {
  const met = Array.from(near.keys()).filter((j) => forms.some(({ coefficients }) => coefficients[j] !== 0n));
  if (met.length > MOST_COORDINATES) return null;
  for (const bits of GRIDS) {
    const others = onGrid(near, box, bits);
    for (const j of met) {
      const found = solveFor(forms, box, others, j);
      if (found !== null) return others.with(j, found);
    }
  }
  return null;
}

function onGrid(near: Float64Array, { lower, upper }: Box, bits: number): Float64Array {
  if (bits === Infinity) return near;
  const step = 2 ** bits;
  return near.map((x, j) => Math.min(Math.max(Math.round(x * step) / step, lower[j]), upper[j]));
}

/** numerator / denominator, denominator > 0. */
type Ratio = readonly [bigint, bigint];

const isBelow = ([a, b]: Ratio, [c, d]: Ratio): boolean => a * d < c * b;

/** A double that coordinate j may be, as near to the middle of its range as doubles are; null where there is none. */
function solveFor(forms: readonly ExactForm[], { lower, upper }: Box, others: Float64Array, j: number): number | null {
  const { integers, exponent } = dyadicsOf([...others.with(j, 0), lower[j], upper[j]]);
  const shift = Math.min(exponent, 0), unit = 1n << BigInt(-shift);
  const places = atExponent({ integers, exponent }, shift);
  let [low, high]: [Ratio, Ratio] = [[places[others.length], unit], [places[others.length + 1], unit]];
  for (const { coefficients, constant } of forms) {
    const slope = coefficients[j];
    let rest = constant * unit;
    for (let i = 0; i < others.length; i++) if (i !== j && coefficients[i] !== 0n) rest += coefficients[i] * places[i];
    if (slope === 0n) {
      if (rest < 0n) return null;
      continue;
    }
    const end: Ratio = slope > 0n ? [-rest, slope * unit] : [rest, -slope * unit];
    if (slope > 0n) { if (isBelow(low, end)) low = end; }
    else if (isBelow(end, high)) high = end;
  }
  if (isBelow(high, low)) return null;
  const middle: Ratio = [low[0] * high[1] + high[0] * low[1], 2n * low[1] * high[1]];
  const isBetween = (x: number) => {
    const { integers: [integer], exponent: last } = dyadicsOf([x]), lift = BigInt(Math.abs(last));
    const ratio: Ratio = last < 0 ? [integer, 1n << lift] : [integer << lift, 1n];
    return !isBelow(ratio, low) && !isBelow(high, ratio);
  };
  const near = [middle, low].flatMap(([a, b]) => Object.values(doublesAround(a, 0, b)));
  return near.find((x) => Math.abs(x) < Infinity && isBetween(x)) ?? null;
}
