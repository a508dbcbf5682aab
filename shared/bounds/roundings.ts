import { chunkedRoundings } from "../kernels/packed.ts";
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
  if (precision === "f64") {
    return { sum: sums + Math.max(1, ...steps.map(({ coefficientRoundings }) => coefficientRoundings)), single: 0 };
  }
  // A slope's two roundings are paid by the node below, together with its own.
  return { sum: sums + 1, single: 2 + Math.max(1, ...steps.map(singleRoundings)) };
}

/** A walk on the condensed form, where the largest layer has `largest` unstable neurons (shared/README.md (14)). */
export function condensedRoundings(
  precision: Precision,
  { roundings, outputs, width }: { readonly roundings: Roundings; readonly outputs: number; readonly width: number },
  largest: number,
  layers: number,
): Roundings {
  const sums = outputs + 2 + rowSumRoundings(width) + 4 * layers + 4;
  if (precision === "f64") return addRoundings(roundings, { sum: sums + largest + layers + 2 });
  return addRoundings(roundings, { sum: sums, single: chunkedRoundings(largest, 1) + layers + 4 });
}

/** What a coefficient of an unstable neuron is charged against, in masses: the f32 counts pay each error once (21). */
export function massWeight(precision: Precision): number {
  return precision === "f64" ? 2 : 1;
}

/**
 * Roundings to f32 of a step's own: a factor (its f64 rounding, and one for all that a stored factor may be off); a matrix
 * (its numbers, and the sums of their products); a sum where branches meet.
 */
function singleRoundings({ scale, product }: Step): number {
  if (scale) return 3;
  if (!product) return 1;
  if (product.layout === "dense") return 1 + chunkedRoundings(product.k, 1);
  const { deepest, mostWrites } = product.blocks;
  return 1 + chunkedRoundings(deepest, mostWrites) + (product.accumulate ? 1 : 0);
}

/** What (14) needs for |M| |G| + |C| |c| <= mass: the roundings of the sums of masses, and in f32 those of coefficients. */
export function massInflation({ single }: Roundings): number {
  return single === 0 ? RESERVE : RESERVE * (1 + 2 * gamma(single, "f32"));
}
