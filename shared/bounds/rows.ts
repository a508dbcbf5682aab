import type { Grid, Node, NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { isMixing, type Pass, rulesOf } from "./pass.ts";

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

/** Rows of a tile and group that are enough to pay for laying out its path. */
const ROWS_PER_TILE = 128;

const ALL: RowTile = { indices: null, rows: null };

/**
 * Parts unit rows over a feature map into tiles of neighbouring positions, the smaller the more rows there are: a tile's
 * window is larger than that of each of its rows. With `shareGroups` groups share what a tile costs. Everything else is
 * one tile.
 */
export function tilesOfRows(
  pass: Pass,
  target: NodeId,
  { start }: RowSet,
  shareGroups: boolean,
): readonly RowTile[] {
  const grid = start.layout === "unit" ? gridAt(pass, target) : null;
  if (start.layout !== "unit" || grid === null) return [ALL];
  const area = grid.height * grid.width;
  const wanted = ROWS_PER_TILE * (shareGroups ? pass.groups.length : 1);
  const side = Math.ceil(Math.sqrt(wanted * area / Math.max(start.indices.length, 1)));
  if (side >= Math.max(grid.height, grid.width)) return [tileOf(start.indices, null)];
  const tiles = new Map<number, number[]>();
  start.indices.forEach((index, row) => {
    const position = index % area;
    const x = position % grid.width;
    const key = Math.floor((position - x) / grid.width / side) * grid.width + Math.floor(x / side);
    const tile = tiles.get(key);
    if (tile) tile.push(row);
    else tiles.set(key, [row]);
  });
  return Array.from(tiles.values(), (rows) => tileOf(start.indices, Int32Array.from(rows)));
}

/** The values that unit rows are of, ascending. */
export function indicesOf({ start }: RowSet): Int32Array {
  if (start.layout !== "unit") throw new RangeError("Cannot list the values of rows that are combinations of all");
  return Int32Array.from(new Set(start.indices)).sort();
}

function tileOf(indices: Int32Array, rows: Int32Array | null): RowTile {
  const values = rows === null ? indices : rows.map((row) => indices[row]);
  return { indices: Int32Array.from(new Set(values)).sort(), rows };
}

/** The feature map that the values of a node lie on, below the nodes that keep indices. */
function gridAt(pass: Pass, target: NodeId): Grid | null {
  let node: Node = pass.graph.nodes[target];
  while (node.inputs.length > 0 && !isMixing(node)) node = pass.graph.nodes[node.inputs[0]];
  if (node.inputs.length === 0) return null;
  return (rulesOf(node) as LinearOperator).matrix!.grid(node);
}
