import type { ForwardNodes } from "./forward_nodes.ts";
import { inverse, pick } from "./forward_nodes.ts";
import type { Place } from "./problem.ts";
import type { Shape } from "./shapes.ts";
import type { Value, View } from "./value.ts";

/** The same elements under another shape of as many elements. */
export function reshaped(value: Value, shape: Shape): Value {
  return { ...value, shape };
}

/**
 * The value of the given shape whose element i is element `indices[i]` of `value`.
 *
 * Constants are copied, of the input's tensors only the index map: exact either way.
 */
export function selected(value: Value, shape: Shape, indices: Int32Array, forward: ForwardNodes, place: Place): Value {
  if (value.kind === "view") return selectedView(value, shape, indices, forward, place);
  forward.spend(indices.length, place);
  if (value.kind === "floats") return { ...value, shape, elements: pick(value.elements, indices) };
  return { ...value, shape, elements: BigInt64Array.from(indices, (index) => value.elements[index]) };
}

/** {@link selected} of a tensor that depends on the input: only its index map is new. */
export function selectedView(view: View, shape: Shape, indices: Int32Array, forward: ForwardNodes, place: Place): View {
  forward.spend(indices.length, place);
  const { map } = view;
  return { ...view, shape, map: map === null ? indices : indices.map((index) => map[index]) };
}

/** A view that shows every value of its node once. */
export interface AlignedView {
  readonly view: View;
  /** Numbers given for the elements of the view, in the order of the node's values. */
  inNodeOrder(numbers: Float64Array): Float64Array;
}

/** The view itself where it shows every value of its node once, else its selection as a node of its own. */
export function aligned(view: View, forward: ForwardNodes, place: Place): AlignedView {
  if (view.map === null) return { view, inNodeOrder: (numbers) => numbers };
  const back = inverse(view.map, forward.nodes[view.node].size);
  if (back === null) return { view: forward.materialize(view, place), inNodeOrder: (numbers) => numbers };
  return { view, inNodeOrder: (numbers) => pick(numbers, back) };
}
