import type { AffineNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { chunkedRoundings, packedLength } from "../kernels/packed.ts";
import { rowSumRoundings } from "../numeric/rounding.ts";
import { settleImage, smallestMagnitude } from "./image.ts";
import {
  allColumns,
  boxTable,
  chargeTable,
  groupTable,
  type LinearContext,
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

  offset: (node, i) => node.bias?.[i] ?? 0,

  plain: {
    apply: (node, [x], withOffset) => multiply(node, x, withOffset ? node.bias : null),
    pullBack: (node, p, _k, size) => multiplyTransposed(node, p, size),
    reach: (node, [m]) => multiplyMagnitudes(node, m),
    terms: (_node, inputSize) => inputSize,
    magnitude: (node) => ({ ...node, weights: node.weights.map(Math.abs) }),
    pullBackRoundings: (node) => rowSumRoundings(node.size),
    smallestFactor: ({ weights }) => smallestMagnitude(weights),
  },

  matrix: {
    constants: (node) => [node.weights],
    entries: (node) => node.weights.length,
    grid: () => null,
    reached: () => null,
    rowMatrix: (node, context) => gatherWeights(node, context, context.demand?.indices ?? null),
    rows: (node, indices, context) => gatherWeights(node, context, indices),
  },

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
    return settleImage(node, context, sums, { terms: inputs[0].lower.length, weights: node.weights });
  },

  prepare(node, image, columns, context) {
    const { kernels, inputs, inputColumns } = context;
    const k = columns?.length ?? node.size;
    const n = inputColumns?.length ?? inputs[0].lower.length;
    const padded = paddedLength(k);
    const packed = kernels.allocateCoefficients(packedLength(k, n, kernels.precision));
    kernels.packMatrix({ out: packed, matrix: gatherWeights(node, context, columns), k, n });
    return {
      window: null,
      table: null,
      absorb: {
        bias: node.bias && kernels.upload(groupTable([node.bias], columns, padded)),
        q: kernels.upload(chargeTable(kernels, image.q, columns, padded, 1 + chunkedRoundings(k, 1))),
      },
      scale: null,
      product: { layout: "dense", packed, k, n },
      coefficientRoundings: node.size + 1,
    };
  },

  underflow: (node, { inputs }) => Float64Array.from(inputs, (box) => node.size * (magnitudeSum(box) + 2)),

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
