import type { Graph, Grid, Node, NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { stencilOf, tilesOf } from "../operators/windows.ts";
import { isMixing, rulesOf } from "./pass.ts";
import { LAYOUT, LAYOUT_ROWS, rowWork } from "./plan.ts";
import { gridAt, sidesOf } from "./rows.ts";

/** What a question may cost, known before it runs: every neuron taken as undetermined and none left out. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

export function addCosts(a: Cost, b: Cost): Cost {
  return { flops: a.flops + b.flops, bytes: a.bytes + b.bytes };
}

/** Rows of the last node that are walked for each group: of single values, or combinations of all. */
export interface LastRows {
  readonly layout: "unit" | "dense";
  readonly count: number;
}

/** Cost of bounding a graph over `groups` groups at once, and of walking rows of its last node. */
export function costOfPass(graph: Graph, groups: number, refine: "interval" | "linear", lastRows: LastRows): Cost {
  let flops = 0;
  let matrices = 0;
  let values = 0;
  let widest = 0;
  graph.nodes.forEach((node) => {
    values += node.size;
    widest = Math.max(widest, node.size);
    if (isMixing(node)) {
      const entries = entriesOf(graph, node.inputs[0], node);
      flops += 6 * groups * entries;
      matrices += entries;
    }
    // One side first; at most as many rows follow on the paths that are laid out.
    if (refine === "linear" && rulesOf(node)?.kind === "elementwise") {
      flops += 2 * unitRowFlops(graph, node.inputs[0], groups * node.size);
    }
  });
  const last = graph.nodes.length - 1;
  if (lastRows.count > 0) {
    const walkFlops = lastRows.layout === "unit" ? unitRowFlops : denseRowFlops;
    flops += walkFlops(graph, last, groups * lastRows.count);
  }
  // Row matrix and two packings a matrix (or blocks with their zeros, and the rows that a tile starts from). A value and
  // group: on the host two boxes, lines or magnitudes (7 numbers), in the backend lines and charges (5). Rows under way.
  const walked = refine === "linear" || lastRows.count > 0 ? 3 : 1;
  return { flops, bytes: 8 * (matrices * walked + 12 * groups * values + 100 * widest) + 2 ** 20 };
}

function entriesOf(graph: Graph, input: NodeId, node: Node): number {
  return (rulesOf(node) as LinearOperator).matrix!.entries(node, graph.nodes[input].size);
}

function denseRowFlops(graph: Graph, target: NodeId, rows: number): number {
  return rows * rowFlops(graph, target, "dense", null);
}

/**
 * Flops of up to so many unit rows, whichever side their tiles get: `bestSide` chooses a larger one where there are fewer
 * rows, so each side is charged with the most rows that it is the cheapest for.
 */
function unitRowFlops(graph: Graph, target: NodeId, rows: number): number {
  const grid = gridAt(graph, target);
  if (grid === null) return rows * rowFlops(graph, target, "unit", null);
  let most = 0;
  for (const { side, until } of cheapestSides(plansOf(graph, target, grid, rows), rows)) {
    most = Math.max(most, until * rowFlops(graph, target, "unit", side));
  }
  return most;
}

/** What rows in tiles of a side cost by the plan: so much for all tiles, and so much a row. */
interface SidePlan {
  readonly side: number;
  readonly fixed: number;
  readonly row: number;
}

function plansOf(graph: Graph, target: NodeId, grid: Grid, rows: number): SidePlan[] {
  return sidesOf(grid).map((side) => {
    const row = remembered(graph, `plan ${target} ${side}`, () => plannedRow(graph, target, side));
    const tiles = Math.min(rows, Math.ceil(grid.height / side) * Math.ceil(grid.width / side));
    return { side, fixed: tiles * (LAYOUT + LAYOUT_ROWS * row), row };
  });
}

/** The sides that are cheapest for some number of rows up to `rows`, with the largest such number. */
function cheapestSides(plans: readonly SidePlan[], rows: number): { readonly side: number; readonly until: number }[] {
  const found: { side: number; until: number }[] = [];
  let left = rows;
  while (left > 0) {
    const cost = (plan: SidePlan) => plan.fixed + left * plan.row;
    const best = plans.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    found.push({ side: best.side, until: left });
    // Another side takes over where its line crosses: with less before the first row and more for each.
    const crossings = plans.filter((plan) => plan.row > best.row && plan.fixed < best.fixed)
      .map((plan) => (best.fixed - plan.fixed) / (plan.row - best.row));
    left = Math.max(0, ...crossings.filter((crossing) => crossing < left));
  }
  return found;
}

const known = new WeakMap<Graph, Map<string, number>>();

/** A number counted once for a graph. */
function remembered(graph: Graph, key: string, count: () => number): number {
  let numbers = known.get(graph);
  if (!numbers) known.set(graph, numbers = new Map());
  let number = numbers.get(key);
  if (number === undefined) numbers.set(key, number = count());
  return number;
}

/** Flops of a row in a tile in the middle of the feature map (side null: over all values), walked to the input. */
function rowFlops(graph: Graph, target: NodeId, layout: LastRows["layout"], side: number | null): number {
  return remembered(graph, `flops ${target} ${layout} ${side}`, () => {
    let flops = 0;
    forReached(graph, target, layout, side, (node, columns, below) => flops += nodeFlops(node, columns, below));
    return flops;
  });
}

function plannedRow(graph: Graph, target: NodeId, side: number): number {
  let work = 0;
  forReached(graph, target, "unit", side, (node, columns, below) => {
    work += rowWork(node, columns.length, below.length, 1);
  });
  return work;
}

/** Calls `take` for each node that coefficients pass: what they stand over there, and over its first input then. */
function forReached(
  graph: Graph,
  target: NodeId,
  layout: LastRows["layout"],
  side: number | null,
  take: (node: Node, columns: Int32Array, below: Int32Array) => void,
): void {
  const { nodes } = graph;
  const grid = side === null ? null : gridAt(graph, target);
  const marks = new Map<NodeId, Uint8Array>([[target, middleOf(nodes[target].size, grid, side ?? 0)]]);
  for (let id = target; id >= 0; id--) {
    const mark = marks.get(id);
    if (!mark) continue;
    const node = nodes[id], columns = marked(mark);
    for (const input of node.inputs) {
      const below = marks.get(input) ?? new Uint8Array(nodes[input].size);
      marks.set(input, below);
      const reached = isMixing(node) ? (rulesOf(node) as LinearOperator).matrix!.reached(node, columns) : columns;
      if (reached === null) below.fill(1);
      else for (const i of reached) below[i] = 1;
    }
    // Unit rows at a matrix are its own rows: nothing to multiply.
    if (id === target && layout === "unit" && isMixing(node)) continue;
    take(node, columns, id === 0 ? new Int32Array(0) : marked(marks.get(node.inputs[0])!));
  }
}

/** What the kernels compute of a row at a node: its product, lines, additions, charges, the meeting with the box. */
function nodeFlops(node: Node, columns: Int32Array, below: Int32Array): number {
  const own = COLUMN_FLOPS * columns.length;
  if (node.operator === "affine") return own + 2 * columns.length * below.length;
  if (node.operator !== "convolution") return own;
  const blocks = tilesOf(stencilOf(node), columns, below);
  return own + 2 * blocks.reduce((sum, { columns, outputs }) => sum + columns.length * outputs.length, 0);
}

/** The most that a column takes beside products: it is added (1 + 2) to two places, charged and loses its bias (4). */
const COLUMN_FLOPS = 11;

/** The values of a square in the middle of a feature map (null: all values), over all channels. */
function middleOf(size: number, grid: Grid | null, side: number): Uint8Array {
  if (grid === null) return new Uint8Array(size).fill(1);
  const mark = new Uint8Array(size);
  const area = grid.height * grid.width;
  const top = Math.max(0, Math.floor((grid.height - side) / 2)),
    left = Math.max(0, Math.floor((grid.width - side) / 2));
  for (let i = 0; i < size; i++) {
    const x = i % area % grid.width, y = (i % area - x) / grid.width;
    if (y >= top && y < top + side && x >= left && x < left + side) mark[i] = 1;
  }
  return mark;
}

function marked(mark: Uint8Array): Int32Array {
  const columns = new Int32Array(mark.length);
  let count = 0;
  for (let i = 0; i < mark.length; i++) if (mark[i] === 1) columns[count++] = i;
  return columns.subarray(0, count);
}
