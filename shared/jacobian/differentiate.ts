import type { Graph, Node, NodeId } from "../graph.ts";
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
  const last = forward.length - 1;
  const nodes: Node[] = [{ operator: "input", inputs: [], size: forward[last].size, name: "seed" }];
  const gradients: Contribution[][] = forward.map(() => []);
  gradients[last].push({ node: 0, sign: 1 });
  for (let id = last; id > 0; id--) {
    const node = forward[id];
    if (node.operator === "input" || gradients[id].length === 0) continue;
    const p = total(nodes, gradients[id], node);
    if (node.operator === "add") {
      node.inputs.forEach((input, k) => gradients[input].push({ node: p, sign: node.signs[k] }));
      continue;
    }
    const rules = operatorOf(node.operator);
    const adjoint = rules.kind === "elementwise"
      ? { operator: "derivative_product" as const, size: node.size, name: `${node.name}'`, of: id }
      : (rules as LinearOperator).adjoint(node, forward[node.inputs[0]].size);
    if (adjoint) nodes.push({ ...adjoint, inputs: [p] });
    gradients[node.inputs[0]].push({ node: adjoint ? nodes.length - 1 : p, sign: 1 });
  }
  total(nodes, gradients[0], forward[0]);
  return { nodes };
}

/** A node of the Jacobian's graph that a consumer sends back to one of its inputs. */
interface Contribution {
  readonly node: NodeId;
  readonly sign: 1 | -1;
}

/** The sum of what all consumers of a value send back, as one node. */
function total(nodes: Node[], contributions: readonly Contribution[], of: Node): NodeId {
  const [first, ...others] = contributions;
  let sum = first;
  for (const other of others) {
    const name = `${of.name}'`;
    nodes.push({ operator: "add", inputs: [sum.node, other.node], signs: [sum.sign, other.sign], size: of.size, name });
    sum = { node: nodes.length - 1, sign: 1 };
  }
  if (sum.sign === 1) return sum.node;
  const factors = new Float64Array(of.size).fill(-1);
  nodes.push({ operator: "scale", inputs: [sum.node], size: of.size, factors, inverse: false, name: `${of.name}'` });
  return nodes.length - 1;
}

/** The same graph with |.| of every entry at its end, for the norm of a row. */
export function withAbs(graph: Graph): Graph {
  const last = graph.nodes.length - 1;
  const { size } = graph.nodes[last];
  return { nodes: [...graph.nodes, { operator: "abs", inputs: [last], size, name: "norm" }] };
}
