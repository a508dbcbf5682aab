/**
 * What a finding claims, held against exact facts. Every function returns the claims that are false, in words.
 *
 * A bound of `null` or an infinity claims nothing. Shapes as in the certificate (snake_case members of the wire).
 */
import {
  absolute,
  compare,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  multiply,
  subtract,
  toNumber,
} from "../exact/dyadic.ts";
import { combine, component, type ExactVector, norm1, normInfinity } from "../exact/vector.ts";
import type { Region, Sample } from "./samples.ts";

/** A bound of a finding; null where there is none. */
export type Bound = number | null;

export interface LipschitzClaim {
  readonly upper: Bound;
  readonly lower: Bound;
  /** By output, in the order of `outputs`. */
  readonly outputs: readonly { readonly output: number; readonly upper: Bound; readonly lower: Bound }[];
  readonly witness: { readonly output: number; readonly point: readonly number[] } | null;
}

export interface IntervalClaim {
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
}

function below(bound: Bound, value: Exact): boolean {
  return bound === null || isAtLeast(value, bound);
}

function above(bound: Bound, value: Exact): boolean {
  return bound === null || isAtMost(value, bound);
}

function says(what: string, bound: Bound, value: Exact): string {
  return `${what}: claimed ${bound}, exact ${toNumber(value)}`;
}

/** lower <= f(x) <= upper at every sample. */
export function falseOutputBounds(samples: readonly Sample[], claim: IntervalClaim): string[] {
  return samples.flatMap(({ output }) => falseIntervals("output", output, claim));
}

/** lower_i <= J_ki <= upper_i for every Jacobian at every sample; one claim an output. */
export function falseJacobianBounds(samples: readonly Sample[], claims: readonly IntervalClaim[]): string[] {
  return samples.flatMap(({ jacobians }) =>
    jacobians.flatMap((rows) =>
      claims.flatMap((claim, k) => falseIntervals(`derivative of output ${k} by input`, rows[k], claim))
    )
  );
}

function falseIntervals(what: string, values: ExactVector, claim: IntervalClaim): string[] {
  const found: string[] = [];
  values.numerators.forEach((_, i) => {
    const value = component(values, i);
    if (!below(claim.lower[i], value)) found.push(says(`${what} ${i} lower`, claim.lower[i], value));
    if (!above(claim.upper[i], value)) found.push(says(`${what} ${i} upper`, claim.upper[i], value));
  });
  return found;
}

/** Norms of rows and difference quotients never exceed `upper`; `lower` never exceeds `upper`. */
export function falseLipschitz(samples: readonly Sample[], claim: LipschitzClaim): string[] {
  const found: string[] = [];
  const check = (what: string, upper: Bound, value: Exact) => {
    if (!above(upper, value)) found.push(says(what, upper, value));
  };
  for (const { output: k, upper, lower } of claim.outputs) {
    if (upper !== null && lower !== null && !(lower <= upper)) {
      found.push(`output ${k}: lower ${lower} > upper ${upper}`);
    }
    for (const { jacobians } of samples) {
      for (const rows of jacobians) {
        check(`norm of row ${k}`, upper, norm1(rows[k]));
        check(`norm of row ${k} against the maximum`, claim.upper, norm1(rows[k]));
      }
    }
    samples.slice(1).forEach((sample, i) => {
      const other = samples[i];
      const distance = normInfinity(combine(sample.exactPoint, other.exactPoint, -1));
      const difference = absolute(subtract(component(sample.output, k), component(other.output, k)));
      // |f(x) - f(y)| <= L |x - y|, without a division.
      if (upper !== null && upper < Infinity && compare(difference, multiply(exact(upper), distance)) > 0) {
        found.push(says(`difference quotient of output ${k} over ${toNumber(distance)}`, upper, difference));
      }
    });
  }
  return found;
}

/** The lower bound is at most the largest norm among the Jacobians found at the witness, which lies in the box. */
export function falseWitness(box: Region, claim: LipschitzClaim, at: Sample): string[] {
  if (claim.witness === null || claim.lower === null) {
    return claim.lower === 0 || claim.lower === null ? [] : ["no witness"];
  }
  const found = outside(box, claim.witness.point);
  // Where no direction decides the region (none met so far) there is nothing to compare with.
  const { output } = claim.witness;
  const norms = at.jacobians.map((rows) => norm1(rows[output]));
  if (norms.length > 0 && norms.every((norm) => !below(claim.lower, norm))) {
    found.push(says(`norm of row ${output} at the witness`, claim.lower, norms[0]));
  }
  return found;
}

/** lower <= f_label - f_k for every sample and every margin; a counterexample has an exact negative margin. */
export function falseRobustness(
  box: Region,
  samples: readonly Sample[],
  claim: {
    readonly label: number;
    readonly margins: readonly { readonly output: number; readonly lower: Bound }[];
    readonly counterexample: Sample | null;
  },
): string[] {
  const found: string[] = [];
  const margin = (output: ExactVector, k: number) => subtract(component(output, claim.label), component(output, k));
  for (const { output } of samples) {
    for (const { output: k, lower } of claim.margins) {
      const value = margin(output, k);
      if (!below(lower, value)) found.push(says(`margin over output ${k}`, lower, value));
    }
  }
  if (claim.counterexample !== null) {
    const { point, output } = claim.counterexample;
    found.push(...outside(box, point));
    if (claim.margins.every(({ output: k }) => compare(margin(output, k), exact(0)) >= 0)) {
      found.push("the counterexample has no negative margin");
    }
  }
  return found;
}

/** Derivatives by the features lie between the bounds, and no direction contradicts one of them. */
export function falseMonotonicity(
  samples: readonly Sample[],
  output: number,
  features: readonly {
    readonly feature: number;
    readonly direction: string;
    readonly lower: Bound;
    readonly upper: Bound;
  }[],
): string[] {
  const found: string[] = [];
  for (const { jacobians } of samples) {
    for (const rows of jacobians) {
      for (const { feature, direction, lower, upper } of features) {
        const value = component(rows[output], feature);
        const falls = compare(value, exact(0)) < 0, rises = compare(value, exact(0)) > 0;
        if (!below(lower, value)) found.push(says(`derivative by ${feature} lower`, lower, value));
        if (!above(upper, value)) found.push(says(`derivative by ${feature} upper`, upper, value));
        if ((direction === "increasing" || direction === "constant") && falls) {
          found.push(`${feature} is not ${direction}`);
        }
        if ((direction === "decreasing" || direction === "constant") && rises) {
          found.push(`${feature} is not ${direction}`);
        }
      }
    }
  }
  return found;
}

function outside(box: Region, point: ArrayLike<number>): string[] {
  const inside = point.length === box.lower.length &&
    Array.from(point).every((x, j) => x >= box.lower[j] && x <= box.upper[j]);
  return inside ? [] : ["a witness lies outside of the box"];
}
