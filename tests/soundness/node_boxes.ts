/** The boxes of every node of a pass, held against exact values of the network and of the graph of its Jacobian. */
import type { Graph, NodeId } from "../../shared/graph.ts";
import type { Box } from "../../shared/numeric/box.ts";
import { isAtLeast, isAtMost, toNumber } from "../exact/dyadic.ts";
import type { Phases } from "../exact/network.ts";
import { convolve, select } from "../exact/sparse.ts";
import {
  combine,
  component,
  constantMatrix,
  type ExactVector,
  exactVector,
  product,
  scaled,
  transposedProduct,
} from "../exact/vector.ts";

/** lower <= value <= upper in every place of every node; returns what is false, in words. */
export function falseNodeBoxes(graph: Graph, boxes: (id: NodeId) => Box, values: readonly ExactVector[]): string[] {
  const found: string[] = [];
  graph.nodes.forEach(({ name, size }, id) => {
    const { lower, upper } = boxes(id);
    for (let i = 0; i < size; i++) {
      const value = component(values[id], i);
      if (isAtLeast(value, lower[i]) && isAtMost(value, upper[i])) continue;
      found.push(`value ${i} of ${name} is ${toNumber(value)}, claimed [${lower[i]}, ${upper[i]}]`);
    }
  });
  return found;
}

/** Exact values of every node of the graph of the Jacobian for one seed, each derivative that of its region. */
export function gradientValues(graph: Graph, phases: Phases, seed: ArrayLike<number>): readonly ExactVector[] {
  const out: ExactVector[] = [];
  for (const node of graph.nodes) {
    if (node.operator === "input") {
      out.push(exactVector(seed));
      continue;
    }
    const p = out[node.inputs[0]];
    switch (node.operator) {
      case "affine": {
        const weights = constantMatrix(node.weights);
        out.push(node.transposed ? transposedProduct(weights, p, node.size) : product(weights, p, node.size));
        break;
      }
      case "convolution":
        out.push(convolve(node, p, node.size));
        break;
      case "selection":
        out.push(select(node, p, node.size));
        break;
      case "scale":
        out.push(scaled(p, constantMatrix(node.factors), node.inverse));
        break;
      case "derivative_product":
        out.push(scaled(p, phases.get(node.of)!, false));
        break;
      case "add": {
        const [first, second] = node.signs;
        const a = first === 1 ? p : { ...p, numerators: p.numerators.map((n) => -n) };
        out.push(combine(a, out[node.inputs[1]], second));
        break;
      }
      case "abs":
        out.push({ ...p, numerators: p.numerators.map((n) => (n < 0n ? -n : n)) });
        break;
      default:
        throw new RangeError(`the graph of a Jacobian has no ${node.operator}`);
    }
  }
  return out;
}
