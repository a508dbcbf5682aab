/** The search for a point that satisfies a disjunct: plain floating point, nothing proved. */
import type { Graph } from "../graph.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import { ascend, type Objective } from "../witness/ascent.ts";
import { gradientPlain, plainFlops } from "../witness/plain_network.ts";
import { startPoints } from "../witness/search_norms.ts";
import type { Functional } from "./functional.ts";

/** Evaluations of the network from one starting point. */
const EVALUATIONS = 40;

/**
 * Points of the box that may satisfy all constraints, the most promising of every start as it is found: midpoint and
 * corners first, then points spread over the box, until `flops` are spent (one start at least).
 */
export function* attack(
  graph: Graph,
  box: Box,
  constraints: readonly Functional[],
  flops: number,
  signal?: AbortSignal,
): Generator<Float64Array> {
  if (constraints.length === 0) {
    yield midpoint(box);
    return;
  }
  const objective = slackOf(graph, constraints);
  const starts = Math.max(1, Math.floor(flops / (EVALUATIONS * plainFlops(graph, 1))));
  const corners = startPoints(box, Math.min(5, starts));
  const spread = spreadPoints(box);
  for (let s = 0; s < starts; s++) {
    signal?.throwIfAborted();
    const { point, score } = ascend(graph, box, corners[s] ?? spread(), objective, EVALUATIONS);
    if (score >= 0) yield point;
  }
}

/** The least slack of the constraints; it rises against the gradient of the constraint that has it. */
function slackOf(graph: Graph, constraints: readonly Functional[]): Objective {
  const last = graph.nodes.length - 1;
  return (trace) => {
    let score = Infinity, tightest = constraints[0];
    for (const one of constraints) {
      const slack = one.limit - trace.values[last].reduce((sum, value, k) => sum + one.row[k] * value, 0);
      if (slack < score) [score, tightest] = [slack, one];
    }
    return { score, direction: () => gradientPlain(graph, trace, Float64Array.from(tightest.row, (c) => -c)) };
  };
}

/** Points spread over the box, the same every time: a linear congruential sequence of 32 bits. */
function spreadPoints({ lower, upper }: Box): () => Float64Array {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) | 0) / 2 ** 32 + 0.5;
  return () => lower.map((l, i) => Math.min(Math.max(l + next() * (upper[i] - l), l), upper[i]));
}
