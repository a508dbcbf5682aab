import type { CondensedNetwork } from "../condensed/condense_network.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Part, Vectors } from "../kernels/vectors.ts";
import { plainVectors, wholeOf } from "../kernels/vectors_reference.ts";
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
  /** Kernels, and the memory that holds the arrays above (and the workspace's). */
  readonly vectors: Vectors;
  readonly byUnit: Part; // inputs
  readonly byInput: Part; // byFeature
  readonly upward: Upward;
  /** In ascending order. */
  readonly ranks: readonly Rank[];
  /** [n]: 1 where a number over x_j is not 0. */
  readonly isRead: Uint8Array;
  /** [U]: at least |h_u| and the magnitudes of its terms. */
  readonly charges: Float64Array;
  /** [U][U] as `columns`, [n][U] as `byFeature`: what one unit of |g_u| is charged. */
  readonly columnCharges: Float64Array;
  readonly featureCharges: Float64Array;
  readonly factor: number;
  readonly share: number;
  /** What one step of a walk over h and x may lose to underflow. */
  readonly underflow: number;
}

/**
 * The rows of h for `Vectors.gatedRows`, which goes from each place to later ones: the units backwards, then the inputs. At
 * place U - 1 - v stands unit v, at place U + j input j.
 */
export interface Upward {
  /** [U][U + n]: h_u over r and x. */
  readonly matrix: Float64Array;
  /** [U + n][U]: what a place adds to those that h there reads. */
  readonly inner: Float64Array;
  readonly below: Int32Array;
  /** [U + n]: bias and charges of the units; 0 for inputs. */
  readonly bias: Float64Array;
  readonly charges: Float64Array;
}

/** Units from..end of one rank, with what they read of those below, and what those above read of them. */
export interface Rank {
  readonly from: number;
  readonly end: number;
  /** Rows of `rows` over the units 0..from; rows of `columns` over the units end..U. */
  readonly lower: Part;
  readonly upper: Part;
}

/** `makeVectors`: kernels to compute with, `kernels.vectors` of a backend. */
export function regionOf(
  network: CondensedNetwork,
  box: Box,
  makeVectors: (numbers: number) => Vectors = () => plainVectors,
): Region {
  const { features, units: { length: width }, outputs, inputWeights, unitWeights, bias, upper, lower, reach } = network;
  const factor = radiusFactor(roundingsOf(features, width, outputs));
  const share = nextUp(nextUp(network.error / factor));
  const vectors = makeVectors(numbersOf(features, width));
  const below = vectors.takeIndices(width), above = new Int32Array(width);
  neighbours(network.rank, below, above);
  const isRead = new Uint8Array(features);
  const charge = (weight: number, magnitude: number) => Math.abs(weight) + share * magnitude;
  const charges = new Float64Array(width), columnCharges = new Float64Array(width * width);
  const rows = vectors.take(width * width), columns = vectors.take(width * width);
  const inputs = vectors.take(width * features), byFeature = vectors.take(features * width);
  rows.set(unitWeights.subarray(0, width * width));
  inputs.set(inputWeights.subarray(0, width * features));
  const featureCharges = new Float64Array(features * width);
  for (let u = 0; u < width; u++) {
    let sum = charge(bias[u], network.biasMagnitudes[u]);
    for (let v = 0; v < below[u]; v++) {
      const at = u * width + v, one = charge(unitWeights[at], network.unitMagnitudes[at]);
      columns[v * width + u] = unitWeights[at];
      columnCharges[v * width + u] = one;
      if (one > 0) sum += one * Math.max(0, upper[v]) + FLOOR;
    }
    for (let j = 0; j < features; j++) {
      const at = u * features + j, one = charge(inputWeights[at], network.inputMagnitudes[at]);
      byFeature[j * width + u] = inputWeights[at];
      featureCharges[j * width + u] = one;
      if (inputWeights[at] !== 0) isRead[j] = 1;
      if (one > 0) sum += one * reach[j] + FLOOR;
    }
    charges[u] = Math.max(sum, -lower[u], upper[u]) * INFLATION;
  }
  const largest = [...charges, ...reach].reduce((a, b) => (a > b ? a : b), 1);
  return {
    network,
    box,
    isSolid: box.lower.every((l, j) => l < box.upper[j]),
    features,
    width,
    below,
    above,
    rows,
    columns,
    inputs,
    byFeature,
    vectors,
    byUnit: wholeOf(inputs, width, features),
    byInput: wholeOf(byFeature, features, width),
    upward: upwardOf(vectors, features, above, rows, inputs, network.bias, charges),
    ranks: ranksOf(below, above, rows, columns),
    isRead,
    charges,
    columnCharges,
    featureCharges,
    factor,
    share,
    underflow: 2 ** -1073 * (width + features + outputs + 2) * largest,
  };
}

/** Few features: a half-space cuts a good part of a box off, and a point's coordinates can be tried one after the other. */
export function isSmall({ features }: Pick<Region, "features">): boolean {
  return features <= 64;
}

/** More than the roundings on any path of a walk: sums over features, units and outputs, one after the other. Counted in (25). */
function roundingsOf(features: number, width: number, outputs: number): number {
  return 3 * features + 6 * width + 2 * outputs + 64;
}

/** Covers the roundings of sums of charges. */
export const INFLATION = 1 + 2 ** -20;

/** Added to a charge for every product in it: what may have underflowed is far below the rounding of the charge. */
export const FLOOR = 2 ** -960;

/** The first unit of a unit's own rank, and of the next one. */
function neighbours(rank: Int32Array, below: Int32Array, above: Int32Array): void {
  for (let u = 0; u < rank.length; u++) below[u] = u > 0 && rank[u - 1] === rank[u] ? below[u - 1] : u;
  for (let u = rank.length - 1; u >= 0; u--) {
    above[u] = u + 1 < rank.length && rank[u + 1] === rank[u] ? above[u + 1] : u + 1;
  }
}

function upwardOf(
  vectors: Vectors,
  features: number,
  above: Int32Array,
  rows: Float64Array,
  inputs: Float64Array,
  bias: Float64Array,
  charges: Float64Array,
): Upward {
  const width = above.length, places = width + features;
  const upward: Upward = {
    matrix: vectors.take(width * places),
    inner: vectors.take(places * width),
    below: vectors.takeIndices(places),
    bias: vectors.take(places),
    charges: vectors.take(places),
  };
  for (let u = 0; u < width; u++) {
    const place = width - 1 - u;
    upward.below[place] = width - above[u];
    upward.bias[place] = bias[u];
    upward.charges[place] = charges[u];
    for (let v = 0; v < u; v++) {
      const weight = rows[u * width + v];
      upward.matrix[u * places + width - 1 - v] = weight;
      upward.inner[(width - 1 - v) * width + place] = weight;
    }
    for (let j = 0; j < features; j++) {
      const weight = inputs[u * features + j];
      upward.matrix[u * places + width + j] = weight;
      upward.inner[(width + j) * width + place] = weight;
    }
  }
  upward.below.fill(width, width);
  return upward;
}

function ranksOf(below: Int32Array, above: Int32Array, rows: Float64Array, columns: Float64Array): Rank[] {
  const ranks: Rank[] = [], width = below.length;
  for (let from = 0; from < width;) {
    const end = above[from], count = end - from;
    ranks.push({
      from,
      end,
      lower: { numbers: rows, at: from * width, stride: width, rows: count, columns: from },
      upper: { numbers: columns, at: from * width + end, stride: width, rows: count, columns: width - end },
    });
    from = end;
  }
  return ranks;
}

/** Kernels with memory for a region and its workspace; null where they have none. */
export function vectorsFor({ features, units }: CondensedNetwork, kernels: Pick<Kernels, "vectors">): Vectors | null {
  return kernels.vectors(numbersOf(features, units.length));
}

/** Numbers that a region and its workspace take from the kernels' memory. */
export function numbersOf(features: number, width: number): number {
  return 4 * width * (width + features) + 64 * width + 32 * features;
}

/**
 * Flops that bounding a piece takes, roughly: ten steps of an ascent, and rows for the entries of J; on few features linear
 * programs, as measured.
 */
export function flopsOfPiece(width: number, features: number): number {
  const steps = isSmall({ features }) ? 64 : 44;
  return steps * width * (features + width) + features * width * width;
}
