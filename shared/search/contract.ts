import type { AffineNode, Graph, NodeId } from "../graph.ts";
import { rulesOf } from "../bounds/pass.ts";
import type { Box } from "../numeric/box.ts";
import { addDown, addUp, multiplyUp, nextDown } from "../numeric/rounding.ts";
import type { ElementwiseOperator, Phases } from "../operators/operator.ts";

/**
 * The part of a box that decided phases leave, as a box: every point of `box` that has the phases lies in it. Null where
 * that is proved empty.
 *
 * A phase of a neuron that reads one matrix over the input is a half-space or two, w . x + b >= from: then w_j x_j is at
 * least from - b - sum_{k != j} max(w_k x_k), an end for x_j. Sums go from both sides, so that nothing is taken off again;
 * everything is rounded so that the box grows. Phases further up say nothing here.
 */
export function contract(graph: Graph, box: Box, phases: ReadonlyMap<NodeId, Phases>): Box | null {
  let contracted: Box | null = null;
  for (const [activation, decided] of phases) {
    const node = graph.nodes[activation];
    const below = graph.nodes[node.inputs[0]];
    if (below.operator !== "affine" || below.inputs[0] !== 0) continue;
    const { piece } = rulesOf(node) as ElementwiseOperator;
    for (let i = 0; i < decided.length; i++) {
      if (decided[i] === 0) continue;
      contracted ??= { lower: box.lower.slice(), upper: box.upper.slice() };
      const [from, to] = piece?.(decided[i], node, i) ?? (decided[i] > 0 ? [0, Infinity] : [-Infinity, 0]);
      if (from > -Infinity && !cut(contracted, below, i, 1, from)) return null;
      if (to < Infinity && !cut(contracted, below, i, -1, -to)) return null;
    }
  }
  return contracted ?? box;
}

/** Cuts a box in place by sign (w_i . x + b_i) >= from; false where it is proved that nothing is left. */
function cut(
  { lower, upper }: Box,
  { weights, transposed, bias, size }: AffineNode,
  i: number,
  sign: 1 | -1,
  from: number,
) {
  const features = lower.length;
  const weight = (j: number) => sign * (transposed ? weights[j * size + i] : weights[i * features + j]);
  const most = Float64Array.from(lower, (l, j) => Math.max(multiplyUp(weight(j), l), multiplyUp(weight(j), upper[j])));
  const after = new Float64Array(features + 1);
  for (let j = features - 1; j >= 0; j--) after[j] = addUp(most[j], after[j + 1]);
  const needed = addDown(from, -sign * (bias?.[i] ?? 0));
  if (after[0] < needed) return false;
  let before = 0;
  for (let j = 0; j < features; j++) {
    const w = weight(j), least = addDown(needed, -addUp(before, after[j + 1]));
    before = addUp(before, most[j]);
    if (w === 0 || !(least > -Infinity)) continue;
    if (w > 0) lower[j] = Math.max(lower[j], nextDown(least / w));
    else upper[j] = Math.min(upper[j], -nextDown(least / -w));
    if (lower[j] > upper[j]) return false;
  }
  return true;
}
