/**
 * A network and its Jacobian over the rationals: the reference that shares nothing with the engine but the graph.
 *
 * Sources: the definition of each node in shared/graph.ts; the chain rule.
 */
import type { Graph, NodeId } from "../../shared/graph.ts";
import { sign } from "./dyadic.ts";
import {
  combine,
  component,
  constantMatrix,
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

/** Which relus are on (derivative 1) in one region, by node. */
export type Phases = ReadonlyMap<NodeId, readonly boolean[]>;

/**
 * The phases next to a point: those at x itself off the kinks, else those of x + t v for all small t > 0.
 *
 * A neuron whose input stays 0 along v, too, counts as off; that is right only where its input has no gradient in the
 * region (a dead neuron), so `null` is returned where it has one: the direction decides nothing there.
 */
export function phasesAt(
  graph: Graph,
  values: readonly ExactVector[],
  direction: ArrayLike<number> | null,
): Phases | null {
  const slopes = direction === null ? null : walk(graph, exactVector(direction), values);
  const phases = new Map<NodeId, readonly boolean[]>();
  const flat: [NodeId, number][] = [];
  graph.nodes.forEach((node, id) => {
    if (node.operator !== "relu") return;
    const from = node.inputs[0];
    phases.set(
      id,
      Array.from({ length: node.size }, (_, i) => {
        const at = sign(component(values[from], i));
        if (at !== 0) return at > 0;
        const along = slopes === null ? 0 : sign(component(slopes[from], i));
        if (along === 0) flat.push([from, i]);
        return along > 0;
      }),
    );
  });
  const decided = flat.every(([id, i]) =>
    adjoint(graph, phases, id, unit(graph.nodes[id].size, i)).numerators.every((n) => n === 0n)
  );
  return decided ? phases : null;
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
      case "affine": {
        const y = product(constantMatrix(node.weights), x, node.size);
        out.push(node.bias === null || at !== null ? y : combine(y, exactVector(node.bias), 1));
        break;
      }
      case "scale":
        out.push(scaled(x, constantMatrix(node.factors), node.inverse));
        break;
      case "shift":
        out.push(at === null ? combine(x, exactVector(node.offsets), 1) : x);
        break;
      case "relu": {
        const z = at === null ? x : at[node.inputs[0]];
        out.push({
          ...x,
          numerators: x.numerators.map((n, i) => {
            const side = z.numerators[i];
            return side > 0n || (side === 0n && n > 0n) ? n : 0n;
          }),
        });
        break;
      }
      default:
        throw new RangeError(`the exact network has no rule for ${node.operator}`);
    }
  }
  return out;
}

/** The gradient of sum_i seed_i node_i with respect to the input; every node reads one node. */
function adjoint(graph: Graph, phases: Phases, from: NodeId, seed: ExactVector): ExactVector {
  let gradient = seed, id = from;
  for (;;) {
    const node = graph.nodes[id];
    switch (node.operator) {
      case "input":
        return gradient;
      case "affine":
        gradient = transposedProduct(constantMatrix(node.weights), gradient, graph.nodes[node.inputs[0]].size);
        break;
      case "scale":
        gradient = scaled(gradient, constantMatrix(node.factors), node.inverse);
        break;
      case "shift":
        break;
      case "relu": {
        const on = phases.get(id)!;
        gradient = { ...gradient, numerators: gradient.numerators.map((n, i) => (on[i] ? n : 0n)) };
        break;
      }
      default:
        throw new RangeError(`the exact network has no rule for ${node.operator}`);
    }
    id = node.inputs[0];
  }
}
