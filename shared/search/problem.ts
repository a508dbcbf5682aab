import type { BoundOptions, Run } from "../bounds/pass.ts";
import { rulesOf } from "../bounds/pass.ts";
import type { Graph, NodeId } from "../graph.ts";
import { differentiate, withAbs } from "../jacobian/differentiate.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import type { ElementwiseOperator } from "../operators/operator.ts";
import { entriesOf, evaluatePlain, gradientPlain } from "../witness/plain_network.ts";

/** What is searched: the largest l1 norm of the gradients of some rows of outputs over a box. */
export interface Problem {
  readonly graph: Graph;
  readonly box: Box;
  /** The asked rows, as coefficients over the outputs. */
  readonly seeds: readonly Float64Array[];
  /** How the network is bounded, and the graph of its Jacobian. */
  readonly forward: BoundOptions;
  readonly backward: BoundOptions;
  /** Softened gates for plain gradients (`softGates`). */
  readonly gates: readonly number[];
  /** A point as it may be handed out: representable in the model's input type. */
  readonly place: (point: Float64Array) => Float64Array;
  readonly run: Run;
}

/** Parts of a problem that are made once. */
export interface Prepared extends Problem {
  /** The graph of the Jacobian with |.| at its end. */
  readonly jacobian: Graph;
  readonly activations: readonly NodeId[];
  readonly sensitivities: ReadonlyMap<NodeId, Sensitivity>;
}

/** |dz_i / dx_j| of an activation's inputs z in the middle of the box: their sums over j, and the entries (few features). */
export interface Sensitivity {
  readonly sums: Float64Array;
  readonly entries: Float64Array | null;
}

/** Inputs are split where a network has at most so many. */
export const MOST_FEATURES = 16;

/** Plain flops that sensitivities may take; beyond it every neuron counts the same. */
export const SENSITIVITY_FLOPS = 1e9;

export function prepare(problem: Problem, inherited: ReadonlyMap<NodeId, Box>): Prepared {
  const { graph } = problem;
  const activations = graph.nodes.flatMap((node, id) => rulesOf(node)?.kind === "elementwise" ? [id] : []);
  return {
    ...problem,
    // Children of a round differ in their derivatives: there is no condensed form to share.
    backward: { ...problem.backward, condense: undefined },
    jacobian: withAbs(differentiate(graph)),
    activations,
    sensitivities: sensitivitiesOf(problem, activations, inherited),
  };
}

/** Which neurons of an activation have a derivative that is not known. */
function unstable(graph: Graph, activation: NodeId, box: Box): boolean[] {
  const node = graph.nodes[activation];
  const { lower, upper } = (rulesOf(node) as ElementwiseOperator).derivative!(box, null, node);
  return Array.from(lower, (least, i) => least < upper[i]);
}

function sensitivitiesOf(
  { graph, box, gates }: Problem,
  activations: readonly NodeId[],
  inherited: ReadonlyMap<NodeId, Box>,
): ReadonlyMap<NodeId, Sensitivity> {
  const features = graph.nodes[0].size;
  const open = activations.map((id) => unstable(graph, id, inherited.get(graph.nodes[id].inputs[0])!));
  const count = open.reduce((sum, list) => sum + list.filter(Boolean).length, 0);
  const affordable = 2 * count * entriesOf(graph) <= SENSITIVITY_FLOPS;
  const trace = evaluatePlain(graph, midpoint(box));
  return new Map(activations.map((activation, a) => {
    const { size, inputs: [below] } = graph.nodes[activation];
    const prefix = { nodes: graph.nodes.slice(0, below + 1) };
    const sums = new Float64Array(size).fill(affordable ? 0 : 1);
    const entries = features <= MOST_FEATURES && affordable ? new Float64Array(size * features) : null;
    for (let i = 0; i < size && affordable; i++) {
      if (!open[a][i]) continue;
      const gradient = gradientPlain(prefix, trace, new Float64Array(size).fill(1, i, i + 1), gates).map(Math.abs);
      for (const entry of gradient) sums[i] += entry;
      entries?.set(gradient, i * features);
    }
    return [activation, { sums, entries }];
  }));
}
