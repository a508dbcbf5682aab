import type { Box } from "../numeric/box.ts";
import { gamma } from "../numeric/rounding.ts";
import type { CondensedNetwork } from "./condense_network.ts";
import { FLOOR } from "./pull_back.ts";

/**
 * The network where some units have their phase (1: h >= 0 and r = h, -1: h <= 0 and r = 0): over the chosen units alone, in
 * ascending order. Units that are left out must have a phase; of the chosen ones those that have keep their row, and nothing
 * reads their r any more. `heights`: proved bounds of all units' h there.
 *
 * Row u takes in, times their coefficients, the rows of the active units that it reads, level by level.
 *
 * Rounding: counted in `error`. Source: shared/README.md (28); cost 4 (n + chosen) flops for each pair of an active unit and
 * a row above that reads it.
 */
export function condenseAgain(
  network: CondensedNetwork,
  phases: Int8Array,
  chosen: ArrayLike<number>,
  heights: Box,
): CondensedNetwork {
  const { features: n, outputs, units: { length: width } } = network;
  const count = chosen.length, rows = width + outputs, kept = count + outputs;
  const columns = new Int32Array(width).fill(-1);
  for (let i = 0; i < count; i++) columns[chosen[i]] = phases[chosen[i]] === 0 ? i : -1;
  // Numbers of a row, one after the other: over the inputs, over the chosen units, and the constant.
  const stride = n + count + 1, values = new Float64Array(rows * stride), sizes = new Float64Array(rows * stride);
  let steps = 0;
  for (let u = 0; u < rows; u++) {
    const to = u * stride, end = Math.min(u, width);
    values.set(network.inputWeights.subarray(u * n, (u + 1) * n), to);
    sizes.set(network.inputMagnitudes.subarray(u * n, (u + 1) * n), to);
    values[to + stride - 1] = network.bias[u];
    sizes[to + stride - 1] = network.biasMagnitudes[u];
    let added = 0;
    for (let v = 0; v < end; v++) {
      const weight = network.unitWeights[u * width + v], size = network.unitMagnitudes[u * width + v];
      if (size === 0) continue;
      if (phases[v] === 0) {
        values[to + n + columns[v]] += weight;
        sizes[to + n + columns[v]] += size;
      } else if (phases[v] > 0) {
        added++;
        for (let k = to, from = v * stride; k < to + stride; k++, from++) {
          if (sizes[from] === 0) continue;
          values[k] += weight * values[from];
          sizes[k] += size * sizes[from] + FLOOR;
        }
      }
    }
    if (added > 0) { for (let k = to; k < to + stride; k++) sizes[k] *= INFLATION; }
    steps = Math.max(steps, added);
  }
  const rank = Int32Array.from(chosen, (u) => network.rank[u]);
  const order = [...Array.from(chosen), ...Array.from({ length: outputs }, (_, k) => width + k)];
  const part = (table: Float64Array, from: number, size: number) => {
    const out = new Float64Array(kept * size);
    order.forEach((u, r) => out.set(table.subarray(u * stride + from, u * stride + from + size), r * size));
    return out;
  };
  const ends = (of: Float64Array, all: Float64Array) =>
    Float64Array.from(order, (u, r) => (r < count ? of[u] : all[u]));
  return {
    features: n,
    outputs,
    units: Array.from(chosen, (u) => network.units[u]),
    inputWeights: part(values, 0, n),
    unitWeights: part(values, n, count),
    bias: part(values, n + count, 1),
    inputMagnitudes: part(sizes, 0, n),
    unitMagnitudes: part(sizes, n, count),
    biasMagnitudes: part(sizes, n + count, 1),
    error: errorOf(network, steps),
    lower: ends(heights.lower, network.lower),
    upper: ends(heights.upper, network.upper),
    reach: network.reach,
    rank,
  };
}

/**
 * What a product of a coefficient and a row is off by grows by `error` and the roundings of its sum a level; ranks say how many
 * levels there are.
 */
function errorOf({ rank, error }: CondensedNetwork, steps: number): number {
  if (steps === 0) return error;
  const levels = new Set(rank).size, roundings = gamma(steps + 4);
  let sum = error;
  for (let level = 0; level < levels; level++) sum = (sum + error + roundings) * INFLATION;
  return sum;
}

/** Covers products of errors, and the roundings of sums of magnitudes. */
const INFLATION = 1 + 2 ** -20;
