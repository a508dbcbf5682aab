import type { Graph, Grid, Node, NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { isMixing, type Pass, rulesOf } from "./pass.ts";
import { bestSide } from "./plan.ts";

/** Rows to bound from below: of the values of one node, each over the domain of its group. */
export interface RowSet {
  /** Group of each row, ascending. */
  readonly groups: Int32Array;
  readonly start: UnitRows | DenseRows;
}

/** Row r is signs[r] times value indices[r]: -1 turns its upper bound into a lower one. */
export interface UnitRows {
  readonly layout: "unit";
  readonly indices: Int32Array;
  readonly signs: Int32Array;
}

/** Row r is the combination of all values with coefficients [rows, size]. */
export interface DenseRows {
  readonly layout: "dense";
  readonly coefficients: Float64Array;
}

/** Some rows of a set, in its order. */
export function partOf({ groups, start }: RowSet, rows: Int32Array): RowSet {
  if (start.layout !== "unit") throw new RangeError("Cannot part rows that are combinations of all values");
  const { indices, signs } = start;
  return {
    groups: rows.map((r) => groups[r]),
    start: { layout: "unit", indices: rows.map((r) => indices[r]), signs: rows.map((r) => signs[r]) },
  };
}

/** Rows that are walked together: those of neighbouring values of a feature map share most of what they reach. */
export interface RowTile {
  /** The values they are of, ascending; null for all. */
  readonly indices: Int32Array | null;
  /** Numbers of the rows in their set, ascending; null for all. */
  readonly rows: Int32Array | null;
}

const ALL: RowTile = { indices: null, rows: null };

/** The sides that tiles may have; a larger one is the whole feature map. */
const SIDES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/** The sides to choose from on a feature map, ascending; the last is all of it. */
export function sidesOf({ height, width }: Grid): number[] {
  const largest = Math.max(height, width);
  return [...SIDES.filter((side) => side < largest), largest];
}

/**
 * Parts unit rows over a feature map into square tiles of neighbouring positions: a tile's window is larger than that of
 * each of its rows, but its rows share what laying it out costs. Everything else is one tile.
 */
export function tilesOfRows(
  pass: Pass,
  target: NodeId,
  { start }: RowSet,
  floor: NodeId,
  condensed: boolean,
): readonly RowTile[] {
  const grid = start.layout === "unit" ? gridAt(pass.graph, target) : null;
  if (start.layout !== "unit" || grid === null) return [ALL];
  const { indices } = start;
  const sides = sidesOf(grid);
  const fullest = (side: number) => {
    const { tileOf: of, counts } = countTiles(indices, grid, side);
    const full = counts.indexOf(Math.max(...counts));
    const tiles = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    return { tiles, indices: distinct(indices.filter((_, row) => of[row] === full)), rows: counts[full] };
  };
  const side = bestSide(pass, target, floor, condensed, sides, fullest, indices.length);
  if (side >= Math.max(grid.height, grid.width)) return [tileOf(indices, null)];
  return bucketsOf(indices, grid, side).map((rows) => tileOf(indices, rows));
}

/** The tile of each row, and how many rows each tile has. */
function countTiles(indices: Int32Array, { height, width }: Grid, side: number) {
  const across = Math.ceil(width / side), area = height * width;
  const counts = new Array<number>(across * Math.ceil(height / side)).fill(0);
  const tileOf = new Int32Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const position = indices[row] % area;
    const x = position % width;
    tileOf[row] = Math.floor((position - x) / width / side) * across + Math.floor(x / side);
    counts[tileOf[row]]++;
  }
  return { tileOf, counts };
}

/** Numbers of the rows in each tile that has any. */
function bucketsOf(indices: Int32Array, grid: Grid, side: number): Int32Array[] {
  const { tileOf, counts } = countTiles(indices, grid, side);
  const buckets = counts.map((count) => new Int32Array(count));
  const next = counts.map(() => 0);
  for (let row = 0; row < indices.length; row++) buckets[tileOf[row]][next[tileOf[row]]++] = row;
  return buckets.filter(({ length }) => length > 0);
}

/** The values that unit rows are of, ascending. */
export function indicesOf({ start }: RowSet): Int32Array {
  if (start.layout !== "unit") throw new RangeError("Cannot list the values of rows that are combinations of all");
  return distinct(start.indices);
}

function tileOf(indices: Int32Array, rows: Int32Array | null): RowTile {
  return { indices: distinct(rows === null ? indices : rows.map((row) => indices[row])), rows };
}

/** Each value once, ascending. */
function distinct(values: Int32Array): Int32Array {
  const sorted = values.slice().sort();
  let count = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at === 0 || sorted[at] !== sorted[at - 1]) sorted[count++] = sorted[at];
  }
  return sorted.slice(0, count);
}

/** The feature map that the values of a node lie on, below the nodes that keep indices. */
export function gridAt({ nodes }: Graph, target: NodeId): Grid | null {
  let node: Node = nodes[target];
  while (node.inputs.length > 0 && !isMixing(node)) node = nodes[node.inputs[0]];
  if (node.inputs.length === 0) return null;
  return (rulesOf(node) as LinearOperator).matrix!.grid(node);
}
