import type { Grid, Node } from "../graph.ts";
import { type Blocks, type Buffer, type Kernels, paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { singleWeight } from "../numeric/rounding.ts";

/**
 * Lines below and above an activation sigma on [lower, upper], one per neuron:
 * lowerSlope z + lowerIntercept <= sigma(z) <= upperSlope z + upperIntercept.
 *
 * Any slope is sound; the intercepts are the least (greatest) sound ones rounded outward (shared/README.md (5)).
 */
export interface Relaxation {
  readonly lowerSlope: Float64Array;
  readonly lowerIntercept: Float64Array;
  readonly upperSlope: Float64Array;
  readonly upperIntercept: Float64Array;
}

/** The Clarke derivative of an activation over a box of its inputs: every value between `lower` and `upper`, each place apart. */
export interface DerivativeRange {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How g = p d is bounded where the sign of p is not known: by chords (the paper) or by constants (RecurJac). */
export type ProductRule = "chord" | "constant";

/** The piece that leaves the smaller area, or the one on the side of 1/2 on which the chord's slope is. */
export type PieceRule = "area" | "slope";

/**
 * A decision about one neuron, closed on both sides: 1 active (z >= 0), -1 inactive (z <= 0), 0 free.
 * Of clip: 1 on its middle piece (lower <= z <= upper), -1 below it (z <= lower), 2 above it (z >= upper).
 */
export type Phases = Int8Array;

/** What an elementwise rule may need beside the box of its inputs. */
export interface ElementwiseContext {
  /** Range of the factor d, for `derivative_product` only. */
  readonly range: DerivativeRange | null;
  readonly rule: ProductRule;
  /** Which of the two pieces of a leaky relu is its line on the bent side: default the one that leaves the smaller area. */
  readonly pieces?: PieceRule;
  /** The node itself: some rules have constants (slopes, ends). */
  readonly node?: Node;
}

/** An operator that bends: bounded by lines, one rule a field. All functions are pure. */
export interface ElementwiseOperator {
  readonly kind: "elementwise";
  /** Interval image; sign-preserving: an exact 0 stays 0. */
  image(box: Box, context: ElementwiseContext): Box;
  /** Would a tighter input bound at this index change the lines or the derivative range? Rows are walked only where it would. */
  undetermined(box: Box, context: ElementwiseContext, index: number): boolean;
  relax(box: Box, context: ElementwiseContext): Relaxation;
  /** Range of the Clarke derivative over the box; absent where an operator is not part of networks. */
  derivative?(box: Box, phases: Phases | null, node?: Node): DerivativeRange;
  /** The interval of z on a decided piece; absent where phases part z at 0: 1 is z >= 0, -1 is z <= 0. */
  piece?(phase: number, node: Node, i: number): readonly [number, number];
  /** The activation in plain floating point; absent where an operator is not part of networks. */
  readonly plain?: PlainActivation;
  /** Neuron i as the lines that it is made of; absent where an operator is not part of networks. */
  linearPieces?(node: Node, i: number): LinearPieces;
  /** Numbers of neurons of this node (for the description of a model). */
  readonly counts: boolean;
}

/** slopes_k z + constants_k between the kinks k - 1 and k (all finite, ascending): a piece more than kinks. No rounding. */
export interface LinearPieces {
  readonly kinks: readonly number[];
  readonly slopes: readonly number[];
  readonly constants: readonly number[];
}

/**
 * An activation in plain floating point, neuron i at z: fast and unproved, for searches and cross-checks.
 *
 * `step` is the step function at 0 or a sigmoid in its place, `slope` the derivative of that.
 */
export interface PlainActivation {
  value(node: Node, i: number, z: number): number;
  derivative(node: Node, i: number, z: number, step: (z: number) => number): number;
  /** How the derivative changes with z. */
  bend(node: Node, i: number, z: number, slope: (z: number) => number): number;
  /** The largest |derivative|. */
  steepest(node: Node, i: number): number;
}

/** A linear operator in plain floating point. */
export interface PlainLinear<N extends Node> {
  /** Its value; without the constant part for tangents. */
  apply(node: N, inputs: readonly Float64Array[], withOffset: boolean): Float64Array;
  /** The adjoint towards input k of `size` values. */
  pullBack(node: N, p: Float64Array, k: number, size: number): Float64Array;
  /** The sum of the magnitudes of its terms for inputs of these magnitudes, without the constant part. */
  reach(node: N, magnitudes: readonly Float64Array[]): Float64Array;
  /** Roundings of one value beyond a few: terms that are summed, and those of stored constants. */
  terms(node: N, inputSize: number): number;
  /** The node with the magnitudes of its numbers: its `pullBack` bounds the magnitudes of terms. */
  magnitude(node: N): N;
  /** Roundings on the path of a number through `pullBack`, and what the stored constants may be off. */
  pullBackRoundings(node: N): number;
  /** The smallest non-zero |number| that `pullBack` multiplies with; Infinity where it multiplies with none. */
  smallestFactor(node: N): number;
}

/** What the walk does at a node, prepared once for a set of columns and used for every row. */
export interface Step {
  /** Which of the columns the table and the charges are of; null for all. */
  readonly window: { readonly first: number; readonly columns: number } | null;
  /** Lines of the node, [groups][4][columns]; null for linear nodes. */
  readonly table: Buffer | null;
  /** Constant part and magnitudes of the node's values, [columns] and [groups][columns]. */
  readonly absorb: { readonly bias: Buffer | null; readonly q: Buffer } | null;
  readonly scale: { readonly factors: Buffer; readonly inverse: boolean } | null;
  readonly product: Product | null;
  /** Roundings this step adds to the path of a coefficient: counted for all indices, so that dropping some changes no bit. */
  readonly coefficientRoundings: number;
  /** Half-steps of underflow per group that this step may lose (shared/README.md (4)); dropped indices lose none. */
  readonly underflow: Float64Array;
}

/** A linear map: coefficients over k columns become coefficients over n. */
export type Product = DenseProduct | BlockProduct;

/** A packed matrix [k, n]. */
export interface DenseProduct {
  readonly layout: "dense";
  readonly packed: Buffer;
  readonly k: number;
  readonly n: number;
}

/** A matrix of dense blocks, packed one after the other. */
export interface BlockProduct {
  readonly layout: "blocks";
  readonly blocks: Blocks;
  readonly packed: Buffer;
  readonly k: number;
  readonly n: number;
  /** Added to the coefficients themselves (k = n): no block reads what one writes. */
  readonly accumulate: boolean;
}

/** Coefficients of a block of rows on their way: dense rows over a node's columns. */
export type Coefficients = {
  readonly layout: "dense";
  readonly buffer: Buffer;
  readonly columns: number;
};

/** The interval image of a linear node for all groups, with the magnitudes q that its rounding radius needs. */
export interface LinearImage {
  readonly boxes: Box[];
  /** Per group: at least |y_i| and at least the sum of magnitudes of the terms of y_i. */
  readonly q: Float64Array[];
}

/** The indices of a node that anything above asks for; elsewhere the image is not computed and unbounded. */
export interface Demand {
  /** Asked for by some group. */
  readonly indices: Int32Array;
  /** Per group 1 where it asks itself. */
  readonly groups: readonly Uint8Array[];
}

/** Where a linear rule finds what it needs: everything is in full index space unless it says columns. */
export interface LinearContext {
  readonly kernels: Kernels;
  /** The boxes of the input node, one a group. */
  readonly inputs: readonly Box[];
  /** Those of the second input, where there is one. */
  readonly others: readonly Box[] | null;
  /** The indices of the input node that matter (null: all); the value or the coefficient is 0 elsewhere. */
  readonly inputColumns: Int32Array | null;
  readonly demand: Demand | null;
  /** A constant of the network in the backend's memory. */
  uploaded(constant: Float64Array): Buffer;
}

/** An operator that is exact: its transpose acts on coefficients. */
export interface LinearOperator<N extends Node = Node> {
  readonly kind: "linear";
  /** Value i of the map at 0. */
  offset(node: N, i: number): number;
  readonly plain: PlainLinear<N>;
  /** What only nodes with a matrix have. */
  readonly matrix: MatrixRules<N> | null;
  image(node: N, rowMatrix: Buffer | null, context: LinearContext): Promise<LinearImage>;
  /** The step over `columns` of the node (null: all) to `inputColumns` of its input, without what underflow may lose. */
  prepare(node: N, image: LinearImage, columns: Int32Array | null, context: LinearContext): Omit<Step, "underflow">;
  /** Half-steps of underflow that the step may lose per group, over all indices. */
  underflow(node: N, context: LinearContext): Float64Array;
  /** The node that carries p through this operator in the graph of the Jacobian (without ids), or null for the identity. */
  adjoint(node: N, inputSize: number): AdjointNode | null;
}

/** A linear operator whose output i depends on more than input i: what the pass and the walk ask of its matrix W. */
export interface MatrixRules<N extends Node> {
  /** Arrays that a run uploads once for all passes. */
  constants(node: N): readonly Float64Array[];
  /** How many entries W has (those that are 0 by chance included). */
  entries(node: N, inputSize: number): number;
  /** How the node's values lie, where neighbours share inputs. */
  grid(node: N): Grid | null;
  /** The inputs that some of the rows (null: all) have an entry in, ascending; null for all of them. */
  reached(node: N, rows: Int32Array | null): Int32Array | null;
  /** Dense matrices keep the demanded rows over the input's columns, row-major, for images and for rows that start there. */
  rowMatrix(node: N, context: LinearContext): Buffer | null;
  /** The rows over the input's columns, row-major and padded. */
  rows(node: N, indices: Int32Array, context: LinearContext): Buffer;
}

/** A node of the Jacobian graph before it has its place there. */
export type AdjointNode = DistributiveOmit<Node, "inputs">;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** The identity of a set of columns: 0, 1, …, size - 1. */
export function allColumns(size: number): Int32Array {
  const columns = new Int32Array(size);
  for (let i = 0; i < size; i++) columns[i] = i;
  return columns;
}

/** Packs one row a group: [groups][paddedLength(columns)] of the chosen columns. */
export function groupTable(rows: readonly Float64Array[], columns: Int32Array | null, padded: number): Float64Array {
  const table = new Float64Array(rows.length * padded);
  for (let g = 0; g < rows.length; g++) {
    const row = rows[g];
    const count = columns === null ? row.length : columns.length;
    for (let j = 0, at = g * padded; j < count; j++, at++) table[at] = columns === null ? row[j] : row[columns[j]];
  }
  return table;
}

/**
 * What a step charges its coefficients against: q, one row a group. In f32 it is weighed by the step's own roundings to f32
 * and the two of a slope above it (shared/README.md (21)).
 */
export function chargeTable(
  { precision }: Kernels,
  q: readonly Float64Array[],
  columns: Int32Array | null,
  padded: number,
  singleRoundings: number,
): Float64Array {
  const table = groupTable(q, columns, padded);
  if (precision === "f64") return table;
  const weight = singleWeight(2 + singleRoundings);
  for (let i = 0; i < table.length; i++) table[i] *= weight;
  return table;
}

/** Boxes as the kernels take them: [groups][2][paddedLength(width)]. */
export function boxTable(boxes: readonly Box[], columns: Int32Array | null, width: number): Float64Array {
  const ends: Float64Array[] = [];
  for (const { lower, upper } of boxes) ends.push(lower, upper);
  return groupTable(ends, columns, paddedLength(width));
}

/** Does the group ask for index i of the node? */
export function isAsked(demand: Demand | null, group: number, i: number): boolean {
  return demand === null || demand.groups[group][i] === 1;
}

/** Sum of the magnitudes of a box (for underflow: its rounding is covered by the caller). */
export function magnitudeSum({ lower, upper }: Box): number {
  let sum = 0;
  for (let i = 0; i < lower.length; i++) sum += Math.max(-lower[i], upper[i]);
  return sum;
}

/** Sum of the magnitudes of a box where `counts` says so (for underflow: its rounding is covered by the caller). */
export function sumOver(box: Box, counts: (i: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < box.lower.length; i++) {
    if (counts(i)) sum += Math.max(-box.lower[i], box.upper[i]);
  }
  return sum;
}
