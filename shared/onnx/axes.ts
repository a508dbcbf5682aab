/** Axes as ONNX gives them: an attribute of older opsets, a constant input of newer ones. */
import { problemAt } from "./problem.ts";
import { normalizeAxis } from "./shapes.ts";
import { integersOf, type OnnxNode, optional } from "./translator.ts";

/** Axes as an attribute or as the constant input `index`; null if they are not given. */
export function axesOf(node: OnnxNode, index = 1): number[] | null {
  const input = optional(node, index);
  if (input !== null) return integersOf(input, "axes", node.place);
  return node.attributes.integers("axes");
}

/** Axes in range, each once. */
export function distinctAxes(axes: readonly number[], rank: number, { place }: OnnxNode): Set<number> {
  const set = new Set(axes.map((axis) => normalizeAxis(axis, rank, place)));
  if (set.size !== axes.length) throw problemAt(place, `axes [${axes}] repeat`, "shape-mismatch");
  return set;
}
