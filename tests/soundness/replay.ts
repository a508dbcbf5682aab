/**
 * One walk of the engine again, in exact arithmetic, from the slopes it used and the boxes it returned.
 *
 * What is taken from the engine is data that may be anything without harm (the coefficients lam after each activation:
 * any slope is sound) and the boxes, which other tests hold against exact values. Intercepts are the least sound ones and
 * are computed here. So the result is a proved bound, and the engine's claim may not be above it.
 * Source: shared/README.md (5) to (10), without rounding.
 */
import type { Graph, Node } from "../../shared/graph.ts";
import type { Pass } from "../../shared/bounds/pass.ts";
import { paddedLength } from "../../shared/kernels/kernels.ts";
import { chunkedRoundings } from "../../shared/kernels/packed.ts";
import { add, type Exact, exact, minimum, multiply, subtract, ZERO } from "../exact/dyadic.ts";
import { isActivation, kinksOf, pieceOf } from "../exact/pieces.ts";
import { convolveWith, entriesOf } from "../exact/sparse.ts";
import {
  combine,
  component,
  constantMatrix,
  type ExactMatrix,
  type ExactVector,
  exactVector,
  product,
  scaled,
  transposedProduct,
} from "../exact/vector.ts";
import type { RecordedCall } from "./recorder.ts";

export interface Replay {
  /** The proved lower bound of the row. */
  readonly bound: Exact;
  /** For each matrix on the way: the exact sum_i |A_i| (sum_j |W_ij| H_j + |b_i|), and the roundings k + 1 it is charged for. */
  readonly layers: readonly { readonly magnitude: Exact; readonly roundings: number }[];
}

/**
 * Row `row` of a walk from `target` with the recorded calls of its block, over the box of `group`; null where the walk left
 * out more columns than its pass, so that what was recorded cannot be put in its place.
 */
export function replayRow(
  pass: Pass,
  target: number,
  start: ArrayLike<number>,
  group: number,
  row: number,
  calls: readonly RecordedCall[],
): Replay | null {
  const { nodes } = pass.graph;
  const relaxed = calls.filter(({ kind }) => kind === "relax");
  const layers: { magnitude: Exact; roundings: number }[] = [];
  let coefficients = exactVector(start), bound = ZERO, step = 0, id = target;
  for (;;) {
    const node = nodes[id];
    if (node.operator === "input") break;
    const below = node.inputs[0], box = pass.states[below].boxes[group];
    switch (node.operator) {
      case "affine":
      case "convolution": {
        const longest = longestSum(node, pass.states[id].columns), { precision } = pass.run.kernels;
        const roundings = (precision === "f64" ? longest : chunkedRoundings(longest, 1)) + 1;
        layers.push({ magnitude: chargedMagnitude(node, coefficients, box), roundings });
        if (node.bias !== null) bound = add(bound, dot(coefficients, exactVector(node.bias)));
        coefficients = applyTranspose(node, coefficients, nodes[below].size);
        break;
      }
      case "shift":
        bound = add(bound, dot(coefficients, exactVector(node.offsets)));
        break;
      case "scale":
        coefficients = scaled(coefficients, constantMatrix(node.factors), node.inverse);
        break;
      default: {
        const lines = fullRow(relaxed[step++], row, pass.states[id].columns, node.size);
        if (lines === null) return null;
        for (let i = 0; i < node.size; i++) {
          const a = component(coefficients, i), lam = exact(lines[i]);
          if (a.numerator === 0n && lines[i] === 0) continue;
          bound = add(bound, leastIntercept(pass, node, id, group, i, a, lam, box.lower[i], box.upper[i]));
        }
        coefficients = exactVector(lines);
      }
    }
    id = below;
  }
  const { lower, upper } = pass.states[0].boxes[group];
  for (let j = 0; j < lower.length; j++) {
    const a = component(coefficients, j);
    bound = add(bound, minimum(multiply(a, exact(lower[j])), multiply(a, exact(upper[j]))));
  }
  return { bound, layers };
}

/** min over z in [l, u] of a sigma(z) - lam z, exact: the corners of a piecewise (bi)linear function decide. */
function leastIntercept(
  pass: Pass,
  node: Node,
  id: number,
  group: number,
  i: number,
  a: Exact,
  lam: Exact,
  lower: number,
  upper: number,
): Exact {
  const range = node.operator === "derivative_product" ? pass.groups[group].ranges!.get(id)! : null;
  // p d with d = 0 is 0 whatever p is; p was not asked for then and has no bounds.
  if (range !== null && range.lower[i] === 0 && range.upper[i] === 0 && lam.numerator === 0n) return ZERO;
  const line = (z: Exact, value: Exact) => subtract(multiply(a, value), multiply(lam, z));
  let values: Exact[];
  if (isActivation(node)) {
    const kinks = kinksOf(node, i);
    const passed = (z: number) => kinks.filter((kink) => z > kink).length;
    values = [lower, upper, ...kinks.filter((kink) => lower < kink && kink < upper)].map((z) => {
      const { slope, constant } = pieceOf(node, i, passed(z));
      return line(exact(z), add(multiply(exact(slope), exact(z)), exact(constant)));
    });
  } else if (range !== null) {
    const factors = [exact(range.lower[i]), exact(range.upper[i])];
    values = [exact(lower), exact(upper)].flatMap((p) => factors.map((d) => line(p, multiply(d, p))));
  } else throw new RangeError(`no rule for ${node.operator}`);
  return values.reduce(minimum);
}

function dot(a: ExactVector, b: ExactVector): Exact {
  let sum = 0n;
  a.numerators.forEach((n, i) => sum += n * b.numerators[i]);
  return { numerator: sum, exponent: a.exponent + b.exponent, denominator: a.denominator * b.denominator };
}

type Matrix = Extract<Graph["nodes"][number], { operator: "affine" | "convolution" }>;

/** Most products that one coefficient below is the sum of: one an entry of its column of W over the indices that matter. */
function longestSum(node: Matrix, columns: Int32Array | null): number {
  if (node.operator === "affine") return (columns ?? { length: node.size }).length;
  const { coarse, fine } = entriesOf(node.windows), sums = new Map<number, number>();
  const [outputs, inputs] = node.transposed ? [fine, coarse] : [coarse, fine];
  const counts = columns === null ? null : new Set(columns);
  outputs.forEach((i, e) => {
    if (counts === null || counts.has(i)) sums.set(inputs[e], (sums.get(inputs[e]) ?? 0) + 1);
  });
  return Math.max(0, ...sums.values());
}

function constantsOf(node: Matrix): ExactMatrix {
  return constantMatrix(node.operator === "affine" ? node.weights : node.kernel);
}

function applyTranspose(node: Matrix, coefficients: ExactVector, inputSize: number): ExactVector {
  return apply(node, constantsOf(node), coefficients, inputSize, true);
}

/** W x, or its transpose times x when `adjoint`, with these numbers in the places of its own. */
function apply(node: Matrix, numbers: ExactMatrix, x: ExactVector, size: number, adjoint: boolean): ExactVector {
  if (node.operator === "convolution") return convolveWith(numbers, node, x, size, adjoint);
  return (node.transposed ?? false) === adjoint ? product(numbers, x, size) : transposedProduct(numbers, x, size);
}

/** sum_i |A_i| (sum_j |W_ij| max(|l_j|, |u_j|) + |b_i|): what gamma of the roundings is paid on. */
function chargedMagnitude(
  node: Matrix,
  coefficients: ExactVector,
  box: { readonly lower: Float64Array; readonly upper: Float64Array },
): Exact {
  const weights = constantsOf(node);
  const magnitudes = {
    entries: weights.entries.map((w) => (w < 0n ? -w : w)),
    exponent: weights.exponent,
  };
  // An index that is not asked for has no bounds; the values above it are multiplied by 0.
  const far = exactVector(
    box.lower.map((l, j) => Number.isFinite(l) && Number.isFinite(box.upper[j]) ? Math.max(-l, box.upper[j]) : 0),
  );
  const outputs = apply(node, magnitudes, far, node.size, false);
  const sums = node.bias === null ? outputs : combine(outputs, exactVector(node.bias.map(Math.abs)), 1);
  const signless = { ...coefficients, numerators: coefficients.numerators.map((n) => (n < 0n ? -n : n)) };
  return dot(signless, sums);
}

/** A row of coefficients over the columns that its pass keeps, in the node's own indices; null where they are others. */
function fullRow(call: RecordedCall, row: number, columns: Int32Array | null, size: number): Float64Array | null {
  const from = row * paddedLength(call.columns);
  const compact = call.coefficients.subarray(from, from + call.columns);
  if (call.columns === size) return compact.slice();
  if (columns?.length !== call.columns) return null;
  const full = new Float64Array(size);
  columns.forEach((i, j) => full[i] = compact[j]);
  return full;
}
