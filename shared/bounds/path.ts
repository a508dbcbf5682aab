import type { Node, NodeId } from "../graph.ts";
import { type Buffer, type Indices, paddedLength, type Precision } from "../kernels/kernels.ts";
import { underflowOf } from "../numeric/rounding.ts";
import { allColumns, boxTable, groupTable, type LinearOperator, type Step } from "../operators/operator.ts";
import { isMixing, linearContext, type Pass, rulesOf } from "./pass.ts";
import { knownStep, magnitudesAt, stepAt, stepOver } from "./steps.ts";
import { type Roundings, walkRoundings } from "./roundings.ts";
import { type Support, supportsBelow } from "./support.ts";

/** A walk laid out before it runs: coefficients move from place to place until all are at the end. */
export interface Path {
  /** The node whose values the rows are of. */
  readonly target: NodeId;
  /** Unit rows at a matrix are its own rows: nothing to multiply. Null where rows start as coefficients over the values. */
  readonly rows: RowSource | null;
  readonly start: number;
  /** The start's indices that coefficients stand over (null: all). */
  readonly startColumns: Int32Array | null;
  readonly startWidth: number;
  readonly moves: readonly Move[];
  /** The place of the box (node ids serve as places). */
  readonly end: number;
  readonly box: Buffer;
  readonly boxWidth: number;
  /** The longest padded row on the way. */
  readonly widest: number;
  /** Roundings on the path of any term (shared/README.md (10), (21)). */
  readonly roundings: Roundings;
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
  /** Columns of the place, and where among them each arriving column goes (null: it brings them all, in order). */
  readonly width: number;
  readonly places: Indices | null;
  readonly isFirst: boolean;
  /** |value| of the place, [groups][columns], that an addition is charged against; null where nothing is added. */
  readonly charge: Buffer | null;
}

/** Where unit rows at a matrix node begin: value i = row `position(i)` of the matrix over the start's columns + constant. */
export interface RowSource {
  readonly matrix: Buffer;
  position(i: number): number;
  constant(group: number, i: number): number;
  /** What is charged for the row itself in a group. */
  magnitude(group: number, i: number): number;
}

/**
 * From some values of a node (null: all) down to the input, or to the node `floor` above it, over nothing but what they
 * reach: windows of feature maps that grow layer by layer.
 */
export function pathBelow(
  pass: Pass,
  target: NodeId,
  { layout, indices }: { readonly layout: "unit" | "dense"; readonly indices: Int32Array | null },
  floor: NodeId,
  supports: ReadonlyMap<NodeId, Support> = supportsBelow(pass, target, indices, floor),
): Path {
  const { nodes } = pass.graph;
  const fromRows = layout === "unit" && isMixing(nodes[target]);
  const start = fromRows ? nodes[target].inputs[0] : target;
  const rows = fromRows ? rowsAt(pass, target, supports.get(target)!, supports.get(start)!) : null;
  const arrived = new Map<NodeId, Buffer | null>([[start, null]]);
  const moves: Move[] = [];
  const startWidth = widthOf(pass, supports, start);
  let widest = paddedLength(startWidth);
  for (let id = start; id > floor; id--) {
    if (!arrived.has(id)) continue;
    const { inputs } = nodes[id];
    const own = supports.get(id)!, first = supports.get(inputs[0])!;
    const step = own.whole && first.whole && knownStep(pass, id) || stepOver(pass, id, own.columns, first.columns);
    const leaves = step.product ? first : own;
    const to = inputs.map((place, k) => arrive(pass, arrived, supports, leaves, place, signOf(nodes[id], k)));
    moves.push({ from: id, step, to });
    for (const { width } of to) widest = Math.max(widest, paddedLength(width));
  }
  const { columns } = supports.get(floor)!;
  const boxWidth = widthOf(pass, supports, floor);
  const box = pass.run.kernels.upload(boxTable(pass.states[floor].boxes, columns, boxWidth));
  const account = accountOf(pass, target, floor, moves.map(({ step }) => step));
  const { columns: startColumns } = supports.get(start)!;
  return { target, rows, start, startColumns, startWidth, moves, end: floor, box, boxWidth, widest, ...account };
}

/** Builds the steps that all rows, or most tiles of them, share: in the current scope, for the pass. */
export function keepSteps(pass: Pass, target: NodeId, supports: ReadonlyMap<NodeId, Support>, floor: NodeId): void {
  const { nodes } = pass.graph;
  for (const [id, { whole }] of supports) {
    if (id === floor || (id === target && isMixing(nodes[target]))) continue;
    if (whole && supports.get(nodes[id].inputs[0])!.whole) stepAt(pass, id);
  }
}

function arrive(
  pass: Pass,
  arrived: Map<NodeId, Buffer | null>,
  supports: ReadonlyMap<NodeId, Support>,
  leaves: Support,
  place: NodeId,
  sign: 1 | -1,
): Arrival {
  const { kernels } = pass.run;
  const support = supports.get(place)!;
  const width = widthOf(pass, supports, place);
  const isFirst = !arrived.has(place);
  const charge = isFirst ? null : arrived.get(place) ??
    kernels.upload(groupTable(magnitudesAt(pass, place), support.columns, paddedLength(width)));
  arrived.set(place, charge);
  const places = sameColumns(leaves, support) ? null : kernels.uploadIndices(placesAmong(leaves, support));
  return { place, sign, width, places, isFirst, charge };
}

function sameColumns(a: Support, b: Support): boolean {
  return a === b || a.columns === b.columns ||
    (a.columns !== null && b.columns !== null && a.columns.length === b.columns.length);
}

/** Where the columns of one support stand among those of another that holds them all. */
function placesAmong({ columns }: Support, within: Support): Int32Array {
  if (columns === null) throw new RangeError("Cannot place all columns among fewer");
  if (within.columns === null) return columns;
  const places = new Int32Array(columns.length);
  let at = 0;
  columns.forEach((column, j) => {
    while (within.columns![at] < column) at++;
    if (within.columns![at] !== column) throw new RangeError(`Cannot place column ${column}: it was left out below`);
    places[j] = at;
  });
  return places;
}

function signOf(node: Node, input: number): 1 | -1 {
  return node.operator === "add" ? node.signs[input] : 1;
}

/** Steps one after the other as moves from place to place: no branches. `widths` are those after each step. */
export function chainOf(steps: readonly Step[], widths: readonly number[]): Pick<Path, "start" | "moves" | "end"> {
  const moves = steps.map((step, at): Move => {
    const from = steps.length - at;
    return {
      from,
      step,
      to: [{ place: from - 1, sign: 1, width: widths[at], places: null, isFirst: true, charge: null }],
    };
  });
  return { start: steps.length, moves, end: 0 };
}

function widthOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>, id: NodeId): number {
  return supports.get(id)!.columns?.length ?? pass.graph.nodes[id].size;
}

function rowsAt(pass: Pass, target: NodeId, own: Support, input: Support): RowSource {
  const node = pass.graph.nodes[target];
  const { rowMatrix, image, demand } = pass.states[target];
  const rules = rulesOf(node) as LinearOperator;
  const common = {
    constant: (_group: number, i: number) => rules.offset(node, i),
    magnitude: (group: number, i: number) => image!.q[group][i],
  };
  if (rowMatrix && input.whole) return { ...common, matrix: rowMatrix, position: positionIn(demand?.indices ?? null) };
  const indices = own.columns ?? allColumns(node.size);
  const matrix = rules.matrix!.rows(node, indices, linearContext(pass, node, demand, input.columns));
  return { ...common, matrix, position: positionIn(own.columns) };
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
  const { precision } = pass.run.kernels;
  let longest = 0;
  for (let id = floor; id <= target; id++) longest = Math.max(longest, nodes[id].size);
  return {
    roundings: walkRoundings(precision, steps, longest),
    underflow: underflowBelow(pass.groups.length, steps, nodes[floor].size, precision),
  };
}

/** Half-steps that the steps and the meeting with the box may lose, as a number per group (shared/README.md (4)). */
export function underflowBelow(
  groups: number,
  steps: readonly Step[],
  boxSize: number,
  precision: Precision,
): Float64Array {
  const counts = new Float64Array(groups).fill(2 * boxSize + 8);
  for (const step of steps) step.underflow.forEach((count, g) => counts[g] += count);
  return counts.map((count) => underflowOf(count, precision));
}
