import type { Graph, NodeId } from "../graph.ts";
import { isMixing, rulesOf } from "./pass.ts";

/** What a question may cost, known before it runs: every neuron taken as undetermined, so never less than what is done. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export function addCosts(a: Cost, b: Cost): Cost {
  return { flops: a.flops + b.flops, bytes: a.bytes + b.bytes };
}

/** Cost of bounding a graph over `groups` groups at once, with the last node's rows walked `lastRows` times a group. */
export function costOfPass(graph: Graph, groups: number, refine: "interval" | "linear", lastRows: number): Cost {
  let flops = 0;
  let matrices = 0;
  let values = 0;
  graph.nodes.forEach((node) => {
    values += node.size;
    if (isMixing(node)) {
      const inputSize = graph.nodes[node.inputs[0]].size;
      flops += 6 * groups * node.size * inputSize;
      matrices += node.size * inputSize;
    }
    if (refine === "linear" && rulesOf(node)?.kind === "elementwise") {
      flops += 2 * groups * node.size * rowFlops(graph, node.inputs[0]);
    }
  });
  flops += groups * lastRows * rowFlops(graph, graph.nodes.length - 1);
  // Row matrix and two packings a matrix; 7 numbers a value and group on each side (host, backend); scratch.
  const walked = refine === "linear" || lastRows > 0 ? 3 : 1;
  return { flops, bytes: 8 * (matrices * walked + 2 * 10 * groups * values) + 2 ** 20 };
}

/** Flops of one row walked from a node to the input. */
function rowFlops(graph: Graph, target: NodeId): number {
  let flops = 4 * graph.nodes[0].size;
  for (let id = 1; id <= target; id++) {
    const node = graph.nodes[id];
    if (isMixing(node)) flops += 2 * node.size * graph.nodes[node.inputs[0]].size;
    flops += 11 * node.size;
  }
  return flops;
}
