import type { Pass } from "../bounds/pass.ts";
import { rulesOf } from "../bounds/pass.ts";
import type { Graph, NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { DerivativeRange, ElementwiseOperator, Phases } from "../operators/operator.ts";
import type { Split } from "./node.ts";
import type { Prepared } from "./problem.ts";

/** A bounded piece as the choice of its next split sees it. */
export interface Seen {
  readonly box: Box;
  readonly phases: ReadonlyMap<NodeId, Phases>;
  readonly inputs: ReadonlyMap<NodeId, Box>;
  readonly ranges: ReadonlyMap<NodeId, DerivativeRange>;
  /** The pass over the graph of the Jacobian, and the piece's group in it. */
  readonly pass: Pass;
  readonly group: number;
  /** The kind of split to try first. */
  readonly prefer: Split["kind"];
}

/** Halves of an input are not split further below this share of its width. */
const NARROWEST = 2 ** -20;

/**
 * The next split of a piece.
 *
 * Of neurons the one that may move the gradient most: the width of g = p d times the l1 norm of its preactivation's
 * gradient. Of inputs the one along which those neurons move most. A piece in which every derivative is known, but where
 * phases were decided that its box need not hold, is split along inputs only: that may prove it empty.
 */
export function chooseSplit(problem: Prepared, seen: Seen): Split | null {
  const { neuron, pull } = bestNeuron(problem, seen);
  if (neuron === null) return seen.phases.size === 0 ? null : bestInput(problem, seen, null);
  if (seen.prefer === "neuron") return neuron;
  return bestInput(problem, seen, pull) ?? neuron;
}

function bestNeuron(
  { graph, jacobian, sensitivities }: Prepared,
  { inputs, ranges, pass, group }: Seen,
): { readonly neuron: Split | null; readonly pull: Float64Array } {
  const features = graph.nodes[0].size;
  const pull = new Float64Array(features);
  let best: { activation: NodeId; index: number } | null = null;
  let most = { score: 0, width: 0 };
  jacobian.nodes.forEach((node, id) => {
    if (node.operator !== "derivative_product") return;
    const range = ranges.get(id)!, { sums, entries } = sensitivities.get(node.of)!;
    const gated = pass.states[id].boxes[group];
    for (let index = 0; index < node.size; index++) {
      if (!(range.lower[index] < range.upper[index])) continue;
      const width = gated.upper[index] - gated.lower[index], score = width * sums[index];
      if (entries) { for (let j = 0; j < features; j++) pull[j] += width * entries[index * features + j]; }
      if (!(score > most.score || (score === most.score && width > most.width))) continue;
      most = { score, width };
      best = { activation: node.of, index };
    }
  });
  return { neuron: best && neuronSplit(graph, best, inputs), pull };
}

function neuronSplit(
  graph: Graph,
  { activation, index }: { readonly activation: NodeId; readonly index: number },
  inputs: ReadonlyMap<NodeId, Box>,
): Split {
  const node = graph.nodes[activation], { piece } = rulesOf(node) as ElementwiseOperator;
  const { lower, upper } = inputs.get(node.inputs[0])!;
  if (!piece) return { kind: "neuron", activation, index, pieces: [1, -1] };
  // A piece that the bounds do not meet is empty; one that they touch is not.
  const pieces = [1, -1, 2].filter((phase) => {
    const [from, to] = piece(phase, node, index);
    return from <= upper[index] && to >= lower[index];
  });
  return { kind: "neuron", activation, index, pieces };
}

/** The middle of the input along which the preactivations move most (`pull` null: those that were decided). */
function bestInput(problem: Prepared, { box, phases }: Seen, pull: Float64Array | null): Split | null {
  // Known for few features only.
  if ([...problem.sensitivities.values()].some(({ entries }) => entries === null)) return null;
  const weights = pull ?? pullOfDecided(problem, phases);
  let feature = -1, most = -1;
  for (let j = 0; j < weights.length; j++) {
    const width = box.upper[j] - box.lower[j];
    const score = weights[j] * width;
    if (width > NARROWEST * (problem.box.upper[j] - problem.box.lower[j]) && score > most && halve(box, j) !== null) {
      [feature, most] = [j, score];
    }
  }
  return feature < 0 ? null : { kind: "input", feature, at: halve(box, feature)! };
}

function pullOfDecided({ graph, sensitivities }: Prepared, phases: Seen["phases"]): Float64Array {
  const features = graph.nodes[0].size;
  const pull = new Float64Array(features);
  for (const [activation, decided] of phases) {
    const entries = sensitivities.get(activation)!.entries!;
    decided.forEach((phase, i) => {
      for (let j = 0; j < features && phase !== 0; j++) pull[j] += entries[i * features + j];
    });
  }
  return pull;
}

/** The middle of an edge, strictly between its ends; null where no double is. */
function halve({ lower, upper }: Box, j: number): number | null {
  const middle = lower[j] / 2 + upper[j] / 2;
  return middle > lower[j] && middle < upper[j] ? middle : null;
}
