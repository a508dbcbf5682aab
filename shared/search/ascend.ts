import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";
import { type Bounded, pushDown, type Sum } from "./push_down.ts";
import type { Weighing } from "./weighing.ts";
import type { Workspace } from "./workspace.ts";

/** How multipliers are improved: steps at most, the first step, what each keeps of the one before. */
export interface Ascent {
  readonly steps: number;
  readonly rate: number;
}

export const ASCENT: Ascent = { steps: 10, rate: 0.4 };

/** What a step keeps of the one before. */
const DECAY = 0.97;

/** Averages of gradients and of their squares. */
const MEAN = 0.9, SQUARE = 0.99;

/**
 * Multipliers that lower a sum's bound over a piece, by projected subgradient steps scaled by what the gradients were (Adam), from
 * those in `workspace.multipliers`; the best found are left there. Plain arithmetic: nothing here is a proof, any multipliers
 * are sound. Ends early where the value falls to `level`. `scale`: the size of the objective, for mu. `weighing`: the sum is
 * not the one that is given but a combination of several, whose weights are improved likewise.
 *
 * The gradients are those of the Lagrangian at the corner of the box that attains it: h by the rows, then r, d, p, g as the
 * lines have them.
 */
export function ascend(
  region: Region,
  objective: Objective,
  workspace: Workspace,
  piece: Bounded,
  fixed: Sum,
  level: number,
  scale: number,
  weighing: Weighing | null = null,
  { steps, rate }: Ascent = ASCENT,
): number {
  const { width, network: { lower, upper } } = region, { phases, heights, gradients } = piece;
  const { multipliers, best, mean, square, overGated, overDerivative, overUnit } = workspace;
  const { height, derivative, gradient } = workspace;
  best.set(multipliers);
  mean.fill(0);
  square.fill(0);
  // h is brought from corner to corner: most of x stays where it is.
  workspace.reached.fill(0);
  workspace.byInputs.fill(0);
  let least = Infinity, meanPower = 1, squarePower = 1, length = rate;
  for (let step = 0;; step++) {
    const sum = weighing?.sum() ?? fixed;
    const value = pushDown(region, objective, workspace, piece, sum, multipliers);
    if (value < least) {
      least = value;
      best.set(multipliers);
      weighing?.keep();
    }
    if (step === steps || least <= level || !(least < Infinity)) break;
    attain(region, objective, workspace, piece, sum, multipliers);
    meanPower *= MEAN;
    squarePower *= SQUARE;
    const bias = 1 - meanPower, spread = 1 - squarePower;
    const move = (at: number, slope: number) => {
      const m = mean[at] = MEAN * mean[at] + (1 - MEAN) * slope;
      const s = square[at] = SQUARE * square[at] + (1 - SQUARE) * slope * slope;
      return length * (m / bias) / (Math.sqrt(s / spread) + 1e-12);
    };
    for (let u = 0; u < width; u++) {
      if (phases[u] === 0) {
        const a = overGated[u], left = overDerivative[u];
        if (a !== 0) {
          const near = a > 0 ? gradients.lower[u] : gradients.upper[u];
          const far = a > 0 ? gradients.upper[u] : gradients.lower[u];
          multipliers[u] = within(multipliers[u] - move(u, a * (gradient[u] - near + derivative[u] * (near - far))));
        }
        if (left !== 0) {
          const at = width + u, slope = left * height[u] / (left > 0 ? -heights.lower[u] : heights.upper[u]);
          multipliers[at] = within(multipliers[at] - move(at, slope));
        }
        if (overUnit[u] < 0) {
          const at = 2 * width + u;
          multipliers[at] = within(multipliers[at] - move(at, overUnit[u] * height[u]));
        }
      } else {
        const at = 3 * width + u;
        const moved = multipliers[at] - scale / (upper[u] - lower[u]) * move(at, phases[u] * height[u]);
        multipliers[at] = moved > 0 ? moved : 0;
      }
    }
    weighing?.step(workspace, length);
    length *= DECAY;
  }
  multipliers.set(best);
  weighing?.restore();
  return least;
}

function within(x: number): number {
  return x > 0 ? (x < 1 ? x : 1) : 0;
}

/** h, r, d, p and g at the corner, as the lines in use have them. */
function attain(
  { width, ranks, byInput, vectors, network: { bias } }: Region,
  { seed }: Objective,
  workspace: Workspace,
  { phases, heights, gradients }: Bounded,
  sum: Sum,
  multipliers: Float64Array,
): void {
  const { height, unit, derivative, gradient, gated, corner, overUnit, overGated, overDerivative } = workspace;
  const { moved, reached, byInputs } = workspace;
  vectors.move(moved, reached, corner);
  vectors.combine(byInputs, 0, byInput, moved, 0);
  for (const { from, end, lower } of ranks) {
    vectors.products(height, from, lower, unit, 0);
    for (let u = from; u < end; u++) {
      const h = bias[u] + byInputs[u] + height[u];
      height[u] = h;
      const phase = phases[u], l = heights.lower[u], t = heights.upper[u];
      unit[u] = phase > 0
        ? h
        : phase < 0
        ? 0
        : overUnit[u] > 0
        ? t / (t - l) * (h - l)
        : multipliers[2 * width + u] * h;
      const theta = multipliers[width + u];
      derivative[u] = overDerivative[u] > 0 ? 1 + theta * h / -l : theta * h / t;
    }
  }
  if (sum.gated === null) return;
  for (let r = ranks.length - 1; r >= 0; r--) {
    const { from, end, upper } = ranks[r];
    vectors.products(gradient, from, upper, gated, end);
    for (let u = end - 1; u >= from; u--) {
      const p = seed[u] + gradient[u];
      gradient[u] = p;
      const phase = phases[u], a = overGated[u], lambda = multipliers[u], d = derivative[u];
      if (phase > 0) gated[u] = p;
      else if (phase < 0 || a === 0) gated[u] = 0;
      else {
        const near = a > 0 ? gradients.lower[u] : gradients.upper[u];
        const far = a > 0 ? gradients.upper[u] : gradients.lower[u];
        gated[u] = lambda * (p - near + d * near) + (1 - lambda) * far * d;
      }
    }
  }
}

/** The usual lines: chords of g (NaN: chosen when the sign is known), nothing of h, the smaller area below r. */
export function usualMultipliers({ width, network: { lower, upper } }: Region, into: Float64Array): void {
  into.fill(NaN, 0, width);
  into.fill(0, width);
  for (let u = 0; u < width; u++) into[2 * width + u] = upper[u] > -lower[u] ? 1 : 0;
}
