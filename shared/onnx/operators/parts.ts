/** Concat and Split. */
import type { NodeId } from "../../graph.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { selected } from "../selection.ts";
import { checkedCount, count, normalizeAxis, type Shape, strides, walk } from "../shapes.ts";
import { checkIntegers, integersOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { FloatTensor, IntegerTensor, Value, View } from "../value.ts";

export const concat: Translator = {
  operator: "Concat",
  notes: "of constants and tensors",
  attributes: ["axis"],
  inputs: [1, 4096],
  translate(node) {
    const { place, attributes, forward } = node;
    if (!attributes.has("axis")) throw problemAt(place, "axis is missing");
    const parts = node.inputs.map((_, index) => required(node, index));
    const [first] = parts;
    const axis = normalizeAxis(attributes.integer("axis", 0), first.shape.length, place);
    for (const part of parts) {
      const fits = part.type === first.type && part.shape.length === first.shape.length &&
        part.shape.every((size, i) => i === axis || size === first.shape[i]);
      if (!fits) throw shapeProblem(place, "the parts do not fit together", first.shape, part.shape);
    }
    const shape = [...first.shape];
    shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
    const elements = checkedCount(shape, place);
    forward.spend(2 * elements, place);
    const placed = placesOf(parts, shape, axis);
    const floats = placed.filter((part): part is Placed<FloatTensor> => part.value.kind === "floats");
    const integers = placed.filter((part): part is Placed<IntegerTensor> => part.value.kind === "integers");
    const views = placed.filter((part): part is Placed<View> => part.value.kind === "view");
    if (views.length > 0) return [joinViews(views, floats, shape, node)];
    if (integers.length === 0) {
      const out = new Float64Array(elements);
      for (const { value, places } of floats) places.forEach((to, i) => out[to] = value.elements[i]);
      return [{ kind: "floats", type: floats[0].value.type, shape, elements: out }];
    }
    checkIntegers(elements, place);
    const out = new BigInt64Array(elements);
    for (const { value, places } of integers) places.forEach((to, i) => out[to] = value.elements[i]);
    return [{ kind: "integers", type: integers[0].value.type, shape, elements: out }];
  },
};

/** A part and, for each of its elements, where it goes in the whole. */
interface Placed<T extends Value> {
  readonly value: T;
  readonly places: Int32Array;
}

function placesOf(parts: readonly Value[], shape: Shape, axis: number): Placed<Value>[] {
  const steps = strides(shape);
  let start = 0;
  return parts.map((value) => {
    const places = walk(value.shape, steps, start * steps[axis]);
    start += value.shape[axis];
    return { value, places };
  });
}

/** y = the sum of what each node has at its places, 0 elsewhere, plus the constants at theirs. */
function joinViews(
  views: readonly Placed<View>[],
  floats: readonly Placed<FloatTensor>[],
  shape: Shape,
  node: OnnxNode,
) {
  const { place, forward } = node;
  const size = count(shape);
  const byNode = new Map<NodeId, Placed<View>[]>();
  for (const part of views) byNode.set(part.value.node, [...byNode.get(part.value.node) ?? [], part]);
  const whole: Omit<View, "node" | "map"> = { kind: "view", type: views[0].value.type, shape };
  if (byNode.size === 1 && floats.length === 0) {
    const map = new Int32Array(size);
    for (const { value, places } of views) places.forEach((to, i) => map[to] = value.map?.[i] ?? i);
    return { ...whole, node: views[0].value.node, map };
  }
  let offsets: Float64Array | null = null;
  if (floats.length > 0) {
    forward.spend(size, place);
    const constants = new Float64Array(size);
    for (const { value, places } of floats) places.forEach((to, i) => constants[to] = value.elements[i]);
    offsets = constants;
  }
  let sum: NodeId | null = null;
  for (const [id, parts] of byNode) {
    forward.spend(size, place);
    const map = new Int32Array(size).fill(-1);
    for (const { value, places } of parts) places.forEach((to, i) => map[to] = value.map === null ? i : value.map[i]);
    const moved = forward.selection(id, map, place);
    const at = { size, name: String(place.node) };
    if (sum !== null) sum = forward.add({ ...at, operator: "add", inputs: [sum, moved], signs: [1, 1] });
    else if (offsets === null) sum = moved;
    else sum = forward.add({ ...at, operator: "shift", inputs: [moved], offsets });
  }
  return { ...whole, node: sum ?? 0, map: null };
}

export const split: Translator = {
  operator: "Split",
  notes: "sizes constant or equal",
  attributes: ["axis", "split", "num_outputs"],
  inputs: [1, 2],
  translate(node) {
    const { place, attributes, forward } = node;
    const value = required(node, 0);
    const axis = normalizeAxis(attributes.integer("axis", 0), value.shape.length, place);
    const sizes = splitSizes(node, value.shape[axis]);
    const own = strides(value.shape);
    let start = 0;
    return sizes.map((size) => {
      const shape = value.shape.map((whole, i) => i === axis ? size : whole);
      forward.spend(count(shape), place);
      const part = selected(value, shape, walk(shape, own, start * own[axis]), forward, place);
      start += size;
      return part;
    });
  },
};

function splitSizes(node: OnnxNode, whole: number): number[] {
  const { place, attributes, outputs } = node;
  const input = optional(node, 1);
  const given = input === null ? attributes.integers("split") : integersOf(input, "split", place);
  if (given !== null) {
    const sum = given.reduce((total, size) => total + size, 0);
    if (given.length !== outputs || sum !== whole || given.some((size) => size < 0)) {
      throw shapeProblem(place, `[${given}] does not split ${whole} into ${outputs} parts`, whole, given);
    }
    return given;
  }
  // The last part is smaller where the parts cannot be equal; before opset 18 they must be.
  const wanted = attributes.integer("num_outputs", outputs);
  const size = Math.ceil(whole / outputs);
  const last = whole - size * (outputs - 1);
  if (wanted !== outputs || last < 0 || (node.opset < 18 && last !== size)) {
    throw shapeProblem(place, `${whole} does not split into ${outputs} parts`, whole, outputs);
  }
  return Array.from({ length: outputs }, (_, i) => i < outputs - 1 ? size : last);
}
