import type { HalfSpaces } from "../linear/half_spaces.ts";
import { optimise } from "../linear/optimise.ts";
import type { Box } from "../numeric/box.ts";
import { onGrid } from "./weighing.ts";

/** slopes . x + constant. */
export interface Form {
  readonly slopes: Float64Array;
  readonly constant: number;
}

/** Where the least of some forms is largest on a polytope, and what shows it. Proposals, as all that `optimise` finds. */
export interface LeastForms {
  /** Of the forms: not negative, their sum is exactly 1. */
  readonly weights: Float64Array;
  /** Of the half-spaces: what they add to the weighted forms makes the box's maximum the polytope's. */
  readonly multipliers: Float64Array;
  readonly point: Float64Array;
}

/** The largest t with t <= every form: the multipliers of these rows are the weights. */
export function leastForms(forms: readonly Form[], { rows, constants }: HalfSpaces, box: Box): LeastForms {
  const { lower, upper } = box, n = lower.length, count = constants.length;
  const all = new Float64Array((count + forms.length) * (n + 1));
  for (let i = 0; i < count; i++) all.set(rows.subarray(i * n, (i + 1) * n), i * (n + 1));
  let low = Infinity, high = Infinity;
  forms.forEach(({ slopes, constant }, i) => {
    all.set(slopes, (count + i) * (n + 1));
    all[(count + i) * (n + 1) + n] = -1;
    let smallest = constant, largest = constant;
    slopes.forEach((c, j) => {
      smallest += c * (c > 0 ? lower[j] : upper[j]);
      largest += c * (c > 0 ? upper[j] : lower[j]);
    });
    low = Math.min(low, smallest);
    high = Math.min(high, largest);
  });
  // t keeps some room, so that only the forms limit it.
  const room = 1 + Math.abs(low) + Math.abs(high), slope = new Float64Array(n + 1);
  slope[n] = 1;
  const found = optimise(
    { rows: all, constants: Float64Array.of(...constants, ...forms.map(({ constant }) => constant)) },
    { lower: Float64Array.of(...lower, low - room), upper: Float64Array.of(...upper, high + room) },
    slope,
  );
  const share = 1 / found.multipliers.subarray(count).reduce((sum, y) => sum + y, 0);
  const isFound = share > 0 && share < Infinity;
  const part = (y: number) => (isFound && y > 0 && y < Infinity ? y * share : 0);
  const weights = found.multipliers.slice(count).map((y) => (isFound ? part(y) : 1 / forms.length));
  onGrid(weights);
  return { weights, multipliers: found.multipliers.slice(0, count).map(part), point: found.point.slice(0, n) };
}
