import type { CondensedNetwork } from "../condensed/condense_network.ts";
import type { Box } from "../numeric/box.ts";
import { nextUp, radiusFactor } from "../numeric/rounding.ts";

/**
 * The condensed network as a search reads it: rows and columns of its matrices, and what a coefficient over a unit is charged.
 *
 * All sums of a search are settled with one `factor`: that of more roundings than any path has. What the condensed network's
 * own numbers are off by is part of the charges: `share` magnitudes, so that factor share >= error. shared/README.md (25)
 */
export interface Region {
  readonly network: CondensedNetwork;
  readonly box: Box;
  /** Whether the box has an interior: then pieces without one may be dropped. */
  readonly isSolid: boolean;
  /** n and U. */
  readonly features: number;
  readonly width: number;
  /** [U]: row u of `rows` is 0 from `below[u]` on, row v of `columns` up to `above[v]`. */
  readonly below: Int32Array;
  readonly above: Int32Array;
  /** [U][U]: coefficients of h_u over r_v, and transposed. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** [U][n] and [n][U]: coefficients of h_u over x_j. */
  readonly inputs: Float64Array;
  readonly byFeature: Float64Array;
  /** [U]: at least |h_u| and the magnitudes of its terms. */
  readonly charges: Float64Array;
  /** [U][U] as `columns`, [n][U] as `byFeature`: what one unit of |g_u| is charged. */
  readonly columnCharges: Float64Array;
  readonly featureCharges: Float64Array;
  readonly factor: number;
  readonly share: number;
  /** What one step of a walk may lose to underflow. */
  readonly underflow: number;
}

export function regionOf(network: CondensedNetwork, box: Box): Region {
  const { features, units: { length: width }, outputs, inputWeights, unitWeights, bias, upper, lower, reach } = network;
  const factor = radiusFactor(roundingsOf(features, width, outputs));
  const share = nextUp(nextUp(network.error / factor));
  const [below, above] = neighbours(network.rank);
  const charge = (weight: number, magnitude: number) => Math.abs(weight) + share * magnitude;
  const charges = new Float64Array(width), columnCharges = new Float64Array(width * width);
  const columns = new Float64Array(width * width), byFeature = new Float64Array(features * width);
  const featureCharges = new Float64Array(features * width);
  for (let u = 0; u < width; u++) {
    let sum = charge(bias[u], network.biasMagnitudes[u]);
    for (let v = 0; v < below[u]; v++) {
      const at = u * width + v, one = charge(unitWeights[at], network.unitMagnitudes[at]);
      columns[v * width + u] = unitWeights[at];
      columnCharges[v * width + u] = one;
      if (one > 0) sum += one * Math.max(0, upper[v]);
    }
    for (let j = 0; j < features; j++) {
      const at = u * features + j, one = charge(inputWeights[at], network.inputMagnitudes[at]);
      byFeature[j * width + u] = inputWeights[at];
      featureCharges[j * width + u] = one;
      sum += one * reach[j];
    }
    charges[u] = Math.max(sum, -lower[u], upper[u]) * INFLATION;
  }
  return {
    network,
    box,
    isSolid: box.lower.every((l, j) => l < box.upper[j]),
    features,
    width,
    below,
    above,
    rows: unitWeights.subarray(0, width * width),
    columns,
    inputs: inputWeights.subarray(0, width * features),
    byFeature,
    charges,
    columnCharges,
    featureCharges,
    factor,
    share,
    underflow: 2 ** -1073 * (width + features + 2),
  };
}

/** Few features: a half-space cuts a good part of a box off, and a point's coordinates can be tried one after the other. */
export function isSmall({ features }: Region): boolean {
  return features <= 64;
}

/** More than the roundings on any path of a walk: sums over features, units and outputs, one after the other. */
function roundingsOf(features: number, width: number, outputs: number): number {
  return 3 * features + 6 * width + 2 * outputs + 64;
}

/** Covers the roundings of sums of charges. */
export const INFLATION = 1 + 2 ** -20;

/** The first unit of a unit's own rank, and of the next one. */
function neighbours(rank: Int32Array): [Int32Array, Int32Array] {
  const below = new Int32Array(rank.length), above = new Int32Array(rank.length);
  for (let u = 0; u < rank.length; u++) below[u] = u > 0 && rank[u - 1] === rank[u] ? below[u - 1] : u;
  for (let u = rank.length - 1; u >= 0; u--) {
    above[u] = u + 1 < rank.length && rank[u + 1] === rank[u] ? above[u + 1] : u + 1;
  }
  return [below, above];
}
