/** Constraints on outputs as functionals of them: a row of doubles, a limit, and what the rounding of the row left out. */
import type { Constraint } from "./formula.ts";
import { type Decimal, nearest, negate, roundDown, roundUp } from "./decimal.ts";
import { meaningless } from "./source.ts";
import { addDown, addUp, multiplyUp, nextUp } from "../numeric/rounding.ts";

/** row . Y <= limit, up to |c_k - row_k| <= errors_k for the coefficients c_k of the file. */
export interface Functional {
  readonly row: readonly number[];
  /** By output; outputs whose coefficient is a double are left out. */
  readonly errors: ReadonlyMap<number, number>;
  /** The largest double that satisfies the constraint: no double lies between it and the limit of the file. */
  readonly limit: number;
  /** The smallest double that is not below the limit of the file. */
  readonly above: number;
}

/** Bounds of a value; infinite where they overflowed. */
export interface Range {
  readonly lower: number;
  readonly upper: number;
}

/** Throws: `invalid-query` for a coefficient beyond the range of doubles. */
export function functionalOf({ linear }: Constraint, outputs: number): Functional {
  const row = new Array<number>(outputs).fill(0);
  const errors = new Map<number, number>();
  for (const [k, c] of linear.outputs) {
    row[k] = nearest(c);
    if (!Number.isFinite(row[k])) throw meaningless(`a coefficient of Y_${k} is beyond the range of doubles`);
    const error = roundingOf(c);
    if (error > 0) errors.set(k, error);
  }
  const limit = negate(linear.constant);
  return { row, errors, limit: roundDown(limit), above: roundUp(limit) };
}

/** At least |c - nearest(c)|. */
function roundingOf(c: Decimal): number {
  const lower = roundDown(c), upper = roundUp(c);
  return lower === upper ? 0 : nextUp(upper - lower);
}

/** What the constraint is over a set of points, given bounds of row . Y and of the outputs there: true, false, or not decided. */
export function truthOf({ errors, limit }: Functional, range: Range, outputs: readonly Range[]): boolean | null {
  let error = 0;
  for (const [k, e] of errors) {
    const { lower, upper } = outputs[k];
    error = addUp(error, multiplyUp(e, Math.max(-lower, upper)));
  }
  if (addUp(range.upper, error) <= limit) return true;
  return addDown(range.lower, -error) > limit ? false : null;
}
