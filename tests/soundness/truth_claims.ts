/**
 * What a finding claims, held against what is exactly true over all regions of a box, and whether it says all of it.
 *
 * `found` are claims that are false, in words. `closed`: nothing is left that more search could tell, within
 * {@link TIGHT} of the magnitude of what is asked.
 */
import type { Finding, Verdict } from "../../shared/certificate/finding.ts";
import { absolute, compare, type Exact, exact, isAtLeast, isAtMost, maximum, sign, toNumber } from "../exact/dyadic.ts";
import type { Range, Truth } from "../exact/truth.ts";

export const TIGHT = 1e-6;

export interface Judged {
  readonly found: readonly string[];
  readonly closed: boolean;
}

/** The rows of the question in order: outputs, margins or functionals. */
export interface Facts {
  readonly truths: readonly Truth[];
  readonly ranges: readonly Range[];
}

type Bound = number | null;
type Of<T extends Finding["type"]> = Extract<Finding, { type: T }>;

/** The constant of every row lies between its bounds; where the answer is called exact, so is the largest of them. */
export function judgeLipschitz(finding: Of<"lipschitz">, { truths }: Facts): Judged {
  const found = truths.flatMap(({ constant }, k) =>
    outside(
      `constant of row ${k}`,
      { least: constant, most: constant },
      finding.outputs[k].lower,
      finding.outputs[k].upper,
    )
  );
  const constant = truths.map((one) => one.constant).reduce(maximum);
  found.push(...outside("largest constant", { least: constant, most: constant }, finding.lower, finding.upper));
  const { exact: isExact, lower, upper } = finding, magnitude = toNumber(constant);
  const isNear = (bound: Bound) => bound !== null && isWithin(bound, constant, magnitude);
  if (isExact && !(isNear(upper) && isNear(lower))) found.push(`called exact: ${lower} to ${upper}, is ${magnitude}`);
  return { found, closed: isExact };
}

/** True where the upper bound alone is all that is true: what is missing is a point to prove it. */
export function isUpperTight(finding: Of<"lipschitz">, { truths }: Facts): boolean {
  const constant = truths.map((one) => one.constant).reduce(maximum);
  return finding.upper !== null && isWithin(finding.upper, constant, toNumber(constant));
}

export function judgeOutputs(finding: Of<"output_bounds">, { ranges }: Facts): Judged {
  return judgeRanges("output", ranges, finding);
}

export function judgeJacobian(finding: Of<"jacobian_bounds">, { truths }: Facts): Judged {
  const judged = truths.map(({ derivatives }, k) =>
    judgeRanges(`row ${k}, derivative`, derivatives, finding.outputs[k])
  );
  return { found: judged.flatMap(({ found }) => found), closed: judged.every(({ closed }) => closed) };
}

/** One row of facts: those of the output. */
export function judgeMonotonicity(finding: Of<"monotonicity">, { truths: [{ derivatives }] }: Facts): Judged {
  const found = finding.features.flatMap(({ feature, direction, lower, upper }) => {
    const range = derivatives[feature], falls = sign(range.least) < 0, rises = sign(range.most) > 0;
    const wrong = direction === "increasing" && falls || direction === "decreasing" && rises ||
      direction === "constant" && (falls || rises) || direction === "neither" && !(falls && rises);
    return [
      ...outside(`derivative by ${feature}`, range, lower, upper),
      ...(wrong ? [`feature ${feature} is not ${direction}: ${shown(range)}`] : []),
    ];
  });
  return { found, closed: finding.features.every(({ direction }) => direction !== "unknown") };
}

/** Rows of facts: the margins, in the order of the finding. A margin of exactly 0 has no verdict to reach. */
export function judgeRobustness(finding: Of<"robustness">, verdict: Verdict, { ranges }: Facts): Judged {
  const found = ranges.flatMap(({ least }, m) => {
    const { output, lower } = finding.margins[m];
    return lower === null || isAtLeast(least, lower) ? [] : [says(`margin over ${output}`, lower, least)];
  });
  const robust = ranges.every(({ least }) => sign(least) > 0), broken = ranges.some(({ least }) => sign(least) < 0);
  if (verdict === "certified" && !robust) found.push("certified, but a margin is not above 0");
  if (verdict === "refuted" && !broken) found.push("refuted, but no margin is below 0");
  return { found, closed: verdict !== "unknown" || !robust && !broken };
}

interface Ends {
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
}

function judgeRanges(what: string, ranges: readonly Range[], { lower, upper }: Ends): Judged {
  const found = ranges.flatMap((range, i) => outside(`${what} ${i}`, range, lower[i], upper[i]));
  const closed = ranges.every(({ least, most }, i) => {
    const magnitude = toNumber(maximum(absolute(least), absolute(most))), [l, u] = [lower[i], upper[i]];
    return l !== null && u !== null && isWithin(l, least, magnitude) && isWithin(u, most, magnitude);
  });
  return { found, closed };
}

/** Not (lower <= least and most <= upper); a bound of null claims nothing. */
function outside(what: string, { least, most }: Range, lower: Bound, upper: Bound): string[] {
  const found: string[] = [];
  if (lower !== null && !isAtLeast(least, lower)) found.push(says(`${what} lower`, lower, least));
  if (upper !== null && !isAtMost(most, upper)) found.push(says(`${what} upper`, upper, most));
  return found;
}

function isWithin(bound: number, value: Exact, magnitude: number): boolean {
  return compare(exact(bound), value) === 0 || Math.abs(bound - toNumber(value)) <= TIGHT * magnitude;
}

function says(what: string, bound: number, value: Exact): string {
  return `${what}: claimed ${bound}, exact ${toNumber(value)}`;
}

function shown({ least, most }: Range): string {
  return `${toNumber(least)} to ${toNumber(most)}`;
}
