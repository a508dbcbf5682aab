import { rulesOf } from "../bounds/pass.ts";
import type { Graph, NodeId } from "../graph.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import type { ElementwiseOperator } from "../operators/operator.ts";
import { evaluatePlain, gradientPlain, type PlainTrace } from "../witness/plain_network.ts";
import type { SearchNode } from "./node.ts";
import type { Problem } from "./problem.ts";

/** Moves towards a piece's decided phases. */
export const MOVES = 12;

/** How far a move goes beyond what would just do. */
const BEYOND = 1.5;

/** A point of the box that plain arithmetic found, and the l1 norm of the gradient there; unproved. */
export interface Tried {
  readonly point: Float64Array;
  readonly score: number;
}

/**
 * A point for a piece: from the middle of its box, step by step against the phase that is missed most, along the sign of
 * that preactivation's gradient. Any point of the region proves a lower bound, whether it lies in the piece or not.
 */
export function tryPoint({ graph, seeds, gates, place }: Problem, node: SearchNode): Tried {
  let point = midpoint(node.box);
  let trace = evaluatePlain(graph, point);
  for (let move = 0; move < MOVES; move++) {
    const missed = mostMissed(graph, node, trace);
    if (missed === null) break;
    point = moved(graph, node.box, trace, missed, gates);
    trace = evaluatePlain(graph, point);
  }
  const placed = place(point);
  const gradient = gradientPlain(graph, evaluatePlain(graph, placed), seeds[node.seed]);
  return { point: placed, score: gradient.reduce((sum, entry) => sum + Math.abs(entry), 0) };
}

interface Missed {
  /** The input of an activation, and how much is missing there (with its sign). */
  readonly id: NodeId;
  readonly index: number;
  readonly by: number;
}

function mostMissed(graph: Graph, { phases }: SearchNode, { values }: PlainTrace): Missed | null {
  let most: Missed | null = null;
  for (const [activation, decided] of phases) {
    const node = graph.nodes[activation], { piece } = rulesOf(node) as ElementwiseOperator;
    const [id] = node.inputs;
    decided.forEach((phase, index) => {
      if (phase === 0) return;
      const [from, to] = piece?.(phase, node, index) ?? (phase > 0 ? [0, Infinity] : [-Infinity, 0]);
      const z = values[id][index];
      const by = z < from ? from - z : z > to ? to - z : 0;
      if (Math.abs(by) > Math.abs(most?.by ?? 0)) most = { id, index, by };
    });
  }
  return most;
}

function moved(graph: Graph, box: Box, trace: PlainTrace, { id, index, by }: Missed, gates: Problem["gates"]) {
  const unit = new Float64Array(graph.nodes[id].size).fill(1, index, index + 1);
  const gradient = gradientPlain({ nodes: graph.nodes.slice(0, id + 1) }, trace, unit, gates);
  const x = trace.values[0];
  // Coordinates at the end of the box towards which they would go cannot move.
  const free = gradient.map((entry, j) => (entry * by > 0 ? x[j] < box.upper[j] : x[j] > box.lower[j]) ? entry : 0);
  const square = free.reduce((sum, entry) => sum + entry * entry, 0);
  const step = square > 0 ? BEYOND * by / square : 0;
  return x.map((at, j) => Math.min(Math.max(at + free[j] * step, box.lower[j]), box.upper[j]));
}
