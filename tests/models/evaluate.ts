/** A plain float64 evaluation of a forward graph at a point; rounds to nearest and proves nothing. */
import type { Graph, Node } from "../../shared/graph.ts";

/** Values of every node at `x`, each in the order of the node's elements. */
export function evaluateNodes(graph: Graph, x: ArrayLike<number>): Float64Array[] {
  const values: Float64Array[] = [];
  for (const node of graph.nodes) values.push(valueOf(node, values, x));
  return values;
}

/** The output of the graph at `x`. */
export function evaluate(graph: Graph, x: ArrayLike<number>): Float64Array {
  return evaluateNodes(graph, x)[graph.nodes.length - 1];
}

function valueOf(node: Node, values: readonly Float64Array[], x: ArrayLike<number>): Float64Array {
  if (node.operator === "input") {
    if (x.length !== node.size) throw new RangeError(`the input has ${node.size} numbers, got ${x.length}`);
    return Float64Array.from(x);
  }
  const input = values[node.inputs[0]];
  switch (node.operator) {
    case "affine":
      return Float64Array.from({ length: node.size }, (_, row) => {
        let sum = node.bias === null ? 0 : node.bias[row];
        for (let k = 0; k < input.length; k++) sum += node.weights[row * input.length + k] * input[k];
        return sum;
      });
    case "scale":
      return input.map((value, i) => node.inverse ? value / node.factors[i] : value * node.factors[i]);
    case "shift":
      return input.map((value, i) => value + node.offsets[i]);
    case "add": {
      const other = values[node.inputs[1]];
      return input.map((value, i) => node.signs[0] * value + node.signs[1] * other[i]);
    }
    case "relu":
      return input.map((value) => Math.max(value, 0));
    case "leaky_relu":
      return input.map((value, i) => value >= 0 ? value : value * node.slopes[i]);
    case "clip":
      return input.map((value, i) => Math.min(Math.max(value, node.lower[i]), node.upper[i]));
    case "abs":
      return input.map(Math.abs);
    case "convolution":
    case "selection":
    case "derivative_product":
      throw new RangeError("a forward graph has no derivative products");
  }
}
