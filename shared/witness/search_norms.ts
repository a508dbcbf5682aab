import type { Graph } from "../graph.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import { ascend, type Found, gradientObjective } from "./ascent.ts";
import { evaluatePlain, gradientPlain, plainFlops } from "./plain_network.ts";

/**
 * For each seed a point of the box where the l1 norm of its gradient is large: midpoint and corners first, then ascent,
 * most of it for the seeds with the largest upper bounds; at the end every seed tries the others' points.
 *
 * `flops` bounds what is spent (at least one point a seed is evaluated). Unproved: see `prove.ts`.
 */
export function searchNorms(
  graph: Graph,
  box: Box,
  seeds: readonly Float64Array[],
  uppers: readonly number[],
  gates: readonly number[],
  flops: number,
  signal?: AbortSignal,
): Float64Array[] {
  const everySeed = plainFlops(graph, seeds.length);
  const oneStep = plainFlops(graph, 4);
  const starts = startPoints(box, Math.max(1, Math.min(5, Math.floor(0.3 * flops / everySeed))));
  const best = bestOf(graph, seeds, starts);
  const order = seeds.map((_, k) => k).sort((a, b) => uppers[b] - uppers[a] || a - b);
  let left = flops - starts.length * everySeed;
  const found: Float64Array[] = [];
  for (const k of order) {
    signal?.throwIfAborted();
    const evaluations = Math.min(Math.floor(left / 2 / oneStep), 60);
    if (evaluations < 2) break;
    const objective = gradientObjective(graph, seeds[k], null, gates);
    const result = ascend(graph, box, best[k].point, objective, evaluations);
    left -= evaluations * oneStep;
    if (result.score > best[k].score) {
      best[k] = result;
      found.push(result.point);
    }
  }
  const shared = bestOf(graph, seeds, found.slice(0, Math.max(0, Math.floor(left / everySeed))));
  return best.map((one, k) => (shared.length > 0 && shared[k].score > one.score ? shared[k] : one).point);
}

function bestOf(graph: Graph, seeds: readonly Float64Array[], points: readonly Float64Array[]): Found[] {
  if (points.length === 0) return [];
  const best: Found[] = seeds.map(() => ({ point: points[0], score: -Infinity }));
  for (const point of points) {
    const trace = evaluatePlain(graph, point);
    seeds.forEach((seed, k) => {
      const gradient = gradientPlain(graph, trace, seed);
      let score = 0;
      for (let i = 0; i < gradient.length; i++) score += Math.abs(gradient[i]);
      if (score > best[k].score) best[k] = { point, score };
    });
  }
  return best;
}

/** The midpoint, two opposite corners and two alternating ones, as many as asked for. */
export function startPoints(box: Box, count: number): Float64Array[] {
  const corner = (high: (i: number) => boolean) => box.lower.map((l, i) => (high(i) ? box.upper[i] : l));
  return [
    midpoint(box),
    corner(() => true),
    corner(() => false),
    corner((i) => i % 2 === 0),
    corner((i) => i % 2 === 1),
  ].slice(0, count);
}
