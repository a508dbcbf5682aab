import type { Node, NodeId } from "../graph.ts";
import type { Demand, DerivativeRange, Relaxation } from "../operators/operator.ts";
import { type Pass, rulesOf } from "./pass.ts";

/**
 * The indices of a complete, droppable component that still matter to some group (null: all).
 *
 * An index is dropped where some activation's lines are all zero in every group: the value above is 0 and so is every
 * coefficient below. A shift or a clip above may take 0 to another constant; a component with such a node drops nothing.
 * The union over the groups changes no bits: what a group does not need has slope, intercept and q of exactly 0 for it.
 */
export function columnsOf(pass: Pass, members: readonly NodeId[]): Int32Array | null {
  const { nodes } = pass.graph;
  const bending: Relaxation[][] = [];
  for (const id of members) {
    if (bending.length > 0 && movesZero(nodes[id])) return null;
    const relaxations = pass.states[id].relaxations;
    if (relaxations) bending.push(relaxations);
  }
  const { size } = nodes[members[0]];
  const { demand } = pass.states[members[0]];
  const columns: number[] = [];
  for (let i = 0; i < size; i++) {
    if (demand && !demand.groups.some((asked) => asked[i])) continue;
    if (bending.every((relaxations) => relaxations.some((lines) => bends(lines, i)))) columns.push(i);
  }
  return columns.length === size ? null : Int32Array.from(columns);
}

/** Is the value of a node at 0 anything but 0? */
function movesZero(node: Node): boolean {
  const rules = rulesOf(node);
  if (rules === null) return false;
  const value = (i: number) => rules.kind === "linear" ? rules.offset(node, i) : rules.plain?.value(node, i, 0) ?? 0;
  for (let i = 0; i < node.size; i++) if (value(i) !== 0) return true;
  return false;
}

export function bends(lines: Relaxation, i: number): boolean {
  return lines.lowerSlope[i] !== 0 || lines.upperSlope[i] !== 0 || lines.lowerIntercept[i] !== 0 ||
    lines.upperIntercept[i] !== 0;
}

/**
 * The rows of a matrix node that anything above asks for, known before they are bounded (null: all): where the factor d
 * of the product above is 0, p is not needed.
 */
export function demandOf(pass: Pass, matrix: NodeId): Demand | null {
  const { nodes } = pass.graph;
  const component = pass.components.of[matrix];
  if (!pass.components.droppable[component]) return null;
  for (const id of pass.components.members[component]) {
    if (id !== matrix && movesZero(nodes[id])) return null;
    if (nodes[id].operator !== "derivative_product") continue;
    const groups = pass.groups.map(({ ranges }) => notZero(ranges!.get(id)!));
    const indices: number[] = [];
    for (let i = 0; i < nodes[id].size; i++) if (groups.some((asked) => asked[i])) indices.push(i);
    const all = groups.every((asked) => asked.every((one) => one === 1));
    return all ? null : { indices: Int32Array.from(indices), groups };
  }
  return null;
}

function notZero({ lower, upper }: DerivativeRange): Uint8Array {
  const asked = new Uint8Array(lower.length);
  for (let i = 0; i < asked.length; i++) asked[i] = lower[i] !== 0 || upper[i] !== 0 ? 1 : 0;
  return asked;
}
