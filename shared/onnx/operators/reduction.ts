/** Sums and means over axes: a matrix of whole numbers or windows of ones, then a division by the count. */
import { axesOf, distinctAxes } from "../axes.ts";
import type { NodeId } from "../../graph.ts";
import { MAX_SPARSE_MATRIX_ELEMENTS } from "../limits.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { selectedView } from "../selection.ts";
import { count, type Shape, strides, walk } from "../shapes.ts";
import { type OnnxNode, required, type Translator } from "../translator.ts";
import type { Value, View } from "../value.ts";

/** The view a reduction works on. */
function viewOf(node: OnnxNode): View {
  const value = required(node, 0);
  if (value.kind !== "view") throw problemAt(node.place, `${node.place.operator} of a constant is not supported`);
  return value;
}

/** Divides every value of a node by the count behind it. */
export function divided(id: NodeId, counts: Float64Array, { place, forward }: OnnxNode): NodeId {
  if (counts.every((size) => size === 1)) return id;
  const at = { inputs: [id], size: counts.length, name: String(place.node) };
  return forward.add({ ...at, operator: "scale", factors: counts, inverse: true });
}

/** Sum or mean over the given axes, which the result keeps as sizes of 1 or loses. */
function reduce(node: OnnxNode, view: View, axes: ReadonlySet<number>, keep: boolean, mean: boolean): View {
  const { place, forward } = node;
  const { shape } = view;
  const kept = shape.map((size, axis) => axes.has(axis) ? 1 : size);
  const terms = count(shape.filter((_, axis) => axes.has(axis)));
  const rows = count(kept);
  forward.spend(rows, place);
  const isSmall = rows * forward.nodes[view.node].size <= MAX_SPARSE_MATRIX_ELEMENTS;
  const sum = isSmall ? sumByMatrix(view, kept, axes, node) : sumByWindows(view, axes, node);
  const id = mean ? divided(sum, new Float64Array(rows).fill(terms), node) : sum;
  const left: Shape = keep ? kept : shape.filter((_, axis) => !axes.has(axis));
  return { ...view, shape: left, node: id, map: null };
}

function sumByMatrix({ node: id, shape, map }: View, kept: Shape, axes: ReadonlySet<number>, node: OnnxNode): NodeId {
  const { place, forward } = node;
  const steps = strides(kept).map((step, axis) => axes.has(axis) ? 0 : step);
  forward.spend(count(shape), place);
  const rowOf = walk(shape, steps);
  // The same value twice in a row counts twice: whole numbers, which do not round.
  return forward.matrix(id, count(kept), place, (add) => {
    for (let i = 0; i < rowOf.length; i++) add(rowOf[i], map === null ? i : map[i], 1);
  });
}

/** With the axes that are summed last, every sum is a channel of its own under one window of ones. */
function sumByWindows(view: View, axes: ReadonlySet<number>, node: OnnxNode): NodeId {
  const { place, forward } = node;
  const { shape } = view;
  const order = [...shape.keys()].sort((a, b) => Number(axes.has(a)) - Number(axes.has(b)) || a - b);
  const own = strides(shape);
  const moved = order.map((axis) => shape[axis]);
  forward.spend(2 * count(shape), place);
  const lined = selectedView(view, moved, walk(moved, order.map((axis) => own[axis])), forward, place);
  const terms = count(shape.filter((_, axis) => axes.has(axis)));
  const rows = count(shape) / terms;
  const windows = {
    batch: 1,
    groups: rows,
    coarse: { channels: rows, height: 1, width: 1 },
    fine: { channels: rows, height: 1, width: terms },
    kernel: [1, terms],
    stride: [1, 1],
    dilation: [1, 1],
    begin: [0, 0],
  } as const;
  const ones = new Float64Array(rows * terms).fill(1);
  return forward.convolution(forward.materialize(lined, place).node, ones, windows, false, null, place);
}

function reduction(operator: "ReduceSum" | "ReduceMean"): Translator {
  return {
    operator,
    notes: "axes constant; keepdims, noop_with_empty_axes",
    attributes: ["axes", "keepdims", "noop_with_empty_axes"],
    inputs: [1, 2],
    translate(node): Value[] {
      const view = viewOf(node);
      const given = axesOf(node) ?? [];
      if (given.length === 0 && node.attributes.integer("noop_with_empty_axes", 0) !== 0) return [view];
      const axes = given.length === 0 ? view.shape.map((_, axis) => axis) : given;
      const keep = node.attributes.integer("keepdims", 1) !== 0;
      const distinct = distinctAxes(axes, view.shape.length, node);
      return [reduce(node, view, distinct, keep, operator === "ReduceMean")];
    },
  };
}

export const reduceSum = reduction("ReduceSum");
export const reduceMean = reduction("ReduceMean");

export const globalAveragePool: Translator = {
  operator: "GlobalAveragePool",
  notes: "any number of spatial dimensions",
  attributes: [],
  inputs: [1, 1],
  translate(node) {
    const view = viewOf(node);
    if (view.shape.length < 3) {
      throw shapeProblem(node.place, "there is no spatial dimension", "rank 3 or more", view.shape.length);
    }
    return [reduce(node, view, new Set(view.shape.keys().filter((axis) => axis >= 2)), true, true)];
  },
};
