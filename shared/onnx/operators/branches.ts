/** Two tensors that both depend on the input meet: Add and Sub of them. */
import type { ForwardNodes } from "../forward_nodes.ts";
import { MAX_SPARSE_MATRIX_ELEMENTS } from "../limits.ts";
import { type Place, problemAt } from "../problem.ts";
import { selectedView } from "../selection.ts";
import { broadcastIndices, count, sameShape, type Shape } from "../shapes.ts";
import type { OnnxNode } from "../translator.ts";
import type { View } from "../value.ts";

/** a + b, or a - b for a sign of -1, both broadcast to `shape`. */
export function sumOfViews(a: View, b: View, sign: 1 | -1, shape: Shape, { place, forward }: OnnxNode): View {
  if (a.type !== b.type) {
    throw problemAt(place, "the operands have different element types", "shape-mismatch", {
      wanted: a.type,
      got: b.type,
    });
  }
  const left = spread(a, shape, forward, place);
  const right = spread(b, shape, forward, place);
  const size = forward.nodes[left.node].size;
  const name = String(place.node);
  const same = size === forward.nodes[right.node].size && sameMap(left.map, right.map);
  if (left.node === right.node) {
    if (!same) return twoOfOneNode(left, right, sign, forward, place);
    // x + x and x - x: one factor, where an addition would forget that both are the same number.
    forward.spend(size, place);
    const factors = new Float64Array(size).fill(1 + sign);
    return {
      ...left,
      node: forward.add({ operator: "scale", inputs: [left.node], size, name, factors, inverse: false }),
    };
  }
  if (same) {
    const inputs = [left.node, right.node];
    return { ...left, node: forward.add({ operator: "add", inputs, size, name, signs: [1, sign] }) };
  }
  return added(left, right, sign, forward, place);
}

/** The sum of the two tensors, each brought into its own order first. */
function added(left: View, right: View, sign: 1 | -1, forward: ForwardNodes, place: Place): View {
  const inputs = [left, right].map((view) => forward.materialize(view, place).node);
  const name = String(place.node);
  const id = forward.add({ operator: "add", inputs, size: count(left.shape), name, signs: [1, sign] });
  return { ...left, node: id, map: null };
}

function spread(view: View, shape: Shape, forward: ForwardNodes, place: Place): View {
  if (sameShape(view.shape, shape)) return view;
  if (count(view.shape) === count(shape)) return { ...view, shape }; // only dimensions of 1 are new
  forward.spend(count(shape), place);
  return selectedView(view, shape, broadcastIndices(view.shape, shape), forward, place);
}

function sameMap(a: Int32Array | null, b: Int32Array | null): boolean {
  if (a === null || b === null) return (a ?? b)?.every((source, i) => source === i) ?? true;
  return a.length === b.length && a.every((source, i) => source === b[i]);
}

/** Two different selections of one node are one matrix of 0, 1 and 2, unless that is large. */
function twoOfOneNode(left: View, right: View, sign: 1 | -1, forward: ForwardNodes, place: Place): View {
  const rows = count(left.shape);
  if (rows * forward.nodes[left.node].size > MAX_SPARSE_MATRIX_ELEMENTS) {
    return added(left, right, sign, forward, place);
  }
  const node = forward.matrix(left.node, rows, place, (add) => {
    for (let i = 0; i < rows; i++) {
      add(i, left.map === null ? i : left.map[i], 1);
      add(i, right.map === null ? i : right.map[i], sign);
    }
  });
  return { ...left, node, map: null };
}
