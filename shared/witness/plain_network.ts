import type { AffineNode, Graph, Node } from "../graph.ts";

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
  for (let id = 1; id < graph.nodes.length; id++) {
    const node = graph.nodes[id];
    values.push(forward(node, values[node.inputs[0]]));
  }
  return { values };
}

function forward(node: Node, x: Float64Array): Float64Array {
  switch (node.operator) {
    case "affine":
      return multiply(node, x, node.bias);
    case "relu":
      return elementwise(x, (z) => (z > 0 ? z : 0));
    case "scale":
      return elementwise(x, (z, i) => (node.inverse ? z / node.factors[i] : z * node.factors[i]));
    case "shift":
      return elementwise(x, (z, i) => z + node.offsets[i]);
    default:
      throw new RangeError(`Cannot evaluate operator ${node.operator} of a network`);
  }
}

/**
 * How derivatives of activations are taken: null for the step function, or per node a sharpness s > 0 that makes it the
 * sigmoid of s z.
 */
export type Gates = readonly number[] | null;

/** The gradient of `seed` times the outputs; `perNode` (if given) receives p at every node. */
export function gradientPlain(
  graph: Graph,
  { values }: PlainTrace,
  seed: Float64Array,
  gates: Gates = null,
  perNode?: Float64Array[],
): Float64Array {
  let p = seed;
  for (let id = graph.nodes.length - 1; id > 0; id = graph.nodes[id].inputs[0]) {
    const node = graph.nodes[id];
    if (perNode) perNode[id] = p;
    p = pullBack(node, values[node.inputs[0]], p, gates === null ? 0 : gates[id]);
  }
  return p;
}

/** The adjoint of one node: p over its values becomes p over its input x. `sharpness` 0 is the step function. */
export function pullBack(node: Node, x: Float64Array, p: Float64Array, sharpness = 0): Float64Array {
  switch (node.operator) {
    case "affine":
      return multiplyTransposed(node, p, x.length);
    case "relu":
      return elementwise(p, (value, i) => value * gate(x[i], sharpness));
    case "scale":
      return elementwise(p, (value, i) => (node.inverse ? value / node.factors[i] : value * node.factors[i]));
    default:
      return p;
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
    else tangents.push(pullBack(node, values[node.inputs[0]], below, gates === null ? 0 : gates[id]));
  }
  return tangents;
}

function gate(z: number, sharpness: number): number {
  if (sharpness === 0) return z > 0 ? 1 : 0;
  // A rational sigmoid: only + and /, so that every host finds the same points.
  const scaled = z * sharpness;
  return 0.5 + 0.5 * scaled / (1 + Math.abs(scaled));
}

/** The slope of the softened gate at z. */
export function gateSlope(z: number, sharpness: number): number {
  const base = 1 + Math.abs(z * sharpness);
  return 0.5 * sharpness / (base * base);
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
