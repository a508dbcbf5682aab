/**
 * Merges neighbouring nodes where no number rounds, so that the network stays the same function over the reals; where
 * one would, the nodes stay apart and each carries its own rounding. A node that several others read stays as it is.
 *
 * Why not fold x / std into the first matrix in any case? Its entries would round, and the certificate would be about
 * another network.
 */
import type { AddNode, AffineNode, Graph, Node, NodeId, ScaleNode } from "../graph.ts";
import { isIdentity } from "./forward_nodes.ts";
import { merge, mergeSum, rowsOf } from "./merge.ts";

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
    if (isNeutral(merged, draft)) {
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
    const [from] = previous.inputs;
    const merged = previous.inputs.length === 1 ? merge(previous, current, draft.nodes[from]!.size) : null;
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
  const first = termOf(a, draft), second = termOf(b, draft);
  if (first === null || second === null || first.affine.inputs[0] !== second.affine.inputs[0]) return sum;
  // One matrix instead of two, or of the rows that two selections bring together: no larger than what it replaces.
  const columns = first.affine.weights.length / first.affine.size;
  if (sum.size * columns > first.numbers + second.numbers) return sum;
  const left = rowsOfTerm(first, draft), right = rowsOfTerm(second, draft);
  const merged = left === null || right === null ? null : mergeSum(left, right, sum);
  if (merged === null) return sum;
  for (const id of [...first.ids, ...second.ids]) draft.nodes[id] = null;
  draft.readers[merged.inputs[0]]--;
  return merged;
}

/** A matrix that only this sum reads, or that it reads through a selection: the nodes, and the numbers they hold. */
interface Term {
  readonly affine: AffineNode;
  readonly ids: readonly NodeId[];
  readonly numbers: number;
}

function termOf(id: NodeId, { nodes, readers }: Draft): Term | null {
  const node = nodes[id];
  if (node === null || readers[id] !== 1) return null;
  if (node.operator === "affine") return { affine: node, ids: [id], numbers: node.weights.length };
  if (node.operator !== "selection") return null;
  const [from] = node.inputs;
  const below = nodes[from];
  if (below?.operator !== "affine" || readers[from] !== 1) return null;
  return { affine: below, ids: [id, from], numbers: below.weights.length + node.size };
}

function rowsOfTerm({ affine, ids }: Term, { nodes }: Draft): AffineNode | null {
  const top = nodes[ids[0]];
  return top?.operator === "selection" ? rowsOf(affine, top) : affine;
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

function isNeutral(node: Node, { nodes }: Draft): boolean {
  if (node.operator === "scale") return (node.roundings ?? 0) === 0 && node.factors.every((factor) => factor === 1);
  if (node.operator === "selection") return !node.transposed && isIdentity(node.map, nodes[node.inputs[0]]!.size);
  return node.operator === "shift" && node.offsets.every((offset) => offset === 0);
}

function withoutZeroBias(node: Node): Node {
  if (node.operator !== "affine" && node.operator !== "convolution") return node;
  if (node.bias === null || node.bias.some((entry) => entry !== 0)) return node;
  return { ...node, bias: null };
}
