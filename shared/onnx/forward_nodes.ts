import type { Graph, Node, NodeId } from "../graph.ts";
import { type Place, problemAt } from "./problem.ts";
import { count } from "./shapes.ts";
import type { View } from "./value.ts";

/** What a node of its own takes, in elements: a file may ask for the same chain to be selected from again and again. */
const NODE_COST = 64;

/** The nodes made so far (append only, so that several outputs share them) and what they may still allocate. */
export class ForwardNodes {
  readonly nodes: Node[] = [];
  #allocated = 0;

  constructor(inputName: string, inputSize: number, private readonly limit: number) {
    this.nodes.push({ operator: "input", inputs: [], size: inputSize, name: inputName });
  }

  add(node: Node): NodeId {
    return this.nodes.push(node) - 1;
  }

  /** Numbers allocated beyond those in the file. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Announces an allocation of `elements` numbers; throws `unsupported-attribute` with the figures when it is too much. */
  spend(elements: number, place: Place): void {
    if (!(this.#allocated + elements <= this.limit)) {
      throw problemAt(place, "the dense form of the model is too large", "unsupported-attribute", {
        limit: this.limit,
        got: this.#allocated + elements,
      });
    }
    this.#allocated += elements;
  }

  /**
   * The node that computes a view in its own order: what the view selects is selected in the constants of the nodes
   * below, up to the nearest affine node, whose rows it picks; on the input itself it becomes a matrix of 0 and 1.
   * All of it moves numbers and computes none, so it is exact.
   */
  materialize(view: View, place: Place): View {
    if (view.map === null) return view;
    const node = isIdentity(view.map, this.nodes[view.node].size)
      ? view.node
      : this.#select(view.node, view.map, place);
    return { ...view, node, map: null };
  }

  #select(id: NodeId, map: Int32Array, place: Place): NodeId {
    // Downwards to the node that takes the selection, then up again with the constants of each node passed.
    const passed: ElementwiseNode[] = [];
    let bottom = this.nodes[id];
    let bottomId = id;
    while (isElementwise(bottom)) {
      passed.push(bottom);
      bottomId = bottom.inputs[0];
      bottom = this.nodes[bottomId];
    }
    const size = map.length;
    this.spend(NODE_COST * (passed.length + 1), place);
    let selected = bottom.operator === "affine"
      ? this.#selectRows(bottom, map, place)
      : this.selection(bottomId, map, place);
    for (const node of passed.reverse()) {
      this.spend(CONSTANTS_OF_A_VALUE * size, place);
      selected = this.add({ ...picked(node, map), inputs: [selected], size });
    }
    return selected;
  }

  #selectRows(node: Extract<Node, { operator: "affine" }>, map: Int32Array, place: Place): NodeId {
    const columns = this.nodes[node.inputs[0]].size;
    this.spend(map.length * (columns + 1), place);
    const weights = new Float64Array(map.length * columns);
    map.forEach((row, i) => weights.set(node.weights.subarray(row * columns, (row + 1) * columns), i * columns));
    const bias = node.bias === null ? null : pick(node.bias, map);
    return this.add({ ...node, size: map.length, weights, bias });
  }

  /** The matrix of 0 and 1 that takes value `map[i]` of node `id` to place i. */
  selection(id: NodeId, map: Int32Array, place: Place): NodeId {
    return this.matrix(id, map.length, place, (add) => map.forEach((column, row) => add(row, column, 1)));
  }

  /**
   * A dense affine node [rows, size of node `id`] with the entries that `fill` adds up; no such sum may round, which the
   * caller sees to (every entry given once, or whole numbers).
   *
   * Throws: `unsupported-attribute` with the figures before anything is allocated that would be too much.
   */
  matrix(
    id: NodeId,
    rows: number,
    place: Place,
    fill: (add: (row: number, column: number, weight: number) => void) => void,
    bias: Float64Array | null = null,
  ): NodeId {
    const columns = this.nodes[id].size;
    this.spend(rows * columns + NODE_COST, place);
    const weights = new Float64Array(rows * columns);
    fill((row, column, weight) => weights[row * columns + column] += weight);
    return this.add({ operator: "affine", inputs: [id], size: rows, name: String(place.node), weights, bias });
  }

  /** The view, materialized if it holds some value of its node twice: one column then stands for one element. */
  distinct(view: View, place: Place): View {
    if (view.map === null || isInjective(view.map, this.nodes[view.node].size)) return view;
    return this.materialize(view, place);
  }

  /** Ids of a node and of all it depends on, in ascending order. */
  ancestors(last: NodeId): NodeId[] {
    const found = new Set([last]);
    for (const id of found) for (const input of this.nodes[id].inputs) found.add(input);
    return [...found].sort((a, b) => a - b);
  }

  /** The graph of everything `last` depends on, renumbered from the input (node 0) on. */
  graph(last: NodeId): Graph {
    const ids = this.ancestors(last);
    const renumbered = new Map(ids.map((id, index) => [id, index]));
    const renumber = (id: NodeId): NodeId => renumbered.get(id) ?? 0;
    return { nodes: ids.map((id): Node => ({ ...this.nodes[id], inputs: this.nodes[id].inputs.map(renumber) })) };
  }
}

/** Nodes that treat every value by itself. */
type ElementwiseNode = Extract<Node, { operator: "relu" | "leaky_relu" | "clip" | "abs" | "scale" | "shift" }>;

/** Numbers an elementwise node holds for a value, at most (the two ends of a clip). */
const CONSTANTS_OF_A_VALUE = 2;

const ELEMENTWISE: readonly string[] = ["relu", "leaky_relu", "clip", "abs", "scale", "shift"];

function isElementwise(node: Node): node is ElementwiseNode {
  return ELEMENTWISE.includes(node.operator);
}

/** The node with the constants of the selected values. */
function picked(node: ElementwiseNode, map: Int32Array): ElementwiseNode {
  switch (node.operator) {
    case "scale":
      return { ...node, factors: pick(node.factors, map) };
    case "shift":
      return { ...node, offsets: pick(node.offsets, map) };
    case "leaky_relu":
      return { ...node, slopes: pick(node.slopes, map) };
    case "clip":
      return { ...node, lower: pick(node.lower, map), upper: pick(node.upper, map) };
    case "relu":
    case "abs":
      return node;
  }
}

/** out[i] = source[map[i]]. */
export function pick(source: Float64Array, map: Int32Array): Float64Array {
  const out = new Float64Array(map.length);
  for (let i = 0; i < out.length; i++) out[i] = source[map[i]];
  return out;
}

function isIdentity(map: Int32Array, size: number): boolean {
  return map.length === size && map.every((source, i) => source === i);
}

/** For a map that hits every value of its node exactly once, where each value went; null for any other map. */
export function inverse(map: Int32Array, size: number): Int32Array | null {
  if (map.length !== size) return null;
  const out = new Int32Array(size).fill(-1);
  for (let i = 0; i < size; i++) {
    if (out[map[i]] >= 0) return null;
    out[map[i]] = i;
  }
  return out;
}

/** Whether no value of the node appears twice in the map. */
export function isInjective(map: Int32Array, size: number): boolean {
  const seen = new Uint8Array(size);
  for (const source of map) {
    if (seen[source] === 1) return false;
    seen[source] = 1;
  }
  return true;
}

/** Elements of a view. */
export function viewCount(view: View): number {
  return count(view.shape);
}
