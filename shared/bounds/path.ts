import type { NodeId } from "../graph.ts";
import { type Buffer, paddedLength } from "../kernels/kernels.ts";
import { rowSumRoundings, underflowOf } from "../numeric/rounding.ts";
import { boxTable, type LinearOperator, type Step } from "../operators/operator.ts";
import { isMixing, type Pass, rulesOf } from "./pass.ts";
import { stepAt } from "./steps.ts";

/** A walk laid out before it runs. */
export interface Path {
  /** Unit rows at a matrix are its own rows: nothing to multiply. Null where rows start as coefficients over the values. */
  readonly rows: RowSource | null;
  readonly startWidth: number;
  readonly steps: readonly Step[];
  readonly box: Buffer;
  readonly boxWidth: number;
  /** The longest padded row on the way. */
  readonly widest: number;
  /** Roundings on the path of any term (shared/README.md (10)). */
  readonly roundings: number;
  /** What underflow may cost a row, per group. */
  readonly underflow: Float64Array;
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
  const steps: Step[] = [];
  let id = rows ? nodes[target].inputs[0] : target;
  const startWidth = widthAt(pass, id);
  let widest = paddedLength(startWidth);
  for (; id > floor; id = nodes[id].inputs[0]) {
    const step = stepAt(pass, id);
    steps.push(step);
    if (step.product) widest = Math.max(widest, paddedLength(step.product.n));
  }
  const columns = floor >= pass.openFrom ? null : pass.states[floor].columns;
  const boxWidth = columns?.length ?? nodes[floor].size;
  const box = pass.run.kernels.upload(boxTable(pass.states[floor].boxes, columns, boxWidth));
  return { rows, startWidth, steps, box, boxWidth, widest, ...accountOf(pass, target, floor, steps) };
}

function widthAt(pass: Pass, id: NodeId): number {
  const columns = id >= pass.openFrom ? null : pass.states[id].columns;
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
  for (let id = target;; id = nodes[id].inputs[0]) {
    longest = Math.max(longest, nodes[id].size);
    if (id <= floor) break;
  }
  for (const step of steps) coefficient = Math.max(coefficient, step.coefficientRoundings);
  return {
    roundings: coefficient + 1 + rowSumRoundings(longest) + 2 * steps.length + 4,
    underflow: underflowBelow(pass.groups.length, steps, nodes[floor].size),
  };
}

/** Half-steps that the steps and the meeting with the box may lose, as a number per group (shared/README.md (4)). */
export function underflowBelow(groups: number, steps: readonly Step[], boxSize: number): Float64Array {
  const counts = new Float64Array(groups).fill(2 * boxSize + 8);
  for (const step of steps) step.underflow.forEach((count, g) => counts[g] += count);
  return counts.map(underflowOf);
}
