/** Two neighbouring nodes as one, where every number of it is exact. */
import type { AddNode, AffineNode, Node, ScaleNode, SelectionNode, ShiftNode } from "../graph.ts";
import { exactly, exactProduct, exactQuotient, plainSum, scaled } from "./exact.ts";
import { isInjective } from "./forward_nodes.ts";
import { padWindows, scaleInputs, scaleOutputs, selectTwice, shiftIntoBias } from "./merge_windows.ts";

/** One node for `second` after `first` (a node of `inputSize` values), or null. */
export function merge(first: Node, second: Node, inputSize: number): Node | null {
  if (isRounded(first) || isRounded(second)) return null;
  if (first.operator === "affine" && second.operator === "shift") return addBias(first, second);
  if (first.operator === "affine" && second.operator === "scale") return scaleRows(first, second);
  if (first.operator === "scale" && second.operator === "affine") return scaleColumns(first, second);
  if (first.operator === "shift" && second.operator === "shift") {
    const offsets = exactly(first.size, (i) => plainSum(first.offsets[i], second.offsets[i]));
    return offsets === null ? null : { ...second, offsets };
  }
  if (first.operator === "scale" && second.operator === "scale") return scaleTwice(first, second);
  if (first.operator === "affine" && second.operator === "affine") return moved(first, second);
  if (first.operator === "affine" && second.operator === "selection") return selectRows(first, second);
  if (first.operator === "selection" && second.operator === "affine") return selectColumns(first, second, inputSize);
  if (first.operator === "selection" && second.operator === "selection") return selectTwice(first, second);
  if (first.operator === "selection" && second.operator === "convolution") return padWindows(first, second, inputSize);
  if (first.operator === "convolution" && second.operator === "shift") return shiftIntoBias(first, second);
  if (first.operator === "convolution" && second.operator === "scale") return scaleOutputs(first, second);
  if (first.operator === "scale" && second.operator === "convolution") return scaleInputs(first, second);
  return null;
}

/** Whether its factors are not the real ones: no other number may take them in. */
function isRounded(node: Node): boolean {
  return node.operator === "scale" && (node.roundings ?? 0) > 0;
}

function addBias(affine: AffineNode, shift: ShiftNode): AffineNode | null {
  const { bias } = affine;
  if (bias === null) return { ...affine, bias: shift.offsets };
  const sum = exactly(affine.size, (i) => plainSum(bias[i], shift.offsets[i]));
  return sum === null ? null : { ...affine, bias: sum };
}

function scaleRows(affine: AffineNode, scale: ScaleNode): AffineNode | null {
  const { bias } = affine;
  const columns = affine.weights.length / affine.size;
  const scaledBias = bias === null ? null : exactly(affine.size, (i) => scaled(bias[i], scale, i));
  if (bias !== null && scaledBias === null) return null;
  const weights = exactly(affine.weights.length, (i) => scaled(affine.weights[i], scale, Math.floor(i / columns)));
  return weights === null ? null : { ...affine, weights, bias: scaledBias };
}

function scaleColumns(scale: ScaleNode, affine: AffineNode): AffineNode | null {
  const weights = exactly(affine.weights.length, (i) => scaled(affine.weights[i], scale, i % scale.size));
  return weights === null ? null : { ...affine, weights };
}

function scaleTwice(first: ScaleNode, second: ScaleNode): ScaleNode | null {
  const a = first.factors;
  const b = second.factors;
  if (first.inverse === second.inverse) return scaleBy(second, first.inverse, (i) => exactProduct(a[i], b[i]));
  // x b / a is x (b / a) or x / (a / b), whichever has exact factors.
  const [over, under] = first.inverse ? [b, a] : [a, b];
  return scaleBy(second, false, (i) => exactQuotient(over[i], under[i])) ??
    scaleBy(second, true, (i) => over[i] === 0 ? null : exactQuotient(under[i], over[i]));
}

function scaleBy(node: ScaleNode, inverse: boolean, factor: (index: number) => number | null): ScaleNode | null {
  const factors = exactly(node.size, factor);
  if (factors === null || (inverse && factors.includes(0))) return null;
  return { ...node, factors, inverse };
}

/** For a matrix that only moves values, for each row the column of its 1, or -1 in a row of zeros; null for any other. */
function movement(affine: AffineNode): Int32Array | null {
  if (affine.transposed) return null;
  const columns = affine.weights.length / affine.size;
  const source = new Int32Array(affine.size).fill(-1);
  for (let row = 0; row < affine.size; row++) {
    for (let column = 0; column < columns; column++) {
      const weight = affine.weights[row * columns + column];
      if (weight === 0) continue;
      if (weight !== 1 || source[row] >= 0) return null;
      source[row] = column;
    }
  }
  return source;
}

/**
 * Two matrices where the second only picks rows of the first, or the first places values for the second; unless the one
 * would be larger than the two.
 */
function moved(first: AffineNode, second: AffineNode): AffineNode | null {
  if (first.transposed || second.transposed) return null;
  const columns = first.weights.length / first.size;
  if (second.size * columns > first.weights.length + second.weights.length) return null;
  const rows = movement(second);
  if (rows !== null) {
    const weights = new Float64Array(second.size * columns);
    rows.forEach((from, row) => {
      if (from >= 0) weights.set(first.weights.subarray(from * columns, (from + 1) * columns), row * columns);
    });
    const { bias: own } = first, { bias: added } = second;
    const picked = own === null ? null : Float64Array.from(rows, (from) => from < 0 ? 0 : own[from]);
    if (picked === null || added === null) return { ...second, inputs: first.inputs, weights, bias: picked ?? added };
    const bias = exactly(second.size, (i) => plainSum(picked[i], added[i]));
    return bias === null ? null : { ...second, inputs: first.inputs, weights, bias };
  }
  if (first.bias !== null && first.bias.some((entry) => entry !== 0)) return null;
  const places = movement(first);
  if (places === null) return null;
  const taken = places.filter((column) => column >= 0);
  if (new Set(taken).size !== taken.length) return null; // two weights of one value would be added
  const weights = new Float64Array(second.size * columns);
  for (let row = 0; row < second.size; row++) {
    places.forEach((column, k) => {
      if (column >= 0) weights[row * columns + column] = second.weights[row * first.size + k];
    });
  }
  return { ...second, inputs: first.inputs, weights };
}

/** The rows of a matrix that a selection takes, unless they would be larger than the two. */
function selectRows(affine: AffineNode, selection: SelectionNode): AffineNode | null {
  const columns = affine.weights.length / affine.size;
  if (selection.size * columns > affine.weights.length + selection.size) return null;
  return rowsOf(affine, selection);
}

/** The rows of a matrix that a selection takes, zeros where it takes none. */
export function rowsOf(affine: AffineNode, { map, size, name, transposed }: SelectionNode): AffineNode | null {
  if (affine.transposed || transposed) return null;
  const columns = affine.weights.length / affine.size;
  const weights = new Float64Array(size * columns);
  map.forEach((from, row) => {
    if (from >= 0) weights.set(affine.weights.subarray(from * columns, (from + 1) * columns), row * columns);
  });
  const { bias: own } = affine;
  const bias = own === null ? null : Float64Array.from(map, (from) => from < 0 ? 0 : own[from]);
  return { operator: "affine", inputs: affine.inputs, size, name, weights, bias };
}

/** The matrix with its columns where a selection took its inputs from, if each stays one column and it is no larger than the two. */
function selectColumns(selection: SelectionNode, affine: AffineNode, inputSize: number): AffineNode | null {
  const { map } = selection;
  if (affine.transposed || selection.transposed) return null;
  if (affine.size * inputSize > affine.weights.length + selection.size) return null;
  if (!isInjective(map, inputSize)) return null; // two weights of one value would be added
  const weights = new Float64Array(affine.size * inputSize);
  for (let row = 0; row < affine.size; row++) {
    map.forEach((from, k) => {
      if (from >= 0) weights[row * inputSize + from] = affine.weights[row * map.length + k];
    });
  }
  return { ...affine, weights };
}

/** The sum of two matrices of the same values as one, if every entry is exact and none cancels. */
export function mergeSum(first: AffineNode, second: AffineNode, sum: AddNode): AffineNode | null {
  if (first.transposed || second.transposed) return null;
  const [s, t] = sum.signs;
  const weights = exactly(first.weights.length, (i) => plainSum(s * first.weights[i], t * second.weights[i]));
  if (weights === null) return null;
  const offset = (affine: AffineNode, i: number) => affine.bias === null ? 0 : affine.bias[i];
  const bias = exactly(sum.size, (i) => plainSum(s * offset(first, i), t * offset(second, i)));
  return bias === null ? null : { ...first, inputs: first.inputs, size: sum.size, name: sum.name, weights, bias };
}
