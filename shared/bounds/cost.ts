import type { Graph, NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { isMixing, rulesOf } from "./pass.ts";

/** What a question may cost, known before it runs: every neuron taken as undetermined and none left out. */
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
  let widest = 0;
  graph.nodes.forEach((node) => {
    values += node.size;
    widest = Math.max(widest, node.size);
    if (isMixing(node)) {
      const entries = entriesOf(graph, node.inputs[0], node);
      flops += 6 * groups * entries;
      matrices += entries;
    }
    if (refine === "linear" && rulesOf(node)?.kind === "elementwise") {
      flops += 2 * groups * node.size * rowFlops(graph, node.inputs[0], 1);
    }
  });
  const last = graph.nodes.length - 1;
  flops += groups * lastRows * rowFlops(graph, last, lastRows > 1 ? 1 : graph.nodes[last].size);
  // Row matrix and two packings a matrix; 7 numbers a value and group on each side (host, backend); rows under way.
  const walked = refine === "linear" || lastRows > 0 ? 3 : 1;
  return { flops, bytes: 8 * (matrices * walked + 2 * 10 * groups * values + 100 * widest) + 2 ** 20 };
}

function entriesOf(graph: Graph, input: NodeId, node: Graph["nodes"][number]): number {
  return (rulesOf(node) as LinearOperator).matrix!.entries(node, graph.nodes[input].size);
}

/** What a tile's window and the zeros of blocks may add to what a row on its own reaches. */
const TILE_WASTE = 4;

const known = new WeakMap<Graph, Map<string, number>>();

/** Flops of a row over `reach` neighbouring values of a node, walked to the input; computed once for a graph. */
function rowFlops(graph: Graph, target: NodeId, reach: number): number {
  let flops = known.get(graph);
  if (!flops) known.set(graph, flops = new Map());
  const key = `${target} ${reach}`;
  const found = flops.get(key) ?? countRow(graph, target, reach);
  flops.set(key, found);
  return found;
}

function countRow(graph: Graph, target: NodeId, reach: number): number {
  const { size } = graph.nodes[target];
  const wide = Math.min(reach, size), first = Math.floor((size - wide) / 2);
  const marks = new Map<NodeId, Uint8Array>([[target, new Uint8Array(size).fill(1, first, first + wide)]]);
  let flops = 4 * graph.nodes[0].size;
  for (let id = target; id > 0; id--) {
    const mark = marks.get(id);
    if (!mark) continue;
    const node = graph.nodes[id];
    const columns = marked(mark);
    flops += 11 * columns.length;
    for (const input of node.inputs) {
      const below = marks.get(input) ?? new Uint8Array(graph.nodes[input].size);
      marks.set(input, below);
      if (!isMixing(node)) {
        for (const i of columns) below[i] = 1;
        continue;
      }
      const reached = (rulesOf(node) as LinearOperator).matrix!.reached(node, columns);
      if (reached === null) below.fill(1);
      else for (const i of reached) below[i] = 1;
      const waste = reached === null ? 1 : Math.min(TILE_WASTE, 1 + node.size / columns.length);
      flops += 2 * waste * entriesOf(graph, input, node) * columns.length / node.size;
    }
  }
  return flops;
}

function marked(mark: Uint8Array): Int32Array {
  const columns = new Int32Array(mark.length);
  let count = 0;
  for (let i = 0; i < mark.length; i++) if (mark[i] === 1) columns[count++] = i;
  return columns.subarray(0, count);
}
