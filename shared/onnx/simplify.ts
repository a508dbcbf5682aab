/**
 * Merges neighbouring nodes of a chain where no number rounds, so that the network stays the same function over the
 * reals; where one would, the nodes stay apart and each carries its own rounding.
 *
 * Why not fold x / std into the first matrix in any case? Its entries would round, and the certificate would be about
 * another network.
 */
import type { AffineNode, Graph, Node, ScaleNode, ShiftNode } from "../graph.ts";
import { exactly, exactProduct, exactQuotient, exactSum } from "./exact.ts";

/** The chain with neighbours merged; it keeps at least one node beside the input. */
export function simplify(graph: Graph): Graph {
  const [input, ...rest] = graph.nodes;
  const chain: Node[] = [];
  for (const node of rest) {
    let current = node;
    for (let previous = chain.at(-1); previous !== undefined; previous = chain.at(-1)) {
      const merged = merge(previous, current);
      if (merged === null) break;
      chain.pop();
      current = merged;
    }
    if (!isNeutral(current)) chain.push(withoutZeroBias(current));
  }
  if (chain.length === 0) chain.push(unchanged(input));
  return { nodes: [input, ...chain.map((node, index): Node => ({ ...node, inputs: [index] }))] };
}

/** y = x, as a node of its own. */
function unchanged(input: Node): ScaleNode {
  const factors = new Float64Array(input.size).fill(1);
  return { operator: "scale", inputs: [0], size: input.size, name: input.name, factors, inverse: false };
}

function isNeutral(node: Node): boolean {
  if (node.operator === "scale") return node.factors.every((factor) => factor === 1);
  return node.operator === "shift" && node.offsets.every((offset) => offset === 0);
}

function withoutZeroBias(node: Node): Node {
  if (node.operator !== "affine" || node.bias === null || node.bias.some((entry) => entry !== 0)) return node;
  return { ...node, bias: null };
}

/** One node for `second` after `first`, or null. */
function merge(first: Node, second: Node): Node | null {
  if (first.operator === "affine" && second.operator === "shift") return addBias(first, second);
  if (first.operator === "affine" && second.operator === "scale") return scaleRows(first, second);
  if (first.operator === "scale" && second.operator === "affine") return scaleColumns(first, second);
  if (first.operator === "shift" && second.operator === "shift") {
    const offsets = exactly(first.size, (i) => plainSum(first.offsets[i], second.offsets[i]));
    return offsets === null ? null : { ...second, offsets };
  }
  if (first.operator === "scale" && second.operator === "scale") return scaleTwice(first, second);
  return null;
}

function addBias(affine: AffineNode, shift: ShiftNode): AffineNode | null {
  const { bias } = affine;
  if (bias === null) return { ...affine, bias: shift.offsets };
  const sum = exactly(affine.size, (i) => plainSum(bias[i], shift.offsets[i]));
  return sum === null ? null : { ...affine, bias: sum };
}

/**
 * x + y, if exact and without cancellation: a runtime adds the two one after the other, and what it may lose there must
 * still be seen in the sum (the cross-check's tolerance is eight times its magnitude).
 */
function plainSum(x: number, y: number): number | null {
  const sum = exactSum(x, y);
  return sum !== null && 4 * Math.abs(sum) >= Math.max(Math.abs(x), Math.abs(y)) ? sum : null;
}

/** x scaled as the node does it, if exact. */
function scaled(x: number, scale: ScaleNode, index: number): number | null {
  return scale.inverse ? exactQuotient(x, scale.factors[index]) : exactProduct(x, scale.factors[index]);
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
