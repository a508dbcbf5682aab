import type { AffineNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { radiusFactor, rowSumRoundings, SAFE_PRODUCT, settleWith, underflowOf } from "../numeric/rounding.ts";
import {
  allColumns,
  boxTable,
  groupTable,
  type LinearContext,
  type LinearImage,
  type LinearOperator,
  magnitudeSum,
} from "./operator.ts";

/**
 * y = W x + b.
 *
 * Interval: sums of fl(w l) and fl(w u), chosen by sign, with their magnitudes (shared/README.md (3)).
 * Walk: coefficients A over y become fl(A W) over x, charged gamma_K |A| q with q >= |W| |x| + |b| (9).
 * Its adjoint in the graph of the Jacobian is the transpose, which shares the weights.
 */
export const affine: LinearOperator<AffineNode> = {
  kind: "linear",
  mixes: true,

  offset: (node, i) => node.bias?.[i] ?? 0,

  plain: {
    apply: (node, [x], withOffset) => multiply(node, x, withOffset ? node.bias : null),
    pullBack: (node, p, _k, size) => multiplyTransposed(node, p, size),
    reach: (node, [m]) => multiplyMagnitudes(node, m),
    terms: (_node, inputSize) => inputSize,
  },

  rowMatrix: (node, context) => gatherWeights(node, context, context.demand?.indices ?? null),

  async image(node, rowMatrix, context) {
    const { kernels, inputs, inputColumns } = context;
    const rows = context.demand?.indices.length ?? node.size;
    const columns = inputColumns?.length ?? inputs[0].lower.length;
    const sums = await kernels.scope(async () => {
      const out = kernels.allocate(inputs.length * 4 * paddedLength(rows));
      const box = kernels.upload(boxTable(inputs, inputColumns, columns));
      kernels.affineBox({ out, matrix: rowMatrix!, box, groups: inputs.length, rows, columns });
      return await kernels.read(out);
    });
    return settleImage(node, context, sums, rows);
  },

  prepare(node, image, columns, context) {
    const { kernels, inputs, inputColumns } = context;
    const k = columns?.length ?? node.size;
    const n = inputColumns?.length ?? inputs[0].lower.length;
    const padded = paddedLength(k);
    const packed = kernels.allocate(paddedLength(n) * k);
    kernels.packMatrix({ out: packed, matrix: gatherWeights(node, context, columns), k, n });
    return {
      table: null,
      absorb: {
        bias: node.bias && kernels.upload(groupTable([node.bias], columns, padded)),
        q: kernels.upload(groupTable(image.q, columns, padded)),
      },
      scale: null,
      product: { layout: "dense", packed, k, n },
      coefficientRoundings: node.size + 1,
      underflow: Float64Array.from(inputs, (box) => node.size * (magnitudeSum(box) + 2)),
    };
  },

  adjoint: (node, inputSize) => ({
    operator: "affine",
    size: inputSize,
    name: `${node.name}'`,
    weights: node.weights,
    bias: null,
    transposed: !node.transposed,
  }),
};

/** The rows (null: all) and the input's columns of W as a row-major matrix of the backend. */
function gatherWeights(
  node: AffineNode,
  { kernels, inputs, inputColumns, uploaded }: LinearContext,
  rows: Int32Array | null,
) {
  const inputSize = inputs[0].lower.length;
  const rowIndices = rows ?? allColumns(node.size);
  const columnIndices = inputColumns ?? allColumns(inputSize);
  const out = kernels.allocate(rowIndices.length * paddedLength(columnIndices.length));
  kernels.gatherMatrix({
    out,
    source: uploaded(node.weights),
    rows: kernels.uploadIndices(rowIndices),
    columns: kernels.uploadIndices(columnIndices),
    rowStride: node.transposed ? 1 : inputSize,
    columnStride: node.transposed ? node.size : 1,
  });
  return out;
}

function settleImage(
  node: AffineNode,
  { inputs, inputColumns, demand }: LinearContext,
  sums: Float64Array,
  rows: number,
): LinearImage {
  const padded = paddedLength(rows);
  const inputSize = inputs[0].lower.length;
  const factor = radiusFactor(rowSumRoundings(inputSize) + 1);
  const smallestWeight = smallestMagnitude(node);
  const boxes: Box[] = [];
  const q: Float64Array[] = [];
  inputs.forEach((input, g) => {
    const underflow = productsAreNormal(smallestWeight, input, inputColumns) ? 0 : underflowOf(inputSize);
    const lower = new Float64Array(node.size).fill(demand === null ? 0 : -Infinity);
    const upper = new Float64Array(node.size).fill(demand === null ? 0 : Infinity);
    const magnitude = new Float64Array(node.size);
    const at = g * 4 * padded;
    for (let r = 0; r < rows; r++) {
      const i = demand === null ? r : demand.indices[r];
      const b = node.bias?.[i] ?? 0;
      const below = sums[at + padded + r] + Math.abs(b);
      const above = sums[at + 3 * padded + r] + Math.abs(b);
      lower[i] = settleWith(factor, sums[at + r] + b, below, underflow);
      upper[i] = -settleWith(factor, -(sums[at + 2 * padded + r] + b), above, underflow);
      // |w| max(|l|, |u|) <= |w l| + |w u|: at most twice the smallest q, and free.
      magnitude[i] = (below + above) * Q_INFLATION + 2 * underflow;
    }
    boxes.push({ lower, upper });
    q.push(magnitude);
  });
  return { boxes, q };
}

/** Covers the roundings of the sums of magnitudes themselves (columns up to 2^30). */
const Q_INFLATION = 1 + 2 ** -20;

/** True if no product of a weight and an end of the box can underflow: then an exact 0 stays 0. */
function productsAreNormal(smallestWeight: number, box: Box, columns: Int32Array | null): boolean {
  let smallest = Infinity;
  const count = columns?.length ?? box.lower.length;
  for (let j = 0; j < count; j++) {
    const i = columns === null ? j : columns[j];
    const l = Math.abs(box.lower[i]);
    const u = Math.abs(box.upper[i]);
    if (l > 0 && l < smallest) smallest = l;
    if (u > 0 && u < smallest) smallest = u;
  }
  return smallestWeight * smallest >= SAFE_PRODUCT;
}

const smallestMagnitudes = new WeakMap<Float64Array, number>();

/** The smallest non-zero |w|, remembered for the life of the weights. */
function smallestMagnitude(node: AffineNode): number {
  let smallest = smallestMagnitudes.get(node.weights);
  if (smallest === undefined) {
    smallest = Infinity;
    for (const w of node.weights) {
      const magnitude = Math.abs(w);
      if (magnitude > 0 && magnitude < smallest) smallest = magnitude;
    }
    smallestMagnitudes.set(node.weights, smallest);
  }
  return smallest;
}

function multiply(node: AffineNode, x: Float64Array, bias: Float64Array | null): Float64Array {
  const { weights, size } = node;
  const y = new Float64Array(size);
  const n = x.length;
  for (let i = 0; i < size; i++) {
    let sum = bias ? bias[i] : 0;
    const at = i * n;
    for (let j = 0; j < n; j++) sum += weights[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

function multiplyTransposed({ weights, size }: AffineNode, p: Float64Array, n: number): Float64Array {
  const y = new Float64Array(n);
  for (let i = 0; i < size; i++) {
    const value = p[i];
    if (value === 0) continue;
    const at = i * n;
    for (let j = 0; j < n; j++) y[j] += value * weights[at + j];
  }
  return y;
}

function multiplyMagnitudes({ weights, size }: AffineNode, m: Float64Array): Float64Array {
  const y = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < m.length; j++) sum += Math.abs(weights[i * m.length + j]) * m[j];
    y[i] = sum;
  }
  return y;
}
