import { rulesOf } from "../bounds/pass.ts";
import type { AffineNode, Node } from "../graph.ts";
import { SAFE_PRODUCT } from "../numeric/rounding.ts";
import type { LinearOperator } from "../operators/operator.ts";

/** Coefficients over the values of a node, and the sums of the magnitudes of the products on all their paths: [rows][size]. */
export interface Rows {
  readonly values: readonly Float64Array[];
  readonly magnitudes: readonly Float64Array[];
}

/**
 * Added to a magnitude wherever a product may have underflowed: what was lost, times all that follows on its paths, is then
 * far below the rounding of the magnitude (shared/README.md (23)).
 */
export const FLOOR = 2 ** -960;

/** A linear node, prepared for all rows. */
export interface LinearStep {
  readonly node: Node;
  readonly rules: LinearOperator;
  /** The node with the magnitudes of its numbers (of an affine node itself: its loop takes them). */
  readonly magnitude: Node;
  readonly smallest: number;
  /** Values at 0; null where all are. */
  readonly offsets: Float64Array | null;
  readonly smallestOffset: number;
  /** Roundings on the path of a coefficient through the node. */
  readonly roundings: number;
}

export function linearStep(node: Node): LinearStep {
  const rules = rulesOf(node) as LinearOperator;
  const offsets = Float64Array.from({ length: node.size }, (_, i) => rules.offset(node, i));
  const smallestOffset = smallestIn(offsets), smallest = rules.plain.smallestFactor(node);
  return {
    node,
    rules,
    magnitude: node.operator === "affine" ? node : rules.plain.magnitude(node),
    smallest,
    offsets: smallestOffset === Infinity ? null : offsets,
    smallestOffset,
    // One for the floor of a node that multiplies; here four columns are added up before they join the others.
    roundings: rules.plain.pullBackRoundings(node) + (smallest < Infinity ? 1 : 0) +
      (node.operator === "affine" ? 6 : 0),
  };
}

/** Rows over a linear node become rows over its input k of `size` values. */
export function pullBackRows(
  { node, rules, magnitude, smallest }: LinearStep,
  rows: Rows,
  k: number,
  size: number,
): Rows {
  const values: Float64Array[] = [], magnitudes: Float64Array[] = [];
  rows.values.forEach((row, r) => {
    const sizes = rows.magnitudes[r];
    const out = node.operator === "affine" ? pullBackAffine(node, row, sizes, size) : {
      value: rules.plain.pullBack(node, row, k, size),
      magnitude: rules.plain.pullBack(magnitude, sizes, k, size),
    };
    if (mayUnderflow(row, sizes, smallest)) out.magnitude = out.magnitude.map((m) => m + FLOOR);
    values.push(out.value);
    magnitudes.push(out.magnitude);
  });
  return { values, magnitudes };
}

/** Value and magnitude in one loop: four columns of coefficients at once, those that are 0 left out. */
function pullBackAffine({ weights }: AffineNode, row: Float64Array, sizes: Float64Array, n: number) {
  const value = new Float64Array(n), magnitude = new Float64Array(n);
  const active = indicesOf(sizes);
  let at = 0;
  for (; at + 4 <= active.length; at += 4) {
    const h = active[at], i = active[at + 1], j = active[at + 2], k = active[at + 3];
    const a = row[h], b = row[i], c = row[j], d = row[k];
    const p = sizes[h], q = sizes[i], r = sizes[j], s = sizes[k];
    const e = h * n, f = i * n, g = j * n, l = k * n;
    for (let x = 0; x < n; x++) {
      const t = weights[e + x], v = weights[f + x], w = weights[g + x], y = weights[l + x];
      value[x] += a * t + b * v + c * w + d * y;
      magnitude[x] += p * Math.abs(t) + q * Math.abs(v) + r * Math.abs(w) + s * Math.abs(y);
    }
  }
  for (; at < active.length; at++) {
    const i = active[at], from = i * n, a = row[i], p = sizes[i];
    for (let x = 0; x < n; x++) {
      value[x] += a * weights[from + x];
      magnitude[x] += p * Math.abs(weights[from + x]);
    }
  }
  return { value, magnitude };
}

function indicesOf(sizes: Float64Array): Int32Array {
  const indices = new Int32Array(sizes.length);
  let count = 0;
  for (let i = 0; i < sizes.length; i++) if (sizes[i] !== 0) indices[count++] = i;
  return indices.subarray(0, count);
}

/** May a product of a coefficient, or of a magnitude, with a number of at least `smallest` be too small to be normal? */
export function mayUnderflow(row: Float64Array, sizes: Float64Array, smallest: number): boolean {
  return Math.min(smallestIn(row), smallestIn(sizes)) * smallest < SAFE_PRODUCT;
}

/** The smallest magnitude that is not 0. */
export function smallestIn(numbers: Float64Array): number {
  let smallest = Infinity;
  for (let i = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i]);
    if (size !== 0 && size < smallest) smallest = size;
  }
  return smallest;
}
