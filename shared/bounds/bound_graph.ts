import type { Graph, Node, NodeId } from "../graph.ts";
import { type Box, copyBox, tighten } from "../numeric/box.ts";
import type { ElementwiseOperator, LinearOperator } from "../operators/operator.ts";
import { columnsOf, demandOf } from "./columns.ts";
import { componentsOf } from "./components.ts";
import {
  type BoundOptions,
  elementwiseContext,
  type Group,
  isMixing,
  linearContext,
  type NodeState,
  type Pass,
  rulesOf,
  type Run,
} from "./pass.ts";
import type { RowSet } from "./rows.ts";
import { lowerBounds, walkRows } from "./walk.ts";

/**
 * Bounds every node of a graph over every group, in topological order.
 *
 * Interval images first; with `refine: "linear"` each activation's inputs that intervals leave undetermined are bounded
 * again by walking their rows to the input, and every bound is the intersection of all at hand. The same function bounds
 * the network (preactivation bounds) and the graph of its Jacobian.
 *
 * The pass it returns keeps buffers in the kernels' current scope: call it, and walk further rows on it, inside one.
 * Rounding: every box encloses the real values. Throws: `RangeError` for crossed bounds in a group without phases.
 * Source: shared/README.md (3) to (10)
 */
export async function boundGraph(
  graph: Graph,
  groups: readonly Group[],
  options: BoundOptions,
  run: Run,
): Promise<Pass> {
  const empty = new Uint8Array(groups.length);
  const components = componentsOf(graph);
  const pass: Pass = { graph, groups, options, run, states: [], components, empty };
  for (let id = 0; id < graph.nodes.length; id++) {
    run.signal?.throwIfAborted();
    pass.states.push(await boundNode(pass, id));
    completeComponent(pass, id);
  }
  return pass;
}

async function boundNode(pass: Pass, id: NodeId): Promise<NodeState> {
  const node = pass.graph.nodes[id];
  const rules = rulesOf(node);
  if (rules === null) return stateOf(pass.groups.map(({ box }) => copyBox(box)));
  if (rules.kind === "linear") return await boundLinear(pass, id, node, rules);
  return await boundElementwise(pass, id, node, rules);
}

function stateOf(boxes: Box[], parts: Partial<NodeState> = {}): NodeState {
  return {
    boxes,
    relaxations: null,
    image: null,
    demand: null,
    columns: null,
    closedStep: null,
    openStep: null,
    underflow: null,
    magnitudes: null,
    rowMatrix: null,
    ...parts,
  };
}

async function boundLinear(pass: Pass, id: NodeId, node: Node, rules: LinearOperator): Promise<NodeState> {
  const demand = rules.matrix ? demandOf(pass, id) : pass.states[node.inputs[0]].demand;
  const context = linearContext(pass, node, demand);
  const rowMatrix = rules.matrix?.rowMatrix(node, context) ?? null;
  const image = await rules.image(node, rowMatrix, context);
  intersectInherited(pass, id, image.boxes);
  return stateOf(image.boxes, { image, demand, rowMatrix });
}

/** After its last node a droppable component keeps only the indices that matter. */
function completeComponent(pass: Pass, id: NodeId): void {
  const component = pass.components.of[id];
  const members = pass.components.members[component];
  if (!pass.components.droppable[component] || members.at(-1) !== id) return;
  const columns = columnsOf(pass, members);
  for (const member of members) pass.states[member].columns = columns;
}

async function boundElementwise(
  pass: Pass,
  id: NodeId,
  node: Node,
  rules: ElementwiseOperator,
): Promise<NodeState> {
  const below = node.inputs[0];
  const input = pass.states[below];
  applyPhases(pass, id, rules, input.boxes);
  if (pass.options.refine === "linear" && !intervalIsExact(pass, below)) {
    const contexts = pass.groups.map((_, g) => elementwiseContext(pass, id, g));
    await determine(pass, below, (g, i) => rules.undetermined(input.boxes[g], contexts[g], i));
    applyPhases(pass, id, rules, input.boxes);
  }
  const contexts = pass.groups.map((_, g) => elementwiseContext(pass, id, g));
  const relaxations = input.boxes.map((box, g) => rules.relax(box, contexts[g]));
  const boxes = input.boxes.map((box, g) => rules.image(box, contexts[g]));
  intersectInherited(pass, id, boxes);
  return stateOf(boxes, { relaxations, demand: input.demand });
}

/**
 * Walks rows for the values that are not determined: the end nearer to 0 first, and the other only where the first leaves
 * the value undetermined, which is mostly not the case.
 */
async function determine(
  pass: Pass,
  target: NodeId,
  isUndetermined: (group: number, index: number) => boolean,
): Promise<void> {
  const { boxes } = pass.states[target];
  const first: Row[] = [];
  boxes.forEach(({ lower, upper }, group) => {
    for (let index = 0; index < lower.length; index++) {
      if (isUndetermined(group, index)) first.push({ group, index, sign: upper[index] >= -lower[index] ? 1 : -1 });
    }
  });
  if (first.length === 0) return;
  await walkRows(pass, target, rowSetOf(first), 0, (bounds, numbers) => {
    const walked = numbers === null ? first : Array.from(numbers, (number) => first[number]);
    applyRows(pass, target, walked, bounds);
    const others = walked.filter(({ group, index }) => isUndetermined(group, index))
      .map(({ group, index, sign }): Row => ({ group, index, sign: sign === 1 ? -1 : 1 }));
    if (others.length === 0) return null;
    return { rows: rowSetOf(others), take: (found) => applyRows(pass, target, others, found) };
  });
}

/** A lower bound (sign 1) or an upper bound (-1) of a value in a group. */
interface Row {
  readonly group: number;
  readonly index: number;
  readonly sign: 1 | -1;
}

function rowSetOf(rows: readonly Row[]): RowSet {
  const groups = new Int32Array(rows.length),
    indices = new Int32Array(rows.length),
    signs = new Int32Array(rows.length);
  for (let r = 0; r < rows.length; r++) ({ group: groups[r], index: indices[r], sign: signs[r] } = rows[r]);
  return { groups, start: { layout: "unit", indices, signs } };
}

function applyRows(pass: Pass, target: NodeId, rows: readonly Row[], bounds: Float64Array): void {
  const { boxes } = pass.states[target];
  rows.forEach(({ group, index, sign }, r) => {
    if (sign === 1) tightenAt(pass, group, boxes, index, bounds[r], Infinity);
    else tightenAt(pass, group, boxes, index, -Infinity, -bounds[r]);
  });
}

/**
 * Intersects the boxes of a node with the linear bounds of the chosen indices (per group): two rows each.
 *
 * The node's component must be open.
 */
export async function refine(
  pass: Pass,
  target: NodeId,
  indices: readonly (readonly number[])[],
  floor: NodeId = 0,
): Promise<void> {
  const rows = indices.flatMap((list, group) =>
    list.flatMap((index): Row[] => [{ group, index, sign: 1 }, { group, index, sign: -1 }])
  );
  if (rows.length > 0) applyRows(pass, target, rows, await lowerBounds(pass, target, rowSetOf(rows), floor));
}

/** One matrix over the input box: the interval image is already the exact range (up to rounding), rows cannot improve it. */
function intervalIsExact(pass: Pass, target: NodeId): boolean {
  let matrices = 0;
  for (let id = target; id !== 0; id = pass.graph.nodes[id].inputs[0]) {
    if (pass.states[id].relaxations || pass.graph.nodes[id].inputs.length > 1) return false;
    if (isMixing(pass.graph.nodes[id])) matrices++;
  }
  return matrices <= 1;
}

function intersectInherited(pass: Pass, id: NodeId, boxes: readonly Box[]): void {
  pass.groups.forEach(({ inherited }, g) => {
    const known = inherited?.get(id);
    if (!known) return;
    for (let i = 0; i < known.lower.length; i++) tightenAt(pass, g, boxes, i, known.lower[i], known.upper[i]);
  });
}

function applyPhases(pass: Pass, activation: NodeId, rules: ElementwiseOperator, boxes: readonly Box[]): void {
  const node = pass.graph.nodes[activation];
  pass.groups.forEach(({ phases }, g) => {
    const decided = phases?.get(activation);
    if (!decided) return;
    for (let i = 0; i < decided.length; i++) {
      if (decided[i] === 0) continue;
      const [lower, upper] = rules.piece?.(decided[i], node, i) ?? (decided[i] > 0 ? [0, Infinity] : [-Infinity, 0]);
      tightenAt(pass, g, boxes, i, lower, upper);
    }
  });
}

function tightenAt(pass: Pass, g: number, boxes: readonly Box[], i: number, lower: number, upper: number): void {
  if (tighten(boxes[g], i, lower, upper)) return;
  if (!pass.groups[g].phases && !pass.groups[g].inherited) {
    throw new RangeError(`Cannot bound value ${i}: its bounds [${lower}, ${upper}] cross those already proved`);
  }
  pass.empty[g] = 1;
}
