import type { Node, NodeId } from "../graph.ts";
import { type Buffer, paddedLength } from "../kernels/kernels.ts";
import { magnitudes } from "../numeric/box.ts";
import { rowSumRoundings, underflowOf } from "../numeric/rounding.ts";
import { boxTable, groupTable, type LinearOperator, type Step } from "../operators/operator.ts";
import { isMixing, isOpen, type Pass, rulesOf } from "./pass.ts";
import { stepAt } from "./steps.ts";

/** A walk laid out before it runs: coefficients move from place to place until all are at the end. */
export interface Path {
  /** Unit rows at a matrix are its own rows: nothing to multiply. Null where rows start as coefficients over the values. */
  readonly rows: RowSource | null;
  readonly start: number;
  readonly startWidth: number;
  readonly moves: readonly Move[];
  /** The place of the box (node ids serve as places). */
  readonly end: number;
  readonly box: Buffer;
  readonly boxWidth: number;
  /** The longest padded row on the way. */
  readonly widest: number;
  /** Roundings on the path of any term (shared/README.md (10)). */
  readonly roundings: number;
  /** What underflow may cost a row, per group. */
  readonly underflow: Float64Array;
}

/** All coefficients at a place take a step and go on to one place, or to two where branches met. */
export interface Move {
  readonly from: number;
  readonly step: Step;
  readonly to: readonly Arrival[];
}

export interface Arrival {
  readonly place: number;
  readonly sign: 1 | -1;
  /** Null for the first to arrive; else |value| of the place, [groups][columns], that this addition is charged against. */
  readonly charge: Buffer | null;
}

/** Where unit rows at a matrix node begin: value i = row `position(i)` of the matrix over the start's columns + constant. */
export interface RowSource {
  readonly matrix: Buffer;
  position(i: number): number;
  constant(i: number): number;
  /** What is charged for the row itself in a group. */
  magnitude(group: number, i: number): number;
}

/** From a node down to the input, or to the node `floor` above it. */
export function pathBelow(pass: Pass, target: NodeId, layout: "unit" | "dense", floor: NodeId): Path {
  const { nodes } = pass.graph;
  const rows = layout === "unit" && isMixing(nodes[target]) ? rowsAt(pass, target) : null;
  const start = rows ? nodes[target].inputs[0] : target;
  const arrived = new Map<NodeId, Buffer | null>([[start, null]]);
  const moves: Move[] = [];
  const startWidth = widthAt(pass, start);
  let widest = paddedLength(startWidth);
  // Consumers have larger ids: going down, a node is reached after all that send it coefficients.
  for (let id = start; id > floor; id--) {
    if (!arrived.has(id)) continue;
    const step = stepAt(pass, id);
    const to = nodes[id].inputs.map((place, k) => arrive(pass, arrived, place, signOf(nodes[id], k)));
    moves.push({ from: id, step, to });
    if (step.product) widest = Math.max(widest, paddedLength(step.product.n));
  }
  const columns = isOpen(pass, floor) ? null : pass.states[floor].columns;
  const boxWidth = columns?.length ?? nodes[floor].size;
  const box = pass.run.kernels.upload(boxTable(pass.states[floor].boxes, columns, boxWidth));
  const account = accountOf(pass, target, floor, moves.map(({ step }) => step));
  return { rows, start, startWidth, moves, end: floor, box, boxWidth, widest, ...account };
}

function arrive(pass: Pass, arrived: Map<NodeId, Buffer | null>, place: NodeId, sign: 1 | -1): Arrival {
  if (!arrived.has(place)) {
    arrived.set(place, null);
    return { place, sign, charge: null };
  }
  const charge = arrived.get(place) ?? magnitudesAt(pass, place);
  arrived.set(place, charge);
  return { place, sign, charge };
}

function signOf(node: Node, input: number): 1 | -1 {
  return node.operator === "add" ? node.signs[input] : 1;
}

/** |value| of the node's columns. */
function magnitudesAt(pass: Pass, id: NodeId): Buffer {
  const { boxes, columns } = pass.states[id];
  const kept = isOpen(pass, id) ? null : columns;
  const width = kept?.length ?? pass.graph.nodes[id].size;
  return pass.run.kernels.upload(groupTable(boxes.map(magnitudes), kept, paddedLength(width)));
}

/** Steps one after the other as moves from place to place: no branches. */
export function chainOf(steps: readonly Step[]): Pick<Path, "start" | "moves" | "end"> {
  const moves = steps.map((step, at): Move => {
    const from = steps.length - at;
    return { from, step, to: [{ place: from - 1, sign: 1, charge: null }] };
  });
  return { start: steps.length, moves, end: 0 };
}

function widthAt(pass: Pass, id: NodeId): number {
  const columns = isOpen(pass, id) ? null : pass.states[id].columns;
  return columns?.length ?? pass.graph.nodes[id].size;
}

function rowsAt(pass: Pass, target: NodeId): RowSource {
  const node = pass.graph.nodes[target];
  const { rowMatrix, image, demand } = pass.states[target];
  const rules = rulesOf(node) as LinearOperator;
  return {
    matrix: rowMatrix!,
    position: positionIn(demand?.indices ?? null),
    constant: (i) => rules.offset(node, i),
    magnitude: (group, i) => image!.q[group][i],
  };
}

/** Where index i stands in a list of indices (null: all of them). */
export function positionIn(indices: Int32Array | null): (i: number) => number {
  if (indices === null) return (i) => i;
  const position = new Map<number, number>();
  indices.forEach((i, at) => position.set(i, at));
  return (i) => position.get(i)!;
}

/** The worst step for coefficients, all joins for constants, counted over all indices whether they are dropped or not. */
function accountOf(
  pass: Pass,
  target: NodeId,
  floor: NodeId,
  steps: readonly Step[],
): Pick<Path, "roundings" | "underflow"> {
  const { nodes } = pass.graph;
  let coefficient = 1;
  let longest = 0;
  for (let id = floor; id <= target; id++) longest = Math.max(longest, nodes[id].size);
  for (const step of steps) coefficient = Math.max(coefficient, step.coefficientRoundings);
  return {
    roundings: coefficient + 1 + rowSumRoundings(longest) + 4 * steps.length + 4,
    underflow: underflowBelow(pass.groups.length, steps, nodes[floor].size),
  };
}

/** Half-steps that the steps and the meeting with the box may lose, as a number per group (shared/README.md (4)). */
export function underflowBelow(groups: number, steps: readonly Step[], boxSize: number): Float64Array {
  const counts = new Float64Array(groups).fill(2 * boxSize + 8);
  for (const step of steps) step.underflow.forEach((count, g) => counts[g] += count);
  return counts.map(underflowOf);
}
