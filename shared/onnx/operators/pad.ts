/** Pad with a constant: elements keep their values at new places, the others are one number. */
import { distinctAxes } from "../axes.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { selected } from "../selection.ts";
import { checkedCount, count, strides, walk } from "../shapes.ts";
import { floatsOf, integersOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { Value } from "../value.ts";

export const pad: Translator = {
  operator: "Pad",
  notes: "mode constant; pads (negative ones crop), the value and the axes constant",
  attributes: ["mode", "pads", "value"],
  inputs: [1, 4],
  translate(node) {
    const { place, forward, attributes } = node;
    const mode = attributes.text("mode", "constant");
    if (mode !== "constant") throw problemAt(place, `Pad with mode "${mode}" is not supported`);
    const value = required(node, 0);
    if (value.kind === "integers") throw problemAt(place, "Pad of integers is not supported");
    const { before, after } = padsOf(node, value);
    const own = strides(value.shape);
    const shape = value.shape.map((size, axis) => size + before[axis] + after[axis]);
    if (shape.some((size) => size < 1)) throw shapeProblem(place, "the padding leaves no elements", "1 or more", shape);
    const elements = checkedCount(shape, place);
    // The part of the tensor that is kept: everything but what negative pads cut off.
    const kept = value.shape.map((size, axis) => size + Math.min(before[axis], 0) + Math.min(after[axis], 0));
    if (kept.some((size) => size < 1)) throw shapeProblem(place, "the padding leaves no elements", "1 or more", kept);
    const start = before.reduce((sum, size, axis) => sum + Math.max(-size, 0) * own[axis], 0);
    forward.spend(2 * count(kept), place);
    const sources = walk(kept, own, start);
    if (count(kept) === elements) return [selected(value, shape, sources, forward, place)];
    const steps = strides(shape);
    const places = walk(kept, steps, before.reduce((sum, size, axis) => sum + Math.max(size, 0) * steps[axis], 0));
    const fill = fillOf(node, value);
    forward.spend(elements, place);
    const out = new Float64Array(elements).fill(fill);
    if (value.kind === "floats") {
      places.forEach((to, i) => out[to] = value.elements[sources[i]]);
      return [{ ...value, shape, elements: out }];
    }
    const map = new Int32Array(elements).fill(-1);
    places.forEach((to, i) => map[to] = value.map === null ? sources[i] : value.map[sources[i]]);
    let id = forward.selection(value.node, map, place);
    if (fill !== 0) {
      for (const to of places) out[to] = 0;
      const at = { inputs: [id], size: elements, name: String(place.node) };
      id = forward.add({ ...at, operator: "shift", offsets: out });
    }
    return [{ ...value, shape, node: id, map: null }];
  },
};

/** Attributes before opset 11, then inputs; from opset 18 on perhaps for some axes only. */
function padsOf(node: OnnxNode, value: Value): { before: number[]; after: number[] } {
  const { place, attributes, opset } = node;
  const rank = value.shape.length;
  const given = opset < 11 ? attributes.integers("pads") : integersOf(required(node, 1), "pads", place);
  if (given === null) throw problemAt(place, "pads are missing");
  const some = optional(node, 3);
  const axes = some === null
    ? value.shape.map((_, axis) => axis)
    : [...distinctAxes(integersOf(some, "axes", place), rank, node)];
  if (given.length !== 2 * axes.length) {
    throw shapeProblem(place, "pads do not fit the axes", 2 * axes.length, given);
  }
  const before = value.shape.map(() => 0), after = value.shape.map(() => 0);
  axes.forEach((axis, i) => {
    before[axis] = given[i];
    after[axis] = given[i + axes.length];
  });
  return { before, after };
}

function fillOf(node: OnnxNode, value: Value): number {
  const { place, attributes, opset } = node;
  if (opset < 11) return attributes.float("value", 0);
  const input = optional(node, 2);
  if (input === null) return 0;
  const { elements } = floatsOf(input, value.type, "the value", place);
  if (elements.length !== 1) throw shapeProblem(place, "the value must be one number", 1, elements.length);
  return elements[0];
}
