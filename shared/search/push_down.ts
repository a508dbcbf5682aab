import type { Box } from "../numeric/box.ts";
import { settleWith } from "../numeric/rounding.ts";
import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";
import type { Workspace } from "./workspace.ts";

/** A piece as its last bound sees it. */
export interface Bounded {
  readonly box: Box;
  readonly phases: Int8Array;
  readonly heights: Box;
  readonly gradients: Box;
}

/**
 * What is bounded from above: constant + gated . g + units . r + inputs . x, with g, r and x of the piece.
 * `charge` holds the magnitudes of its terms. Null: no such term.
 */
export interface Sum {
  readonly gated: Float64Array | null;
  readonly units: Float64Array | null;
  readonly inputs: Float64Array | null;
  readonly constant: number;
  readonly charge: number;
}

/**
 * Pushes a sum down to the box: coefficients A over g become q over p and so on to the seed; what d and h have to do with
 * each other puts coefficients E over h; those over r and h become coefficients over x. Everything lands in the workspace; the
 * value that the box then allows is returned, without regard to rounding.
 *
 * Per unit (multipliers lambda, theta, alpha, mu; a' the bound of p on the side of A's sign, b' the other):
 * q = lambda A, D = A (lambda a' + (1 - lambda) b') over d; E = D theta / -l or D theta / u, as d <= 1 + h / -l and d >= h / u;
 * for r a chord or alpha h; a decided unit hands on A and B as they are, and mu >= 0 times its half-space.
 */
export function pushDown(
  { width, ranks, byUnit, vectors, network: { bias } }: Region,
  { seed }: Objective,
  workspace: Workspace,
  { box, phases, heights, gradients }: Bounded,
  sum: Sum,
  multipliers: Float64Array,
): number {
  const { overGated, overGradient, overDerivative, overHeight, overUnit, overInput, corner, lower, upper } = workspace;
  let value = sum.constant;
  if (sum.gated === null) {
    overGated.fill(0);
    overGradient.fill(0);
    overDerivative.fill(0);
  } else {
    overGated.set(sum.gated);
    for (const { from, end, upper: read } of ranks) {
      for (let u = from; u < end; u++) {
        const coefficient = overGated[u], phase = phases[u];
        let slope = 0, left = 0;
        if (phase > 0) slope = coefficient;
        else if (phase === 0 && coefficient !== 0) {
          const near = coefficient > 0 ? gradients.lower[u] : gradients.upper[u];
          const far = coefficient > 0 ? gradients.upper[u] : gradients.lower[u];
          let lambda = multipliers[u];
          if (lambda !== lambda) {
            const crosses = gradients.lower[u] < 0 && gradients.upper[u] > 0;
            lambda = crosses ? far / (far - near) : coefficient > 0 === gradients.lower[u] >= 0 ? 1 : 0;
            multipliers[u] = lambda;
          }
          slope = coefficient * lambda;
          if (slope !== 0) value -= slope * near;
          left = coefficient * (lambda * near + (1 - lambda) * far);
        }
        overGradient[u] = slope;
        overDerivative[u] = left;
        if (slope !== 0) value += slope * seed[u];
      }
      vectors.combine(overGated, end, read, overGradient, from);
    }
  }
  if (sum.units === null) overUnit.fill(0);
  else overUnit.set(sum.units);
  if (sum.inputs === null) overInput.fill(0);
  else overInput.set(sum.inputs);
  for (let r = ranks.length - 1; r >= 0; r--) {
    const { from, end, lower: read } = ranks[r];
    for (let u = end - 1; u >= from; u--) {
      const onUnit = overUnit[u], phase = phases[u];
      let coefficient = 0;
      if (phase > 0) coefficient = onUnit + multipliers[3 * width + u];
      else if (phase < 0) coefficient = -multipliers[3 * width + u];
      else {
        const left = overDerivative[u], l = heights.lower[u], h = heights.upper[u];
        if (left > 0) {
          value += left;
          if (l < 0) coefficient = left * multipliers[width + u] / -l;
        } else if (left < 0 && h > 0) coefficient = left * multipliers[width + u] / h;
        if (onUnit > 0) {
          const slope = h > l ? h / (h - l) : 0;
          coefficient += onUnit * slope;
          value -= onUnit * slope * l;
        } else if (onUnit < 0) coefficient += onUnit * multipliers[2 * width + u];
      }
      overHeight[u] = coefficient;
      if (coefficient !== 0) value += coefficient * bias[u];
    }
    vectors.combine(overUnit, 0, read, overHeight, from);
  }
  vectors.combine(overInput, 0, byUnit, overHeight, 0);
  lower.set(box.lower);
  upper.set(box.upper);
  return value + vectors.corner(corner, overInput, lower, upper);
}

/**
 * What {@link pushDown} left in the workspace as a bound: never below the sum on the piece.
 *
 * The coefficients are data; per unit the constant is the largest of what they leave at the ends of p and h, over the
 * branches (d, r) = (1, h) with h >= 0 and (0, 0) with h <= 0 that are open. Source: shared/README.md (25)
 */
export function settlePushed(
  { width, features, charges, factor, network: { bias, reach } }: Region,
  objective: Objective,
  { overGated, overGradient, overHeight, overUnit, overInput }: Workspace,
  { box, phases, heights, gradients }: Bounded,
  start: Sum,
): number {
  // What the start itself lost is one step.
  let sum = start.constant, mass = start.charge, steps = start.charge === 0 ? 0 : 1;
  for (let u = 0; u < width; u++) {
    const onGated = overGated[u], onGradient = overGradient[u], onUnit = overUnit[u], onHeight = overHeight[u];
    const phase = phases[u];
    if (onGradient === 0 && onHeight === 0 && (phase < 0 || (onGated === 0 && onUnit === 0))) continue;
    // Of a gradient that is 0 whatever is open nothing is lost, nor is it rounded.
    if (onUnit !== 0 || onHeight !== 0 || objective.charges[u] > 0) steps++;
    const a = gradients.lower[u], b = gradients.upper[u];
    const l = heights.lower[u], h = heights.upper[u];
    const size = Math.max(-a, b), height = Math.max(-l, h);
    let constant = -Infinity;
    if (phase >= 0) {
      const low = phase > 0 && l > 0 ? l : 0;
      constant = most(onGated - onGradient, a, b) + most(onUnit - onHeight, low, h);
    }
    if (phase <= 0) {
      const high = phase < 0 && h < 0 ? h : 0;
      const other = most(-onGradient, a, b) + most(-onHeight, l, high);
      if (!(other <= constant)) constant = other;
    }
    sum += constant + onGradient * objective.seed[u] + onHeight * bias[u];
    // On one branch alone what is left of the coefficient is exact.
    const gate = phase > 0 && onGated === onGradient ? 0 : Math.abs(onGated) + Math.abs(onGradient);
    if (gate !== 0) mass += gate * size;
    if (onGradient !== 0) mass += Math.abs(onGradient) * objective.charges[u];
    const lift = Math.abs(onUnit) + Math.abs(onHeight);
    if (lift !== 0) mass += lift * height + Math.abs(onHeight) * charges[u];
  }
  for (let j = 0; j < features; j++) {
    const c = overInput[j];
    if (c === 0) continue;
    sum += c > 0 ? c * box.upper[j] : c * box.lower[j];
    mass += Math.abs(c) * reach[j];
  }
  // NaN and infinities in sum or mass give Infinity.
  return -settleWith(factor, -sum, mass, steps * objective.underflow);
}

/** The largest value of c z for z in [low, high]; an end that is not known does not matter where c is 0. */
function most(c: number, low: number, high: number): number {
  return c === 0 ? 0 : c > 0 ? c * high : c * low;
}
