import type { Precision } from "../kernels/kernels.ts";
import { gamma, radiusFactor, rowSumRoundings } from "../numeric/rounding.ts";
import type { Step } from "../operators/operator.ts";

/**
 * How many roundings stand between a computed bound and the real one: on the path of a term of its sums, in f64, and on
 * that of a coefficient. In f64 they are counted together, as `sum`, and `single` is 0 (shared/README.md (10), (21)).
 */
export interface Roundings {
  readonly sum: number;
  /** Roundings to f32. */
  readonly single: number;
}

/** What the sum of magnitudes is multiplied with: gamma of both, with the reserve of (2). */
export function factorOf({ sum, single }: Roundings): number {
  const factor = radiusFactor(sum);
  return single === 0 ? factor : (factor + gamma(single, "f32") * RESERVE) * RESERVE;
}

const RESERVE = 1 + 2 ** -20;

export function addRoundings(a: Roundings, { sum = 0, single = 0 }: Partial<Roundings>): Roundings {
  return { sum: a.sum + sum, single: a.single + single };
}

/** A walk: the worst step for coefficients, all joins for constants; in f64 counted over all indices, dropped or not. */
export function walkRoundings(precision: Precision, steps: readonly Step[], longest: number): Roundings {
  const sums = 1 + rowSumRoundings(longest) + 4 * steps.length + 4;
  if (precision === "f32") return { sum: sums + 1, single: UNIT };
  return { sum: sums + Math.max(1, ...steps.map(({ coefficientRoundings }) => coefficientRoundings)), single: 0 };
}

/** In f32 each charge is weighed by its own count, in units of the two roundings of a slope. */
const UNIT = 2;

/** A walk on the condensed form, where the largest layer has `largest` unstable neurons (shared/README.md (14)). */
export function condensedRoundings(
  precision: Precision,
  { roundings, outputs, width }: { readonly roundings: Roundings; readonly outputs: number; readonly width: number },
  largest: number,
  layers: number,
): Roundings {
  const sums = outputs + 2 + rowSumRoundings(width) + 4 * layers + 4;
  if (precision === "f32") return { sum: roundings.sum + sums, single: UNIT };
  return addRoundings(roundings, { sum: sums + largest + layers + 2 });
}

/** Covers what rounding hides in sums of charges (each of fewer than 2^30 terms). */
export const INFLATION = RESERVE;
