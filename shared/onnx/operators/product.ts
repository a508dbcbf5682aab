/** Gemm and MatMul with a constant matrix: one dense affine node. */
import type { NodeId } from "../../graph.ts";
import { exactly, exactProduct } from "../exact.ts";
import { isInjective, pick } from "../forward_nodes.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { broadcast, broadcastIndices, checkedCount, count, type Shape, strides, walk } from "../shapes.ts";
import { floatsOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { FloatTensor, Value, View } from "../value.ts";

/** out[o] = sum over k < depth of left[leftStart[o] + k leftStep] right[rightStart[o] + k rightStep]. */
interface Contraction {
  readonly outputs: number;
  readonly depth: number;
  readonly left: { readonly starts: Int32Array; readonly step: number };
  readonly right: { readonly starts: Int32Array; readonly step: number };
}

export const matMul: Translator = {
  operator: "MatMul",
  notes: "one side constant; any rank, expanded to a dense matrix",
  attributes: [],
  inputs: [2, 2],
  translate(node) {
    const { place } = node;
    const a = required(node, 0);
    const b = required(node, 1);
    if (a.shape.length === 0 || b.shape.length === 0) {
      throw shapeProblem(place, "MatMul of a scalar", "rank 1 or more", 0);
    }
    // A vector is a row on the left, a column on the right; that dimension is dropped again below.
    const left = a.shape.length === 1 ? [1, ...a.shape] : [...a.shape];
    const right = b.shape.length === 1 ? [...b.shape, 1] : [...b.shape];
    const rows = left[left.length - 2], depth = left[left.length - 1], columns = right[right.length - 1];
    const lead = broadcast(left.slice(0, -2), right.slice(0, -2));
    if (lead === null || right[right.length - 2] !== depth) {
      throw shapeProblem(place, `shapes [${a.shape}] and [${b.shape}] do not multiply`, a.shape, b.shape);
    }
    const full = [...lead, rows, columns];
    node.forward.spend(2 * checkedCount(full, place), place);
    const id = dense(node, a, b, {
      outputs: count(full),
      depth,
      left: { starts: matrixStarts(left, lead, full, true), step: 1 },
      right: { starts: matrixStarts(right, lead, full, false), step: columns },
    });
    const shape = full.filter((_, axis) =>
      !(axis === lead.length && a.shape.length === 1) && !(axis === lead.length + 1 && b.shape.length === 1)
    );
    return [{ kind: "view", type: viewOf(a, b, node).type, shape, node: id, map: null }];
  },
};

/** For every output element, where the row (left) or the column (right) it needs begins. */
function matrixStarts(shape: Shape, lead: Shape, full: Shape, isLeft: boolean): Int32Array {
  const own = strides(shape);
  const offset = lead.length - (shape.length - 2);
  const steps = lead.map((_, axis) => axis < offset || shape[axis - offset] === 1 ? 0 : own[axis - offset]);
  const last = shape.length - 1;
  return walk(full, isLeft ? [...steps, own[last - 1], 0] : [...steps, 0, own[last]]);
}

export const gemm: Translator = {
  operator: "Gemm",
  notes: "A or B constant, C constant or absent; alpha, beta, transA, transB",
  attributes: ["alpha", "beta", "transA", "transB"],
  inputs: [2, 3],
  translate(node) {
    const { place, attributes, forward } = node;
    const a = required(node, 0);
    const b = required(node, 1);
    if (a.shape.length !== 2 || b.shape.length !== 2) {
      throw shapeProblem(place, "Gemm needs two matrices", [2, 2], [a.shape.length, b.shape.length]);
    }
    const transA = attributes.integer("transA", 0) !== 0;
    const transB = attributes.integer("transB", 0) !== 0;
    const [rows, depth] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const [depthB, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
    if (depth !== depthB) {
      throw shapeProblem(place, `shapes [${a.shape}] and [${b.shape}] do not multiply`, a.shape, b.shape);
    }
    const full = [rows, columns];
    forward.spend(2 * checkedCount(full, place), place);
    const { type } = viewOf(a, b, node);
    let id = dense(node, a, b, {
      outputs: count(full),
      depth,
      left: { starts: walk(full, [transA ? 1 : depth, 0]), step: transA ? rows : 1 },
      right: { starts: walk(full, [0, transB ? depth : 1]), step: transB ? 1 : columns },
    });
    const size = count(full);
    const name = String(place.node);
    const alpha = attributes.float("alpha", 1);
    if (alpha !== 1) {
      // A node of its own; it is merged into the matrix later where no product rounds.
      const factors = new Float64Array(size).fill(alpha);
      id = forward.add({ operator: "scale", inputs: [id], size, name, factors, inverse: false });
    }
    const offsets = gemmOffsets(node, type, full);
    if (offsets !== null) id = forward.add({ operator: "shift", inputs: [id], size, name, offsets });
    return [{ kind: "view", type, shape: full, node: id, map: null }];
  },
};

/** beta C for every output element, or null. */
function gemmOffsets(node: OnnxNode, type: string, full: Shape): Float64Array | null {
  const { place, attributes, forward } = node;
  const c = optional(node, 2);
  const beta = attributes.float("beta", 1);
  if (c === null || beta === 0) return null;
  const constant = floatsOf(c, type, "C", place);
  const shape = broadcast(constant.shape, full);
  if (shape === null || shape.length !== 2 || shape[0] !== full[0] || shape[1] !== full[1]) {
    throw shapeProblem(place, `C of shape [${constant.shape}] does not broadcast to [${full}]`, full, constant.shape);
  }
  forward.spend(2 * count(full), place);
  const spread = pick(constant.elements, broadcastIndices(constant.shape, full));
  const offsets = exactly(spread.length, (i) => exactProduct(beta, spread[i]));
  if (offsets === null) throw problemAt(place, "beta times C cannot be folded without rounding");
  return offsets;
}

/** The operand that depends on the input. */
function viewOf(a: Value, b: Value, { place }: OnnxNode): View {
  if (a.kind === "view" && b.kind === "view") {
    throw problemAt(place, "a product of two tensors that both depend on the input is not supported");
  }
  if (a.kind === "view") return a;
  if (b.kind === "view") return b;
  throw problemAt(place, "a product of two constants is not folded, as it would round");
}

/** The affine node of a contraction; columns go where the view's map says. */
function dense(node: OnnxNode, a: Value, b: Value, contraction: Contraction): NodeId {
  const { place, forward } = node;
  let view = viewOf(a, b, node);
  const constant: FloatTensor = floatsOf(a === view ? b : a, view.type, "the matrix", place);
  // Twice the same value in one row would make a sum of weights, which may round.
  if (view.map !== null && !isInjective(view.map, forward.nodes[view.node].size)) {
    view = forward.materialize(view, place);
  }
  const size = forward.nodes[view.node].size;
  const { outputs, depth } = contraction;
  const [variable, fixed] = a.kind === "view"
    ? [contraction.left, contraction.right]
    : [contraction.right, contraction.left];
  let weights = constant.elements;
  if (!isRowMajor(variable, fixed, outputs, depth, size, view.map)) {
    forward.spend(outputs * size, place);
    weights = new Float64Array(outputs * size);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < depth; k++) {
        const position = variable.starts[o] + k * variable.step;
        const column = view.map === null ? position : view.map[position];
        weights[o * size + column] = constant.elements[fixed.starts[o] + k * fixed.step];
      }
    }
  }
  return forward.add({
    operator: "affine",
    inputs: [view.node],
    size: outputs,
    name: String(place.node),
    weights,
    bias: null,
  });
}

type Side = Contraction["left"];

/** Whether the constant already is the matrix [outputs, size] row by row, as with Gemm's transB on a batch of 1. */
function isRowMajor(
  variable: Side,
  fixed: Side,
  outputs: number,
  depth: number,
  size: number,
  map: Int32Array | null,
): boolean {
  if (map !== null || depth !== size || (size > 1 && (variable.step !== 1 || fixed.step !== 1))) return false;
  for (let o = 0; o < outputs; o++) if (variable.starts[o] !== 0 || fixed.starts[o] !== o * size) return false;
  return true;
}
