/** Operators that move elements and compute nothing: exact on every tensor. */
import { axesOf, distinctAxes } from "../axes.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { reshaped, selected } from "../selection.ts";
import { checkedCount, count, normalizeAxis, strides, walk } from "../shapes.ts";
import { integersOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import { clampedInteger, safeInteger } from "../value.ts";

export const identity: Translator = {
  operator: "Identity",
  notes: "",
  attributes: [],
  inputs: [1, 1],
  translate: (node) => [required(node, 0)],
};

export const dropout: Translator = {
  operator: "Dropout",
  notes: "at inference (training_mode absent or false); its mask may not be used",
  attributes: ["ratio", "seed"],
  inputs: [1, 3],
  translate(node) {
    const training = optional(node, 2);
    if (training !== null && (training.kind !== "integers" || training.elements.some((flag) => flag !== 0n))) {
      throw problemAt(node.place, "Dropout in training mode is not supported");
    }
    return [required(node, 0)];
  },
};

export const reshape: Translator = {
  operator: "Reshape",
  notes: "to a constant shape (or one computed from shapes)",
  attributes: ["allowzero"],
  inputs: [2, 2],
  translate(node) {
    const { place } = node;
    const value = required(node, 0);
    const wanted = integersOf(required(node, 1), "the shape", place);
    const allowZero = node.attributes.integer("allowzero", 0) !== 0;
    const shape = wanted.map((size, axis) => size === 0 && !allowZero ? value.shape[axis] ?? -2 : size);
    const free = shape.indexOf(-1);
    const rest = shape.reduce((product, size) => size === -1 ? product : product * size, 1);
    const elements = count(value.shape);
    if (free >= 0 && rest > 0) shape[free] = elements / rest;
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || checkedCount(shape, place) !== elements) {
      throw shapeProblem(place, `shape [${value.shape}] cannot become [${wanted}]`, wanted, value.shape);
    }
    return [reshaped(value, shape)];
  },
};

export const flatten: Translator = {
  operator: "Flatten",
  notes: "any axis",
  attributes: ["axis"],
  inputs: [1, 1],
  translate(node) {
    const value = required(node, 0);
    const rank = value.shape.length;
    const axis = node.attributes.integer("axis", 1);
    if (!(axis >= -rank && axis <= rank)) throw shapeProblem(node.place, `axis ${axis} is out of range`, rank, axis);
    const cut = axis < 0 ? axis + rank : axis;
    return [reshaped(value, [count(value.shape.slice(0, cut)), count(value.shape.slice(cut))])];
  },
};

export const squeeze: Translator = {
  operator: "Squeeze",
  notes: "axes constant",
  attributes: ["axes"],
  inputs: [1, 2],
  translate(node) {
    const value = required(node, 0);
    const axes = axesOf(node);
    const dropped = axes === null ? null : distinctAxes(axes, value.shape.length, node);
    for (const axis of dropped ?? []) {
      if (value.shape[axis] !== 1) {
        throw shapeProblem(node.place, `axis ${axis} cannot be squeezed`, 1, value.shape[axis]);
      }
    }
    const shape = value.shape.filter((size, axis) => dropped === null ? size !== 1 : !dropped.has(axis));
    return [reshaped(value, shape)];
  },
};

export const unsqueeze: Translator = {
  operator: "Unsqueeze",
  notes: "axes constant",
  attributes: ["axes"],
  inputs: [1, 2],
  translate(node) {
    const value = required(node, 0);
    const axes = axesOf(node);
    if (axes === null) throw problemAt(node.place, "axes are missing");
    const rank = value.shape.length + axes.length;
    const added = distinctAxes(axes, rank, node);
    const sizes = value.shape.values();
    const shape = Array.from({ length: rank }, (_, axis) => added.has(axis) ? 1 : sizes.next().value ?? 1);
    checkedCount(shape, node.place);
    return [reshaped(value, shape)];
  },
};

export const transpose: Translator = {
  operator: "Transpose",
  notes: "any permutation",
  attributes: ["perm"],
  inputs: [1, 1],
  translate(node) {
    const value = required(node, 0);
    const rank = value.shape.length;
    const perm = node.attributes.integers("perm") ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
    const valid = perm.length === rank && new Set(perm).size === rank && perm.every((axis) => axis >= 0 && axis < rank);
    if (!valid) throw shapeProblem(node.place, `[${perm}] is not a permutation of the axes`, `rank ${rank}`, perm);
    const shape = perm.map((axis) => value.shape[axis]);
    // Moving dimensions of size 1 about leaves the order of the elements as it is.
    const moved = perm.filter((axis) => value.shape[axis] !== 1);
    if (moved.every((axis, i) => i === 0 || moved[i - 1] < axis)) return [reshaped(value, shape)];
    const own = strides(value.shape);
    node.forward.spend(count(shape), node.place);
    return [selected(value, shape, walk(shape, perm.map((axis) => own[axis])), node.forward, node.place)];
  },
};

export const gather: Translator = {
  operator: "Gather",
  notes: "indices constant",
  attributes: ["axis"],
  inputs: [2, 2],
  translate(node) {
    const { place, forward } = node;
    const value = required(node, 0);
    const indices = required(node, 1);
    if (indices.kind !== "integers") throw problemAt(place, "indices must be constant integers");
    const axis = normalizeAxis(node.attributes.integer("axis", 0), value.shape.length, place);
    const size = value.shape[axis];
    const positions = Array.from(indices.elements, (index) => normalizeAxis(safeInteger(index, place), size, place));
    const before = value.shape.slice(0, axis), after = value.shape.slice(axis + 1);
    const shape = [...before, ...indices.shape, ...after];
    const elements = checkedCount(shape, place);
    forward.spend(elements, place);
    const inner = count(after);
    const picked = new Int32Array(elements);
    let at = 0;
    for (let o = 0; o < count(before); o++) {
      for (const position of positions) {
        for (let i = 0; i < inner; i++) picked[at++] = (o * size + position) * inner + i;
      }
    }
    return [selected(value, shape, picked, forward, place)];
  },
};

export const slice: Translator = {
  operator: "Slice",
  notes: "starts, ends, axes and steps constant",
  attributes: ["starts", "ends", "axes"],
  inputs: [1, 5],
  translate(node) {
    const { place, forward } = node;
    const value = required(node, 0);
    const rank = value.shape.length;
    const starts = sliceList(node, 1, "starts");
    const ends = sliceList(node, 2, "ends");
    if (starts === null || ends === null) throw problemAt(place, "starts and ends are missing");
    const axes = [...distinctAxes(sliceList(node, 3, "axes") ?? starts.map((_, axis) => axis), rank, node)];
    const steps = sliceList(node, 4, "steps") ?? starts.map(() => 1);
    if (![ends, axes, steps].every((list) => list.length === starts.length)) {
      throw problemAt(place, "starts, ends, axes and steps differ in length", "shape-mismatch");
    }
    const own = strides(value.shape);
    const shape = [...value.shape];
    const walked = [...own];
    let start = 0;
    axes.forEach((axis, i) => {
      const range = sliceRange(value.shape[axis], starts[i], ends[i], steps[i], node);
      shape[axis] = range.size;
      walked[axis] = own[axis] * steps[i];
      start += own[axis] * range.first;
    });
    node.forward.spend(checkedCount(shape, place), place);
    return [selected(value, shape, walk(shape, walked, start), forward, place)];
  },
};

/** From opset 10 on the lists are inputs, before that attributes. Ends beyond the tensor (up to int64's) are usual. */
function sliceList(node: OnnxNode, index: number, name: string): number[] | null {
  const input = optional(node, index);
  if (input === null) return name === "steps" ? null : node.attributes.clampedIntegers(name);
  if (input.kind !== "integers") throw problemAt(node.place, `${name} must be constant integers`);
  return Array.from(input.elements, clampedInteger);
}

function sliceRange(size: number, start: number, end: number, step: number, node: OnnxNode) {
  if (step === 0) throw problemAt(node.place, "a step is 0");
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const absolute = (value: number) => value < 0 ? value + size : value;
  const first = step > 0 ? clamp(absolute(start), 0, size) : clamp(absolute(start), 0, size - 1);
  const last = step > 0 ? clamp(absolute(end), 0, size) : clamp(absolute(end), -1, size - 1);
  return { first, size: Math.max(0, Math.ceil((last - first) / step)) };
}
