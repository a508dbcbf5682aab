import type { Box } from "../numeric/box.ts";
import { atExponent, dyadicsOf, greatestCommonDivisor } from "../numeric/dyadic.ts";
import { type ExactForm, onBox } from "./exact_form.ts";

/**
 * A form on the box in unit coordinates, up to a positive factor: slopes over [0, 1] from the lower end to the upper one,
 * and the value at the lower ends.
 */
export interface UnitForm {
  readonly slopes: readonly bigint[];
  readonly value: bigint;
}

/** The form times a positive number, on the box. */
export function unitForm({ coefficients, constant }: ExactForm, { lower, upper }: Box): UnitForm {
  const n = lower.length, ends = dyadicsOf([...lower, ...upper]), exponent = Math.min(ends.exponent, 0);
  const places = atExponent(ends, exponent);
  let value = constant << BigInt(-exponent);
  const slopes = coefficients.map((c, j) => {
    value += c * places[j];
    return c * (places[n + j] - places[j]);
  });
  return { slopes, value };
}

/** Does the form move over the box? */
export function moves({ slopes }: UnitForm): boolean {
  return slopes.some((slope) => slope !== 0n);
}

/** The largest value on the cube of sum multipliers_i forms_i, exactly. */
export function cubeMaximum(forms: readonly UnitForm[], multipliers: readonly bigint[]): bigint {
  let maximum = 0n;
  forms.forEach(({ value }, i) => maximum += multipliers[i] * value);
  for (const slope of combinedSlopes(forms, multipliers)) if (slope > 0n) maximum += slope;
  return maximum;
}

export function combinedSlopes(forms: readonly UnitForm[], multipliers: readonly bigint[]): bigint[] {
  const sums = forms[0].slopes.map(() => 0n);
  forms.forEach(({ slopes }, i) => {
    if (multipliers[i] !== 0n) { for (let j = 0; j < sums.length; j++) sums[j] += multipliers[i] * slopes[j]; }
  });
  return sums;
}

/**
 * Do these multipliers prove that { x in the box : every form >= 0 } has no interior relative to the box?
 *
 * True iff all y_i >= 0 and the largest value of sum y_i h_i on the box is below 0, or 0 with some y_i > 0 whose h_i moves
 * over the box; h_i = coefficients . x + constant, the form without its positive factor. Exact.
 *
 * Proof. Let x be in the set. Below 0 there is no such x. At 0 the sum is 0 at x and none of its terms is negative, so
 * y_i h_i(x) = 0, and the set lies in { h_i = 0 } for the h_i that moves: a hyperplane of the box's affine hull, which
 * holds no relatively open part of it. []
 * Source: shared/README.md (24), also for why such multipliers exist whenever there is no interior.
 */
export function hasNoInterior(forms: readonly ExactForm[], box: Box, multipliers: readonly bigint[]): boolean {
  if (forms.length === 0 || multipliers.some((y) => y < 0n)) return false;
  return provesNoInterior(forms.map((form) => unitForm(form, box)), multipliers) !== null;
}

/** {@link hasNoInterior} in unit coordinates for y >= 0: what is proved, or null. */
export function provesNoInterior(forms: readonly UnitForm[], y: readonly bigint[]): "empty" | "thin" | null {
  const maximum = cubeMaximum(forms, y);
  if (maximum < 0n) return "empty";
  return maximum === 0n && forms.some((form, i) => y[i] > 0n && moves(form)) ? "thin" : null;
}

/** How a form stands to the first one that is equal or opposite to it up to a positive factor on the box. */
export interface Relation {
  readonly first: number;
  /** 1 equal, -1 opposite; 0 for a form that is 0 all over the box (`first` is then its own). */
  readonly sign: 1 | -1 | 0;
}

/** Which forms are equal or opposite up to a positive factor on the box, exactly: those neurons share their kinks. */
export function rowRelations(forms: readonly ExactForm[], box: Box): Relation[] {
  const firsts = new Map<string, { index: number; sign: bigint }>();
  return forms.map((form, index) => {
    const { coefficients, constant } = onBox(form, box), all = [...coefficients, constant];
    const divisor = all.reduce(greatestCommonDivisor, 0n);
    if (divisor === 0n) return { first: index, sign: 0 };
    const leading = all.find((n) => n !== 0n)!, sign = leading < 0n ? -1n : 1n;
    const key = all.map((n) => (sign * n / divisor).toString(36)).join();
    const known = firsts.get(key);
    if (known === undefined) firsts.set(key, { index, sign });
    return known === undefined ? { first: index, sign: 1 } : { first: known.index, sign: known.sign === sign ? 1 : -1 };
  });
}
