import { type Objective, valueCharge } from "./objective.ts";
import type { Sum } from "./push_down.ts";
import type { Region } from "./region.ts";
import type { Workspace } from "./workspace.ts";

/**
 * The weights of an aim that is the least of several outputs, while they are improved. The least is never above a convex
 * combination, whatever the weights.
 */
export interface Weighing {
  /** The combination with the weights as they are. */
  sum(): Sum;
  /** Moves the weights from outputs that are large at what attains the last bound to those that are small. */
  step(workspace: Workspace, length: number): void;
  /** Notes the weights; goes back to those that were noted. */
  keep(): void;
  restore(): void;
  weights(): Float64Array;
}

export function weighingOf(region: Region, { among }: Objective, start: Float64Array): Weighing {
  const { width, features } = region, count = among.length;
  const weights = start.slice(), noted = start.slice();
  const charges = among.map((one) => valueCharge(region, one));
  const units = new Float64Array(width), inputs = new Float64Array(features), values = new Float64Array(count);
  return {
    sum: () => combine(among, charges, weights, units, inputs),
    step({ corner, unit }, length) {
      let low = Infinity, high = -Infinity;
      among.forEach(({ constant, direct, seed }, i) => {
        let value = constant;
        for (let j = 0; j < features; j++) value += direct[j] * corner[j];
        for (let u = 0; u < width; u++) value += seed[u] * unit[u];
        values[i] = value;
        low = Math.min(low, value);
        high = Math.max(high, value);
      });
      if (!(high > low)) return;
      for (let i = 0; i < count; i++) weights[i] -= length * (values[i] - low) / (high - low);
      project(weights);
      onGrid(weights);
    },
    keep: () => noted.set(weights),
    restore: () => weights.set(noted),
    weights: () => weights.slice(),
  };
}

/** sum w_i v_i: rounded as a combination of outputs, which is what the region's factor counts. Source: shared/README.md (26) */
function combine(
  among: readonly Objective[],
  charges: readonly number[],
  weights: Float64Array,
  units: Float64Array,
  inputs: Float64Array,
): Sum {
  units.fill(0);
  inputs.fill(0);
  let constant = 0, charge = 0;
  among.forEach(({ seed, direct, constant: c }, i) => {
    const w = weights[i];
    if (w === 0) return;
    for (let u = 0; u < units.length; u++) units[u] += w * seed[u];
    for (let j = 0; j < inputs.length; j++) inputs[j] += w * direct[j];
    constant += w * c;
    charge += w * charges[i];
  });
  return { gated: null, units, inputs, constant, charge: charge * 1.000001 };
}

/** All on the output whose bound over the region is least. */
export function firstWeights({ width, network: { upper } }: Region, among: readonly number[]): Float64Array {
  const weights = new Float64Array(among.length);
  let least = 0;
  among.forEach((k, i) => {
    if (upper[width + k] < upper[width + among[least]]) least = i;
  });
  weights[least] = 1;
  return weights;
}

/** The nearest point of the simplex, in place. */
function project(weights: Float64Array): void {
  const sorted = weights.slice().sort().reverse();
  let sum = 0, shift = 0;
  sorted.forEach((w, i) => {
    sum += w;
    if (w - (sum - 1) / (i + 1) > 0) shift = (sum - 1) / (i + 1);
  });
  for (let i = 0; i < weights.length; i++) weights[i] = Math.max(0, weights[i] - shift);
}

/** Numbers in [0, 1] that are multiples of this add up without rounding. */
const GRID = 2 ** 40;

/** Multiples of the grid whose sum is exactly 1, in place: what is cut off goes to the largest. Of weights that sum to about 1. */
export function onGrid(weights: Float64Array): void {
  let left = 1, largest = 0;
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.max(0, Math.floor(weights[i] * GRID) / GRID);
    left -= weights[i];
    if (weights[i] > weights[largest]) largest = i;
  }
  weights[largest] += left;
  if (weights[largest] >= 0) return;
  weights.fill(0);
  weights[largest] = 1;
}
