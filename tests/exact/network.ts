/**
 * A network and its Jacobian over the rationals: the reference that shares nothing with the engine but the graph.
 *
 * Sources: the definition of each node in shared/graph.ts; the chain rule.
 */
import type { Graph, Node, NodeId } from "../../shared/graph.ts";
import { compare, exact, sign } from "./dyadic.ts";
import { type Activation, isActivation, kinksOf, pieceOf } from "./pieces.ts";
import { convolve, select } from "./sparse.ts";
import {
  combine,
  component,
  constantMatrix,
  type ExactMatrix,
  exactMatrix,
  type ExactVector,
  exactVector,
  product,
  scaled,
  transposedProduct,
} from "./vector.ts";

/** Values of every node at a point; the last is the output. Throws: RangeError for an operator no network has. */
export function evaluate(graph: Graph, point: ArrayLike<number>): readonly ExactVector[] {
  return walk(graph, exactVector(point), null);
}

/** The output f(x). */
export function outputAt(graph: Graph, point: ArrayLike<number>): ExactVector {
  return evaluate(graph, point).at(-1)!;
}

/** The derivative of every activation's neurons in one region, by node. */
export type Phases = ReadonlyMap<NodeId, ExactMatrix>;

/**
 * The derivatives next to a point: those at x itself off the kinks, else those of x + t v for all small t > 0.
 *
 * A neuron whose input stays on a kink along v, too, counts as not beyond it; that is right only where its input has no
 * gradient in the region (a dead neuron), so `null` is returned where it has one: the direction decides nothing there.
 */
export function phasesAt(
  graph: Graph,
  values: readonly ExactVector[],
  direction: ArrayLike<number> | null,
): Phases | null {
  const along = direction === null ? null : walk(graph, exactVector(direction), values);
  const phases = new Map<NodeId, ExactMatrix>();
  const flat: [NodeId, number][] = [];
  graph.nodes.forEach((node, id) => {
    if (!isActivation(node)) return;
    const from = node.inputs[0];
    const slopes = Float64Array.from({ length: node.size }, (_, i) => {
      const { passed, undecided } = sideOf(node, i, values[from], along && along[from]);
      if (undecided) flat.push([from, i]);
      return pieceOf(node, i, passed).slope;
    });
    phases.set(id, exactMatrix(slopes));
  });
  const decided = flat.every(([id, i]) =>
    adjoint(graph, phases, id, unit(graph.nodes[id].size, i)).numerators.every((n) => n === 0n)
  );
  return decided ? phases : null;
}

/** How many kinks neuron i has passed at z, or next to it along a direction; undecided where it stays on one. */
function sideOf(node: Activation, i: number, z: ExactVector, along: ExactVector | null) {
  let passed = 0, undecided = false;
  for (const kink of kinksOf(node, i)) {
    const at = kink === 0 ? sign(component(z, i)) : compare(component(z, i), exact(kink));
    const side = at !== 0 ? at : along === null ? 0 : sign(component(along, i));
    if (side > 0) passed++;
    if (side === 0) undecided = true;
  }
  return { passed, undecided };
}

/** One row of the Jacobian in a region: sum_k row_k df_k/dx, [n]. */
export function jacobianRow(graph: Graph, phases: Phases, row: ArrayLike<number>): ExactVector {
  return adjoint(graph, phases, graph.nodes.length - 1, exactVector(row));
}

/** The row e_k of `size` numbers. */
export function unitRow(size: number, index: number): number[] {
  return Array.from({ length: size }, (_, i) => (i === index ? 1 : 0));
}

function unit(size: number, index: number): ExactVector {
  return exactVector(unitRow(size, index));
}

/** Values at a point, or (with the values there) the one-sided derivatives along the direction `start`. */
function walk(graph: Graph, start: ExactVector, at: readonly ExactVector[] | null): readonly ExactVector[] {
  const out: ExactVector[] = [];
  for (const node of graph.nodes) {
    const x = node.operator === "input" ? start : out[node.inputs[0]];
    switch (node.operator) {
      case "input":
        out.push(x);
        break;
      case "affine":
      case "convolution": {
        const y = node.operator === "affine"
          ? product(constantMatrix(node.weights), x, node.size)
          : convolve(node, x, node.size);
        out.push(node.bias === null || at !== null ? y : combine(y, exactVector(node.bias), 1));
        break;
      }
      case "selection":
        out.push(select(node, x, node.size));
        break;
      case "scale":
        out.push(scaled(x, constantMatrix(node.factors), node.inverse));
        break;
      case "shift":
        out.push(at === null ? combine(x, exactVector(node.offsets), 1) : x);
        break;
      case "add": {
        const [first, second] = node.signs;
        const a = first === 1 ? x : { ...x, numerators: x.numerators.map((n) => -n) };
        out.push(combine(a, out[node.inputs[1]], second));
        break;
      }
      default:
        out.push(activation(node, x, at === null ? null : at[node.inputs[0]]));
    }
  }
  return out;
}

/** sigma(x), or (with the values z of its input) its one-sided derivative along x. */
function activation(node: Node, x: ExactVector, z: ExactVector | null): ExactVector {
  if (!isActivation(node)) throw new RangeError(`the exact network has no rule for ${node.operator}`);
  const pieces = x.numerators.map((_, i) => pieceOf(node, i, sideOf(node, i, z ?? x, z && x).passed));
  const y = scaled(x, exactMatrix(pieces.map(({ slope }) => slope)), false);
  if (z !== null || pieces.every(({ constant }) => constant === 0)) return y;
  return combine(y, exactVector(pieces.map(({ constant }) => constant)), 1);
}

/** The gradient of sum_i seed_i node_i with respect to the input; a value read by several nodes gets the sum of theirs. */
function adjoint(graph: Graph, phases: Phases, from: NodeId, seed: ExactVector): ExactVector {
  const gradients = new Map<NodeId, ExactVector>([[from, seed]]);
  const send = (to: NodeId, p: ExactVector, factor: 1 | -1) => {
    const known = gradients.get(to) ?? exactVector(new Float64Array(p.numerators.length));
    gradients.set(to, combine(known, p, factor));
  };
  for (let id = from; id > 0; id--) {
    const node = graph.nodes[id], p = gradients.get(id);
    if (p === undefined || node.operator === "input") continue;
    const [below] = node.inputs;
    switch (node.operator) {
      case "affine":
        send(below, transposedProduct(constantMatrix(node.weights), p, graph.nodes[below].size), 1);
        break;
      case "convolution":
        send(below, convolve(node, p, graph.nodes[below].size, true), 1);
        break;
      case "selection":
        send(below, select(node, p, graph.nodes[below].size, true), 1);
        break;
      case "scale":
        send(below, scaled(p, constantMatrix(node.factors), node.inverse), 1);
        break;
      case "shift":
        send(below, p, 1);
        break;
      case "add":
        node.inputs.forEach((to, k) => send(to, p, node.signs[k]));
        break;
      default:
        send(below, scaled(p, phases.get(id)!, false), 1);
    }
  }
  return gradients.get(0) ?? exactVector(new Float64Array(graph.nodes[0].size));
}
