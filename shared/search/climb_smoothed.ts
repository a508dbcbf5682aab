import type { Box } from "../numeric/box.ts";
import type { Bounding } from "./bound_piece.ts";
import { isSmall } from "./region.ts";
import { valueAt } from "./value_at.ts";

export interface Smoothing {
  readonly steps: number;
  /** The first and the last step, in widths of the box. */
  readonly rate: readonly [first: number, last: number];
  /** How far from a kink its derivative is felt, at first and at last, in widths of h over the region. */
  readonly spread: readonly [first: number, last: number];
}

/** Measured on reference cases: more steps gain under 0.1 %. */
const SMOOTHING: Smoothing = { steps: 120, rate: [0.1, 0.005], spread: [0.02, 0.0005] };

/** Expansions of nodes at such depths climb: one costs some ten nodes. */
const EVERY = 32;

/** Whether the expansion of a node is followed by a climb: of gradients over many features. */
export function climbsSmoothed({ region, objective }: Bounding, depth: number): boolean {
  return !isSmall(region) && objective.aim.kind !== "value" && depth % EVERY === 0;
}

const MEAN = 0.9, SQUARE = 0.99;

/**
 * A point of the box at which the gradient's norm or entry is as large as at the start or larger, in plain arithmetic.
 *
 * The objective does not change between kinks, so the steps follow one that is smooth: with W_u what the objective gains where
 * d_u goes from 0 to 1, the derivative by h_u is W_u times the bell s / (s^2 + h_u^2), whose width s shrinks. Steps are
 * scaled as Adam's and cut to the box; the best point met is kept. Cost: about 8 U (n + U) flops a step.
 */
export function climbSmoothed(
  bounding: Bounding,
  { lower, upper }: Box,
  from: Float64Array,
  { steps, rate, spread }: Smoothing = SMOOTHING,
): Float64Array {
  const { region, objective, workspace } = bounding, { features } = region;
  const point = from.slice(), best = from.slice();
  const mean = new Float64Array(features), square = new Float64Array(features);
  let most = -Infinity, meanPower = 1, squarePower = 1;
  for (let step = 0; step < steps; step++) {
    const value = valueAt(region, objective, workspace, point);
    if (value > most) {
      most = value;
      best.set(point);
    }
    const done = step / steps, length = rate[0] + done * (rate[1] - rate[0]);
    const slopes = smoothedSlopes(bounding, spread[0] + done * (spread[1] - spread[0]));
    meanPower *= MEAN;
    squarePower *= SQUARE;
    for (let j = 0; j < features; j++) {
      const slope = slopes[j];
      const m = mean[j] = MEAN * mean[j] + (1 - MEAN) * slope;
      const s = square[j] = SQUARE * square[j] + (1 - SQUARE) * slope * slope;
      if (m === 0) continue;
      const move = m / (1 - meanPower) / Math.sqrt(s / (1 - squarePower));
      const x = point[j] + length * (upper[j] - lower[j]) * move;
      // NaN stays where it is.
      point[j] = x > upper[j] ? upper[j] : x < lower[j] ? lower[j] : x === x ? x : point[j];
    }
  }
  return best;
}

/** d/dx of the smoothed objective at the point that `valueAt` left in the workspace; the array is the workspace's. */
function smoothedSlopes({ region, objective, workspace }: Bounding, spread: number): Float64Array {
  const { features, ranks, byUnit, vectors, network: { lower, upper } } = region, { aim, seed } = objective;
  const { height, gradient, row, slopes, overInput, overGated, overGradient, overHeight, overUnit } = workspace;
  if (aim.kind === "entry") slopes.fill(0).fill(1, aim.feature, aim.feature + 1);
  else for (let j = 0; j < features; j++) slopes[j] = overInput[j] > 0 ? 1 : overInput[j] < 0 ? -1 : 0;
  // What the objective gains by g_u, from the input on.
  vectors.products(overGated, 0, byUnit, slopes, 0);
  for (const { from, end, lower: read } of ranks) {
    vectors.products(row, from, read, overGradient, 0);
    for (let u = from; u < end; u++) {
      const gain = overGated[u] += row[u], s = spread * (upper[u] - lower[u]), h = height[u];
      overGradient[u] = h > 0 ? gain : 0;
      const bell = s > 0 ? s / (s * s + h * h) : 0;
      overHeight[u] = gain * (seed[u] + gradient[u]) * bell;
    }
  }
  overUnit.fill(0);
  for (let r = ranks.length - 1; r >= 0; r--) {
    const { from, end, lower: read } = ranks[r];
    for (let u = from; u < end; u++) if (height[u] > 0) overHeight[u] += overUnit[u];
    vectors.combine(overUnit, 0, read, overHeight, from);
  }
  overInput.fill(0);
  vectors.combine(overInput, 0, byUnit, overHeight, 0);
  return overInput;
}
