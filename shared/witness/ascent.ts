import type { Graph } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { derivativeSlope, isActivation } from "./plain_activation.ts";
import { evaluatePlain, gradientPlain, type PlainTrace, pullBack, reverse, tangentPlain } from "./plain_network.ts";

/** What a search sees at a point: its score, and (when it walks on) a direction in which the score may rise. */
export interface Look {
  readonly score: number;
  readonly direction: () => Float64Array;
}

/** What a search maximises. */
export type Objective = (trace: PlainTrace) => Look;

export interface Found {
  readonly point: Float64Array;
  readonly score: number;
}

/**
 * Deterministic local search in a box: from `start`, steps of shrinking length along the sign of the ascent direction,
 * keeping the best point; `visit` sees every point evaluated.
 */
export function ascend(
  graph: Graph,
  box: Box,
  start: Float64Array,
  objective: Objective,
  evaluations: number,
  visit: (trace: PlainTrace) => void = () => {},
): Found {
  let trace = evaluatePlain(graph, start);
  visit(trace);
  let look = objective(trace);
  let best = { trace, look };
  let step = 1;
  for (let used = 1; used < evaluations && step > 1 / 64; used++) {
    const next = moved(box, trace.values[0], look.direction(), step);
    trace = evaluatePlain(graph, next);
    visit(trace);
    look = objective(trace);
    if (look.score > best.look.score) {
      best = { trace, look };
      continue;
    }
    // A plateau is walked on (scores are piecewise constant); a fall returns to the best point.
    if (look.score < best.look.score) ({ trace, look } = best);
    step /= 2;
  }
  return { point: best.trace.values[0], score: best.look.score };
}

/** `at` moved by `step` widths of the box along the sign of the direction, clipped to the box. */
function moved(box: Box, at: Float64Array, direction: Float64Array, step: number): Float64Array {
  const next = new Float64Array(at.length);
  for (let i = 0; i < at.length; i++) {
    const l = box.lower[i];
    const u = box.upper[i];
    const x = at[i] + Math.sign(direction[i]) * step * (u - l);
    next[i] = x < l ? l : x > u ? u : x;
  }
  return next;
}

/**
 * Maximises a signed sum of the gradient's entries: the l1 norm of the gradient (`weights` null: the signs follow the
 * point), or one entry (`weights` = plus or minus a unit vector).
 *
 * The true score is piecewise constant, so the direction comes from gates softened to sigmoids (`gates`).
 */
export function gradientObjective(
  graph: Graph,
  seed: Float64Array,
  weights: Float64Array | null,
  gates: readonly number[],
): Objective {
  return (trace) => {
    const g = gradientPlain(graph, trace, seed);
    let score = 0;
    for (let i = 0; i < g.length; i++) score += weights ? weights[i] * g[i] : Math.abs(g[i]);
    return { score, direction: () => softenedGradient(graph, trace, seed, weights ?? g.map(Math.sign), gates) };
  };
}

/** d/dx of (gradient of seed f) . direction, with the derivative of every gate softened. */
function softenedGradient(
  graph: Graph,
  trace: PlainTrace,
  seed: Float64Array,
  direction: Float64Array,
  gates: readonly number[],
): Float64Array {
  const adjoints: Float64Array[] = [];
  gradientPlain(graph, trace, seed, gates, adjoints);
  const tangents = tangentPlain(graph, trace, direction, gates);
  const none = new Float64Array(graph.nodes[graph.nodes.length - 1].size);
  return reverse(graph, none, (node, id, p) => {
    const x = trace.values[node.inputs[0]];
    const flow = pullBack(node, x, p, 0);
    if (!isActivation(node)) return flow;
    const t = tangents[node.inputs[0]];
    return flow.map((value, i) => value + adjoints[id][i] * t[i] * derivativeSlope(node, i, x[i], gates[id]));
  });
}

/** Sharpness of softened gates by node: four over the average width of the preactivations' ranges. */
export function softGates(graph: Graph, boxAt: (node: number) => Box): number[] {
  return graph.nodes.map((node) => {
    if (!isActivation(node)) return 0;
    const { lower, upper } = boxAt(node.inputs[0]);
    let sum = 0;
    for (let i = 0; i < lower.length; i++) sum += upper[i] - lower[i];
    const width = sum / lower.length;
    return width > 0 && width < Infinity ? 4 / width : 1;
  });
}
