import type { AddNode, AffineNode, Graph, Node, NodeId } from "../graph.ts";
import { activationAt, derivativeAt } from "./plain_activation.ts";

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
  const x = values[node.inputs[0]];
  switch (node.operator) {
    case "affine":
      return multiply(node, x, node.bias);
    case "scale":
      return elementwise(x, (z, i) => (node.inverse ? z / node.factors[i] : z * node.factors[i]));
    case "shift":
      return elementwise(x, (z, i) => z + node.offsets[i]);
    case "add":
      return combine(node, x, values[node.inputs[1]]);
    default:
      return elementwise(x, (z, i) => activationAt(node, i, z));
  }
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
    if (node.operator === "add") {
      node.inputs.forEach((to, k) => send(to, node.signs[k] === 1 ? p : elementwise(p, (value) => -value)));
    } else {
      send(node.inputs[0], step(node, id, p));
    }
  }
  return reached[0] ?? new Float64Array(nodes[0].size);
}

/** The adjoint of a node with one input: p over its values becomes p over its input x. `sharpness` 0 is the step function. */
export function pullBack(node: Node, x: Float64Array, p: Float64Array, sharpness: number): Float64Array {
  switch (node.operator) {
    case "affine":
      return multiplyTransposed(node, p, x.length);
    case "scale":
      return elementwise(p, (value, i) => (node.inverse ? value / node.factors[i] : value * node.factors[i]));
    case "shift":
      return p;
    default:
      return elementwise(p, (value, i) => value * derivativeAt(node, i, x[i], sharpness));
  }
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
    const below = tangents[node.inputs[0]];
    if (node.operator === "affine") tangents.push(multiply(node, below, null));
    else if (node.operator === "add") tangents.push(combine(node, below, tangents[node.inputs[1]]));
    else tangents.push(pullBack(node, values[node.inputs[0]], below, gates === null ? 0 : gates[id]));
  }
  return tangents;
}

function combine({ signs }: AddNode, a: Float64Array, b: Float64Array): Float64Array {
  return elementwise(a, (value, i) => signs[0] * value + signs[1] * b[i]);
}

function elementwise(x: Float64Array, rule: (value: number, i: number) => number): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = rule(x[i], i);
  return y;
}

function multiply(node: AffineNode, x: Float64Array, bias: Float64Array | null): Float64Array {
  const { weights, size } = node;
  const y = new Float64Array(size);
  const n = x.length;
  for (let i = 0; i < size; i++) {
    let sum = bias ? bias[i] : 0;
    const at = i * n;
    for (let j = 0; j < n; j++) sum += weights[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

function multiplyTransposed({ weights, size }: AffineNode, p: Float64Array, n: number): Float64Array {
  const y = new Float64Array(n);
  for (let i = 0; i < size; i++) {
    const value = p[i];
    if (value === 0) continue;
    const at = i * n;
    for (let j = 0; j < n; j++) y[j] += value * weights[at + j];
  }
  return y;
}

/** Flops of one evaluation and `gradients` gradients. */
export function plainFlops(graph: Graph, gradients: number): number {
  let weights = 0;
  for (const node of graph.nodes) if (node.operator === "affine") weights += node.weights.length;
  return 2 * weights * (1 + gradients);
}
