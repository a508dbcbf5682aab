import type { Graph } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import {
  evaluatePlain,
  type Gate,
  gradientPlain,
  hardGate,
  type PlainTrace,
  pullBack,
  tangentPlain,
} from "./plain_network.ts";

/** What a search maximises: a score of a point, and a direction in which it may rise. */
export interface Objective {
  score(trace: PlainTrace): number;
  ascend(trace: PlainTrace): Float64Array;
}

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
  visit: (trace: PlainTrace) => void,
): Found {
  let trace = evaluatePlain(graph, start);
  visit(trace);
  let best: Found = { point: start, score: objective.score(trace) };
  let at = start;
  let step = 1;
  for (let used = 1; used < evaluations && step > 1 / 64;) {
    const direction = objective.ascend(trace);
    const next = moved(box, at, direction, step);
    trace = evaluatePlain(graph, next);
    visit(trace);
    used++;
    const score = objective.score(trace);
    if (score > best.score) {
      best = { point: next, score };
      at = next;
    } else {
      // Walk on half the time: plateaus are the rule for piecewise constant scores.
      at = score === best.score ? next : best.point;
      if (at === best.point) trace = evaluatePlain(graph, at);
      step /= 2;
    }
  }
  return best;
}

/** `at` moved by `step` half-widths of the box along the sign of the direction, clipped to the box. */
function moved(box: Box, at: Float64Array, direction: Float64Array, step: number): Float64Array {
  return at.map((x, i) => {
    const l = box.lower[i];
    const u = box.upper[i];
    const next = x + Math.sign(direction[i]) * step * (u - l);
    return next < l ? l : next > u ? u : next;
  });
}

/**
 * Maximises a signed sum of the gradient's entries: the l1 norm of the gradient (`weights` null: the signs follow the
 * point), or one entry (`weights` = plus or minus a unit vector).
 *
 * The true score is piecewise constant, so the direction comes from gates softened to sigmoids of the width of each
 * preactivation's range.
 */
export function gradientObjective(
  graph: Graph,
  seed: Float64Array,
  weights: Float64Array | null,
  widths: readonly (Float64Array | null)[],
): Objective {
  const gradient = (trace: PlainTrace) => gradientPlain(graph, trace, seed, hardGate);
  return {
    score(trace) {
      const g = gradient(trace);
      let sum = 0;
      for (let i = 0; i < g.length; i++) sum += weights ? weights[i] * g[i] : Math.abs(g[i]);
      return sum;
    },
    ascend(trace) {
      const direction = weights ?? gradient(trace).map(Math.sign);
      return softenedGradient(graph, trace, seed, direction, widths);
    },
  };
}

/** d/dx of (gradient of seed f) . direction, with the derivative of every gate softened. */
function softenedGradient(
  graph: Graph,
  trace: PlainTrace,
  seed: Float64Array,
  direction: Float64Array,
  widths: readonly (Float64Array | null)[],
): Float64Array {
  const soft: Gate = (z, node) => sigmoid(z * SHARPNESS / averageWidth(widths[node]));
  const adjoints: Float64Array[] = [];
  gradientPlain(graph, trace, seed, soft, adjoints);
  const tangents = tangentPlain(graph, trace, direction, soft);
  let flow: Float64Array = new Float64Array(graph.nodes[graph.nodes.length - 1].size);
  for (let id = graph.nodes.length - 1; id > 0; id = graph.nodes[id].inputs[0]) {
    const node = graph.nodes[id];
    const below = node.inputs[0];
    const x = trace.values[below];
    flow = pullBack(node, id, x, flow, hardGate);
    if (node.operator !== "relu") continue;
    const scale = SHARPNESS / averageWidth(widths[id]);
    flow = flow.map((value, i) => value + adjoints[id][i] * tangents[below][i] * scale * sigmoidSlope(x[i] * scale));
  }
  return flow;
}

const SHARPNESS = 4;

function sigmoid(z: number): number {
  // A rational sigmoid: only + and /, so that every host finds the same points.
  return 0.5 + 0.5 * z / (1 + Math.abs(z));
}

function sigmoidSlope(z: number): number {
  const base = 1 + Math.abs(z);
  return 0.5 / (base * base);
}

function averageWidth(widths: Float64Array | null): number {
  if (!widths || widths.length === 0) return 1;
  let sum = 0;
  for (const width of widths) sum += width < Infinity ? width : 0;
  return sum > 0 ? sum / widths.length : 1;
}
