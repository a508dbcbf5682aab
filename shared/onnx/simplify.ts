/**
 * Merges neighbouring nodes where no number rounds, so that the network stays the same function over the reals; where
 * one would, the nodes stay apart and each carries its own rounding. A node that several others read stays as it is.
 *
 * Why not fold x / std into the first matrix in any case? Its entries would round, and the certificate would be about
 * another network.
 */
import type { AddNode, Graph, Node, NodeId, ScaleNode } from "../graph.ts";
import { merge, mergeSum } from "./merge.ts";

/** The graph being built: nodes that were merged into later ones are null. */
interface Draft {
  readonly nodes: (Node | null)[];
  /** How many nodes read it; those not yet drafted included. */
  readonly readers: number[];
}

/** The graph with neighbours merged; it keeps at least one node beside the input. */
export function simplify(graph: Graph): Graph {
  const draft: Draft = { nodes: [graph.nodes[0]], readers: graph.nodes.map(() => 0) };
  for (const { inputs } of graph.nodes) for (const id of inputs) draft.readers[id]++;
  // Where the value of each node of the graph is found; a node without effect is its own input.
  const found: NodeId[] = [0];
  graph.nodes.slice(1).forEach((original, index) => {
    const id = index + 1;
    const node = original.inputs.length === 2
      ? joined({ ...original, inputs: original.inputs.map((input) => found[input]) }, draft)
      : { ...original, inputs: original.inputs.map((input) => found[input]) };
    const merged = withPrevious(node, draft);
    if (isNeutral(merged)) {
      const [input] = merged.inputs;
      draft.readers[input] += draft.readers[id] - 1;
      draft.nodes.push(null);
      found.push(input);
    } else {
      draft.nodes.push(withoutZeroBias(merged));
      found.push(id);
    }
  });
  return compact(draft.nodes);
}

/** The node with all before it that it alone reads and that can be merged into it. */
function withPrevious(node: Node, draft: Draft): Node {
  let current = node;
  while (current.inputs.length === 1) {
    const [id] = current.inputs;
    const previous = draft.nodes[id];
    if (previous === null || id === 0 || draft.readers[id] !== 1) break;
    const merged = merge(previous, current);
    if (merged === null) break;
    draft.nodes[id] = null;
    current = { ...merged, inputs: previous.inputs };
  }
  return current;
}

/** A sum in its simplest form: of one node with itself a factor, of a negated node a difference, of two matrices one. */
function joined(node: Node, draft: Draft): Node {
  if (node.operator !== "add") return node;
  const sum = withoutNegation(withoutNegation(node, 0, draft), 1, draft);
  const [a, b] = sum.inputs;
  if (a === b) {
    draft.readers[a]--;
    const factors = new Float64Array(sum.size).fill(sum.signs[0] + sum.signs[1]);
    return { operator: "scale", inputs: [a], size: sum.size, name: sum.name, factors, inverse: false };
  }
  const first = draft.nodes[a], second = draft.nodes[b];
  if (first?.operator !== "affine" || second?.operator !== "affine") return sum;
  if (first.inputs[0] !== second.inputs[0] || draft.readers[a] !== 1 || draft.readers[b] !== 1) return sum;
  const merged = mergeSum(first, second, sum);
  if (merged === null) return sum;
  draft.nodes[a] = null;
  draft.nodes[b] = null;
  draft.readers[first.inputs[0]]--;
  return merged;
}

/** The sum with the sign of a term instead of a factor of -1 on it. */
function withoutNegation(sum: AddNode, term: 0 | 1, draft: Draft): AddNode {
  const id = sum.inputs[term];
  const node = draft.nodes[id];
  if (node?.operator !== "scale" || draft.readers[id] !== 1 || !isNegation(node)) return sum;
  draft.nodes[id] = null;
  const inputs = sum.inputs.map((input, i) => i === term ? node.inputs[0] : input);
  const [first, second] = sum.signs;
  const signs: AddNode["signs"] = term === 0 ? [first === 1 ? -1 : 1, second] : [first, second === 1 ? -1 : 1];
  return { ...sum, inputs, signs };
}

function isNegation(node: ScaleNode): boolean {
  return (node.roundings ?? 0) === 0 && node.factors.every((factor) => factor === -1);
}

/** The nodes that are left, renumbered. */
function compact(nodes: readonly (Node | null)[]): Graph {
  const renumbered = new Map<NodeId, NodeId>();
  const left: Node[] = [];
  nodes.forEach((node, id) => {
    if (node === null) return;
    renumbered.set(id, left.length);
    left.push({ ...node, inputs: node.inputs.map((input) => renumbered.get(input) ?? 0) });
  });
  if (left.length === 1) left.push(unchanged(left[0]));
  return { nodes: left };
}

/** y = x, as a node of its own. */
function unchanged(input: Node): ScaleNode {
  const factors = new Float64Array(input.size).fill(1);
  return { operator: "scale", inputs: [0], size: input.size, name: input.name, factors, inverse: false };
}

function isNeutral(node: Node): boolean {
  if (node.operator === "scale") return (node.roundings ?? 0) === 0 && node.factors.every((factor) => factor === 1);
  return node.operator === "shift" && node.offsets.every((offset) => offset === 0);
}

function withoutZeroBias(node: Node): Node {
  if (node.operator !== "affine" || node.bias === null || node.bias.some((entry) => entry !== 0)) return node;
  return { ...node, bias: null };
}
