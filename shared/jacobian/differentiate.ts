import type { Graph, Node } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { operatorOf } from "../operators/registry.ts";

/**
 * The graph of the Clarke Jacobian: its input is a row of coefficients over the outputs (the seed), its output the
 * gradient of that combination with respect to x.
 *
 * Reverse mode: each linear operator appends its adjoint, each activation the product g = p d with d in its derivative
 * range. Source: [Shi22, section 3.2]; shared/README.md (7)
 */
export function differentiate(graph: Graph): Graph {
  const forward = graph.nodes;
  const nodes: Node[] = [{
    operator: "input",
    inputs: [],
    size: forward[forward.length - 1].size,
    name: "seed",
  }];
  for (let id = forward.length - 1; id > 0; id = forward[id].inputs[0]) {
    const node = forward[id];
    if (node.operator === "input") break;
    const inputs = [nodes.length - 1];
    const rules = operatorOf(node.operator);
    if (rules.kind === "elementwise") {
      nodes.push({ operator: "derivative_product", inputs, size: node.size, name: `${node.name}'`, of: id });
    } else {
      const adjoint = (rules as LinearOperator).adjoint(node, forward[node.inputs[0]].size);
      if (adjoint) nodes.push({ ...adjoint, inputs });
    }
  }
  return { nodes };
}

/** The same graph with |.| of every entry at its end, for the norm of a row. */
export function withAbs(graph: Graph): Graph {
  const last = graph.nodes.length - 1;
  const { size } = graph.nodes[last];
  return { nodes: [...graph.nodes, { operator: "abs", inputs: [last], size, name: "norm" }] };
}
