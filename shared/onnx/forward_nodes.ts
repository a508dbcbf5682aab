import type { Graph, Node, NodeId } from "../graph.ts";
import { MAX_ALLOCATED_ELEMENTS } from "./limits.ts";
import { type Place, problemAt } from "./problem.ts";
import { count } from "./shapes.ts";
import type { View } from "./value.ts";

/** What a node of its own takes, in elements: a file may ask for the same chain to be selected from again and again. */
const NODE_COST = 64;

/** The nodes made so far (append only, so that several outputs share them) and what they may still allocate. */
export class ForwardNodes {
  readonly nodes: Node[] = [];
  #allocated = 0;

  constructor(inputName: string, inputSize: number) {
    this.nodes.push({ operator: "input", inputs: [], size: inputSize, name: inputName });
  }

  add(node: Node): NodeId {
    return this.nodes.push(node) - 1;
  }

  /** Announces an allocation of `elements` numbers; throws `unsupported-attribute` with the figures when it is too much. */
  spend(elements: number, place: Place): void {
    if (!(this.#allocated + elements <= MAX_ALLOCATED_ELEMENTS)) {
      throw problemAt(place, "the dense form of the model is too large", "unsupported-attribute", {
        limit: MAX_ALLOCATED_ELEMENTS,
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
    const passed: Node[] = [];
    let bottom = this.nodes[id];
    let bottomId = id;
    while (bottom.operator === "relu" || bottom.operator === "scale" || bottom.operator === "shift") {
      passed.push(bottom);
      bottomId = bottom.inputs[0];
      bottom = this.nodes[bottomId];
    }
    const size = map.length;
    this.spend(NODE_COST * (passed.length + 1), place);
    let selected = bottom.operator === "affine"
      ? this.#selectRows(bottom, map, place)
      : this.#selection(bottomId, map, place);
    for (const node of passed.reverse()) {
      const inputs = [selected];
      if (node.operator === "relu") selected = this.add({ ...node, inputs, size });
      else {
        this.spend(size, place);
        if (node.operator === "scale") {
          selected = this.add({ ...node, inputs, size, factors: pick(node.factors, map) });
        } else if (node.operator === "shift") {
          selected = this.add({ ...node, inputs, size, offsets: pick(node.offsets, map) });
        }
      }
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

  #selection(id: NodeId, map: Int32Array, place: Place): NodeId {
    const columns = this.nodes[id].size;
    this.spend(map.length * columns, place);
    const weights = new Float64Array(map.length * columns);
    map.forEach((column, row) => weights[row * columns + column] = 1);
    return this.add({
      operator: "affine",
      inputs: [id],
      size: map.length,
      name: String(place.node),
      weights,
      bias: null,
    });
  }

  /** The chain that ends in `last`, renumbered from the input (node 0) on. */
  chain(last: NodeId): Graph {
    const ids: NodeId[] = [];
    for (let id: NodeId | undefined = last; id !== undefined; id = this.nodes[id].inputs[0]) ids.push(id);
    ids.reverse();
    return { nodes: ids.map((id, index): Node => ({ ...this.nodes[id], inputs: index === 0 ? [] : [index - 1] })) };
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
