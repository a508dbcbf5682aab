/** Sums and means over axes: a matrix of 0 and 1, then a division by the count. */
import { axesOf, distinctAxes } from "../axes.ts";
import type { NodeId } from "../../graph.ts";
import { problemAt, shapeProblem } from "../problem.ts";
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
  const { shape, map } = view;
  const own = strides(shape);
  const kept = shape.map((size, axis) => axes.has(axis) ? 1 : size);
  const rowSteps = strides(kept).map((step, axis) => axes.has(axis) ? 0 : step);
  const terms = count(shape.filter((_, axis) => axes.has(axis)));
  const rows = count(kept);
  forward.spend(2 * count(shape) + rows, place);
  const columns = walk(shape, own);
  const rowOf = walk(shape, rowSteps);
  // The same value twice in a row counts twice: whole numbers, which do not round.
  const sum = forward.matrix(view.node, rows, place, (add) => {
    for (let i = 0; i < columns.length; i++) add(rowOf[i], map === null ? i : map[i], 1);
  });
  const id = mean ? divided(sum, new Float64Array(rows).fill(terms), node) : sum;
  const left: Shape = keep ? kept : shape.filter((_, axis) => !axes.has(axis));
  return { ...view, shape: left, node: id, map: null };
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
