import { doublesAround } from "../numeric/dyadic.ts";
import type { ExactForm } from "./exact_form.ts";

/** Doubles on both sides of a number, equal where it is one. */
export interface Enclosed {
  readonly lower: number;
  readonly upper: number;
}

/** The l1 norm of a form's gradient, rounded once. */
export function normOf({ coefficients, exponent, denominator }: ExactForm): Enclosed {
  return doublesAround(coefficients.reduce((sum, c) => sum + (c < 0n ? -c : c), 0n), exponent, denominator);
}

/** One entry of a form's gradient, rounded once. */
export function entryOf({ coefficients, exponent, denominator }: ExactForm, feature: number): Enclosed {
  return doublesAround(coefficients[feature], exponent, denominator);
}
