import type { Graph } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { ascend, gradientObjective } from "./ascent.ts";
import { evaluatePlain, gradientPlain, plainFlops, type PlainTrace } from "./plain_network.ts";
import { startPoints } from "./search_norms.ts";

interface Extreme {
  readonly point: Float64Array;
  readonly value: number;
}

/** For each feature the points with the least and the largest plain derivative that were met. */
export type EntrySearch = readonly { readonly feature: number; readonly least: Extreme; readonly largest: Extreme }[];

/** Points of the box that every search of entries visits. */
export const START_POINTS = 5;

/**
 * Looks for points where the derivative of seed . f by each feature is small and where it is large: start points of the
 * box, then an ascent for each feature and sign while `flops` last; every visited point counts for every feature.
 * Unproved: see `prove.ts`.
 */
export function searchEntries(
  graph: Graph,
  box: Box,
  seed: Float64Array,
  features: readonly number[],
  gates: readonly number[],
  flops: number,
): EntrySearch {
  if (features.length === 0) return [];
  const starts = startPoints(box, START_POINTS);
  const extremes = features.map((feature) => ({
    feature,
    least: { point: starts[0], value: Infinity },
    largest: { point: starts[0], value: -Infinity },
  }));
  const visit = (trace: PlainTrace) => {
    const gradient = gradientPlain(graph, trace, seed);
    const point = trace.values[0];
    for (const one of extremes) {
      const value = gradient[one.feature];
      if (value < one.least.value) one.least = { point, value };
      if (value > one.largest.value) one.largest = { point, value };
    }
  };
  starts.forEach((point) => visit(evaluatePlain(graph, point)));
  const oneStep = plainFlops(graph, 5);
  let left = flops - starts.length * plainFlops(graph, 1);
  const evaluations = Math.min(24, Math.floor(left / oneStep / (2 * features.length)));
  if (evaluations < 2) return extremes;
  for (const one of extremes) {
    for (const sign of [-1, 1]) {
      if (sign < 0 ? one.least.value < 0 : one.largest.value > 0) continue;
      const weights = new Float64Array(box.lower.length);
      weights[one.feature] = sign;
      const start = (sign < 0 ? one.least : one.largest).point;
      ascend(graph, box, start, gradientObjective(graph, seed, weights, gates), evaluations, visit);
      left -= evaluations * oneStep;
    }
  }
  return extremes;
}
