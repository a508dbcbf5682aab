import { MAX_RANK, MAX_TENSOR_ELEMENTS } from "./limits.ts";
import { type Place, problemAt, shapeProblem } from "./problem.ts";

export type Shape = readonly number[];

/** Elements of a shape without any limit (may round beyond 2^53, which every limit catches). */
export function count(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Elements of a shape; throws `unsupported-attribute` naming the figures if they are more than we hold. */
export function checkedCount(shape: Shape, place: Place): number {
  if (shape.length > MAX_RANK) throw shapeProblem(place, "a tensor has too many dimensions", MAX_RANK, shape.length);
  const elements = count(shape);
  if (!(elements <= MAX_TENSOR_ELEMENTS)) {
    throw problemAt(place, `a tensor of shape [${shape}] is too large`, "unsupported-attribute", {
      limit: MAX_TENSOR_ELEMENTS,
      got: elements,
    });
  }
  return elements;
}

/** An axis in [-rank, rank) as one in [0, rank). */
export function normalizeAxis(axis: number, rank: number, place: Place): number {
  if (!(axis >= -rank && axis < rank)) throw shapeProblem(place, `axis ${axis} is out of range`, `rank ${rank}`, axis);
  return axis < 0 ? axis + rank : axis;
}

/** Row-major strides. */
export function strides(shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out[axis] = stride;
    stride *= shape[axis];
  }
  return out;
}

/** The numpy broadcast of two shapes, or null. */
export function broadcast(a: Shape, b: Shape): number[] | null {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    out[axis] = x === 1 ? y : x;
  }
  return out;
}

/**
 * For every element of `shape` in row-major order the flat index start + sum over axes of position * step.
 *
 * All selections (transpose, broadcast, slice) are such walks with the right steps.
 */
export function walk(shape: Shape, steps: readonly number[], start = 0): Int32Array {
  const out = new Int32Array(count(shape));
  const position = new Array<number>(shape.length).fill(0);
  let index = start;
  for (let i = 0; i < out.length; i++) {
    out[i] = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index += steps[axis];
      if (++position[axis] < shape[axis]) break;
      index -= steps[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return out;
}

/** Flat index into a tensor of shape `from` for every element of the shape `to` it broadcasts to. */
export function broadcastIndices(from: Shape, to: Shape): Int32Array {
  const own = strides(from);
  const lead = to.length - from.length;
  return walk(to, to.map((_, axis) => axis < lead || from[axis - lead] === 1 ? 0 : own[axis - lead]));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
