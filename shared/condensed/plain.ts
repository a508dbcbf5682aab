import type { CondensedNetwork } from "./condense_network.ts";

/** The condensed network in plain floating point: fast and unproved, for points that are proved elsewhere. */

/** h of every unit and the outputs at x: [U], [K]. */
export function valuesAt(
  network: CondensedNetwork,
  x: Float64Array,
): { readonly h: Float64Array; readonly outputs: Float64Array } {
  const { features: n, units: { length: width }, outputs, inputWeights, unitWeights, bias } = network;
  const values = bias.slice(), active: number[] = [];
  for (let r = 0; r < width + outputs; r++) {
    let sum = values[r];
    for (let j = 0, at = r * n; j < n; j++, at++) sum += inputWeights[at] * x[j];
    for (const v of active) sum += unitWeights[r * width + v] * values[v];
    values[r] = sum;
    if (r < width && sum > 0) active.push(r);
  }
  return { h: values.slice(0, width), outputs: values.slice(width) };
}

/** The gradient of seed . outputs where relu'(h_u) is pattern_u: [n]. */
export function gradientOf(
  network: CondensedNetwork,
  pattern: ArrayLike<number>,
  seed: ArrayLike<number>,
): Float64Array {
  const { features: n, units: { length: width }, outputs, inputWeights, unitWeights } = network;
  const p = new Float64Array(width), gradient = new Float64Array(n);
  for (let r = width + outputs - 1; r >= 0; r--) {
    const factor = r < width ? p[r] * pattern[r] : seed[r - width];
    if (factor === 0) continue;
    for (let v = 0, at = r * width; v < width; v++, at++) p[v] += factor * unitWeights[at];
    for (let j = 0, at = r * n; j < n; j++, at++) gradient[j] += factor * inputWeights[at];
  }
  return gradient;
}
