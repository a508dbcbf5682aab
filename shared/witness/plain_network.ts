import type { Graph, Node, NodeId } from "../graph.ts";

/**
 * The network in plain floating point: fast and unproved. Searches look for good points with it; what they find counts
 * only after `prove.ts` has proved it. Every loop has a fixed order, so the same question finds the same points.
 */
export interface PlainTrace {
  /** Values of every node at the point, by node id. */
  readonly values: readonly Float64Array[];
}

export function evaluatePlain(graph: Graph, point: Float64Array): PlainTrace {
  const values: Float64Array[] = [];
  for (const node of graph.nodes) {
    values.push(node.operator === "input" ? point : forward(node, values[node.inputs[0]]));
  }
  return { values };
}

function forward(node: Node, x: Float64Array): Float64Array {
  switch (node.operator) {
    case "affine":
      return multiply(node, x, node.bias);
    case "relu":
      return x.map((z) => (z > 0 ? z : 0));
    case "scale":
      return x.map((z, i) => (node.inverse ? z / node.factors[i] : z * node.factors[i]));
    case "shift":
      return x.map((z, i) => z + node.offsets[i]);
    default:
      throw new RangeError(`Cannot evaluate operator ${node.operator} of a network`);
  }
}

/** A derivative for each neuron: the step function, or a sigmoid of width `softness` per node for ascent. */
export type Gate = (z: number, node: NodeId) => number;

export const hardGate: Gate = (z) => (z > 0 ? 1 : 0);

/** The gradient of `seed` times the outputs with the given gates; `perNode` (if given) receives p at every node. */
export function gradientPlain(
  graph: Graph,
  { values }: PlainTrace,
  seed: Float64Array,
  gate: Gate = hardGate,
  perNode?: Float64Array[],
): Float64Array {
  let p = seed;
  for (let id = graph.nodes.length - 1; id > 0; id = graph.nodes[id].inputs[0]) {
    if (perNode) perNode[id] = p;
    p = pullBack(graph.nodes[id], id, values[graph.nodes[id].inputs[0]], p, gate);
  }
  return p;
}

/** The adjoint of one node: p over its values becomes p over its input x. */
export function pullBack(node: Node, id: NodeId, x: Float64Array, p: Float64Array, gate: Gate): Float64Array {
  switch (node.operator) {
    case "affine":
      return multiplyTransposed(node, p, x.length);
    case "relu":
      return p.map((value, i) => value * gate(x[i], id));
    case "scale":
      return p.map((value, i) => (node.inverse ? value / node.factors[i] : value * node.factors[i]));
    default:
      return p;
  }
}

/** The derivative of every node's values along `direction`, with the given gates, by node id. */
export function tangentPlain(
  graph: Graph,
  { values }: PlainTrace,
  direction: Float64Array,
  gate: Gate,
): Float64Array[] {
  const tangents: Float64Array[] = [];
  graph.nodes.forEach((node, id) => {
    if (node.operator === "input") tangents.push(direction);
    else if (node.operator === "affine") tangents.push(multiply(node, tangents[node.inputs[0]], null));
    else if (node.operator === "relu") {
      const x = values[node.inputs[0]];
      tangents.push(tangents[node.inputs[0]].map((t, i) => t * gate(x[i], id)));
    } else if (node.operator === "scale") tangents.push(forward(node, tangents[node.inputs[0]]));
    else tangents.push(tangents[node.inputs[0]]);
  });
  return tangents;
}

type Affine = Extract<Node, { operator: "affine" }>;

function multiply(node: Affine, x: Float64Array, bias: Float64Array | null): Float64Array {
  const y = new Float64Array(node.size);
  const n = x.length;
  for (let i = 0; i < node.size; i++) {
    let sum = bias ? bias[i] : 0;
    const at = i * n;
    for (let j = 0; j < n; j++) sum += node.weights[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

function multiplyTransposed(node: Affine, p: Float64Array, n: number): Float64Array {
  const y = new Float64Array(n);
  for (let i = 0; i < node.size; i++) {
    const value = p[i];
    if (value === 0) continue;
    const at = i * n;
    for (let j = 0; j < n; j++) y[j] += value * node.weights[at + j];
  }
  return y;
}

/** Flops of one evaluation and `gradients` gradients. */
export function plainFlops(graph: Graph, gradients: number): number {
  let weights = 0;
  for (const node of graph.nodes) if (node.operator === "affine") weights += node.weights.length;
  return 2 * weights * (1 + gradients);
}
