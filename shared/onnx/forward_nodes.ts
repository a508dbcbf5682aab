import type { Graph, Node, NodeId, Windows } from "../graph.ts";
import { checkWindows } from "./windows.ts";
import { type Place, problemAt } from "./problem.ts";
import { count } from "./shapes.ts";
import type { View } from "./value.ts";

/** What a node of its own takes, in elements: a file may ask for the same chain to be selected from again and again. */
const NODE_COST = 64;

/** The nodes made so far (append only, so that several outputs share them) and what they may still allocate. */
export class ForwardNodes {
  readonly nodes: Node[] = [];
  readonly #selections = new WeakMap<Int32Array, { readonly from: NodeId; readonly node: NodeId }>();
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

  /** The view with its elements in the order of a node of their own: moving numbers computes none, so it is exact. */
  materialize(view: View, place: Place): View {
    if (view.map === null) return view;
    return { ...view, node: this.selection(view.node, view.map, place), map: null };
  }

  /**
   * The node that takes value `map[i]` of node `id` (0 for a map of -1) to place i. A selection of a selection is one of
   * what that selects from, one that moves nothing is the node itself, and the same map is selected once.
   */
  selection(id: NodeId, map: Int32Array, place: Place): NodeId {
    const known = this.#selections.get(map);
    if (known?.from === id) return known.node;
    const node = this.#select(id, map, place);
    this.#selections.set(map, { from: id, node });
    return node;
  }

  #select(id: NodeId, map: Int32Array, place: Place): NodeId {
    const below = this.nodes[id];
    if (isIdentity(map, below.size)) return id;
    this.spend(map.length + NODE_COST, place);
    const at = { operator: "selection", size: map.length, name: String(place.node), transposed: false } as const;
    if (below.operator !== "selection") return this.add({ ...at, inputs: [id], map });
    const [source] = below.inputs;
    const composed = map.map((from) => from < 0 ? -1 : below.map[from]);
    return isIdentity(composed, this.nodes[source].size)
      ? source
      : this.add({ ...at, inputs: [source], map: composed });
  }

  /**
   * The convolution of node `id`; `bias` has a number for each of its values.
   *
   * Throws: `unsupported-attribute` with the figures where windows reach too far or see little but padding, or where
   * there are too many values.
   */
  convolution(
    id: NodeId,
    kernel: Float64Array,
    windows: Windows,
    transposed: boolean,
    bias: Float64Array | null,
    place: Place,
  ): NodeId {
    checkWindows(windows, place);
    const { channels, height, width } = transposed ? windows.fine : windows.coarse;
    const size = windows.batch * channels * height * width;
    // What its values take: a bias has paid for them already.
    this.spend(NODE_COST + (bias === null ? size : 0), place);
    const name = String(place.node);
    return this.add({ operator: "convolution", inputs: [id], size, name, kernel, windows, transposed, bias });
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

/** out[i] = source[map[i]]. */
export function pick(source: Float64Array, map: Int32Array): Float64Array {
  const out = new Float64Array(map.length);
  for (let i = 0; i < out.length; i++) out[i] = source[map[i]];
  return out;
}

/** Whether value i of so many values is taken to place i. */
export function isIdentity(map: Int32Array, size: number): boolean {
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

/** Whether no value of the node appears twice in the map (places without a value, -1, may). */
export function isInjective(map: Int32Array, size: number): boolean {
  const seen = new Uint8Array(size);
  for (const source of map) {
    if (source < 0) continue;
    if (seen[source] === 1) return false;
    seen[source] = 1;
  }
  return true;
}

/** Elements of a view. */
export function viewCount(view: View): number {
  return count(view.shape);
}
