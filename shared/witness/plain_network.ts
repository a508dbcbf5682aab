import { rulesOf } from "../bounds/pass.ts";
import type { Graph, Node, NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { plainOf, stepOf } from "./plain_activation.ts";

/**
 * The network in plain floating point: fast and unproved. Searches look for good points with it; what they find counts
 * only after `prove.ts` has proved it. Every loop has a fixed order, so the same question finds the same points.
 */
export interface PlainTrace {
  /** Values of every node at the point, by node id. */
  readonly values: readonly Float64Array[];
}

export function evaluatePlain(graph: Graph, point: Float64Array): PlainTrace {
  const values: Float64Array[] = [point];
  for (let id = 1; id < graph.nodes.length; id++) values.push(forward(graph.nodes[id], values));
  return { values };
}

function forward(node: Node, values: readonly Float64Array[]): Float64Array {
  const rules = rulesOf(node)!;
  if (rules.kind === "linear") return rules.plain.apply(node, node.inputs.map((input) => values[input]), true);
  const plain = plainOf(node);
  return elementwise(values[node.inputs[0]], (z, i) => plain.value(node, i, z));
}

/**
 * How derivatives of activations are taken: null for the step function, or per node a sharpness s > 0 that makes it the
 * sigmoid of s z.
 */
export type Gates = readonly number[] | null;

/** The gradient of `seed` times the outputs; `perNode` (if given) receives p at every node with one input. */
export function gradientPlain(
  graph: Graph,
  { values }: PlainTrace,
  seed: Float64Array,
  gates: Gates = null,
  perNode: Float64Array[] = [],
): Float64Array {
  return reverse(graph, seed, (node, id, p) => {
    perNode[id] = p;
    return pullBack(node, values[node.inputs[0]], p, gates === null ? 0 : gates[id]);
  });
}

/**
 * Carries `seed` from the output to the input: `step` turns p over a node's values into p over its input; where branches
 * meet p goes to both, and a value read twice gets the sum.
 */
export function reverse(
  graph: Graph,
  seed: Float64Array,
  step: (node: Node, id: NodeId, p: Float64Array) => Float64Array,
): Float64Array {
  const { nodes } = graph;
  const reached: (Float64Array | undefined)[] = [];
  const send = (to: NodeId, p: Float64Array) => {
    const known = reached[to];
    reached[to] = known === undefined ? p : elementwise(known, (value, i) => value + p[i]);
  };
  reached[nodes.length - 1] = seed;
  for (let id = nodes.length - 1; id > 0; id--) {
    const node = nodes[id];
    const p = reached[id];
    if (p === undefined) continue;
    if (node.inputs.length === 1) {
      send(node.inputs[0], step(node, id, p));
      continue;
    }
    const { plain } = rulesOf(node) as LinearOperator;
    node.inputs.forEach((to, k) => send(to, plain.pullBack(node, p, k, nodes[to].size)));
  }
  return reached[0] ?? new Float64Array(nodes[0].size);
}

/** The adjoint of a node with one input: p over its values becomes p over its input x. `sharpness` 0 is the step function. */
export function pullBack(node: Node, x: Float64Array, p: Float64Array, sharpness: number): Float64Array {
  const rules = rulesOf(node)!;
  if (rules.kind === "linear") return rules.plain.pullBack(node, p, 0, x.length);
  const plain = plainOf(node);
  const step = stepOf(sharpness);
  return elementwise(p, (value, i) => value * plain.derivative(node, i, x[i], step));
}

/** The derivative of every node's values along `direction`, by node id. */
export function tangentPlain(
  graph: Graph,
  { values }: PlainTrace,
  direction: Float64Array,
  gates: Gates,
): Float64Array[] {
  const tangents: Float64Array[] = [direction];
  for (let id = 1; id < graph.nodes.length; id++) {
    const node = graph.nodes[id];
    const rules = rulesOf(node)!;
    const below = node.inputs.map((input) => tangents[input]);
    if (rules.kind === "linear") tangents.push(rules.plain.apply(node, below, false));
    else tangents.push(pullBack(node, values[node.inputs[0]], below[0], gates === null ? 0 : gates[id]));
  }
  return tangents;
}

function elementwise(x: Float64Array, rule: (value: number, i: number) => number): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = rule(x[i], i);
  return y;
}

/** Flops of one evaluation and `gradients` gradients. */
export function plainFlops(graph: Graph, gradients: number): number {
  return 2 * entriesOf(graph) * (1 + gradients);
}

/** Entries of all matrices of a graph. */
export function entriesOf({ nodes }: Graph): number {
  return nodes.reduce((sum, node) => {
    const rules = rulesOf(node);
    if (rules?.kind !== "linear" || !rules.matrix) return sum;
    return sum + rules.matrix.entries(node, nodes[node.inputs[0]].size);
  }, 0);
}
