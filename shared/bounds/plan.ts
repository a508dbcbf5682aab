import type { Node, NodeId } from "../graph.ts";
import { type Layer, layersOf, widthOf } from "./condense.ts";
import { isMixing, type Pass } from "./pass.ts";
import { type Support, supportsBelow } from "./support.ts";

/** What a tile of rows costs, in multiplications: walked plainly, and on its condensed form. */
export interface TileCost {
  readonly plain: number;
  readonly condensed: number;
}

/** Laying out a tile's path: so many rows' worth of products for its matrices, and so much beside them. */
export const LAYOUT_ROWS = 12, LAYOUT = 3e6;
/** Building M: its rows are short of the kernels' best shapes, and it is read, taken apart and packed again. */
const BUILDING = 1.5, MAKING = 1e6;

export function tileCost(
  pass: Pass,
  target: NodeId,
  supports: ReadonlyMap<NodeId, Support>,
  layers: readonly Layer[],
  values: number,
  rows: number,
): TileCost {
  let work = 0;
  for (const [id, support] of supports) {
    if (id !== target || !isMixing(pass.graph.nodes[id])) work += workOf(pass, supports, id, support);
  }
  const width = widthOf(layers);
  let walked = width * COLUMN;
  for (const { neurons, from } of layers) walked += neurons.length * (width - from - neurons.length);
  const built = (values + width) * (work * BUILDING + width * COLUMN);
  return {
    plain: LAYOUT + (LAYOUT_ROWS + rows) * work,
    condensed: LAYOUT + MAKING + LAYOUT_ROWS * work + built + rows * walked,
  };
}

/** What a column costs a row beside its products: its line, its charge, being read and written. */
const COLUMN = 8;

function workOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>, id: NodeId, { columns }: Support): number {
  const node = pass.graph.nodes[id];
  const input = node.inputs[0], size = pass.graph.nodes[input]?.size ?? 0;
  const width = supports.get(input)?.columns?.length ?? size;
  // As many of a row's entries are kept as of its input's values.
  const share = node.operator === "convolution" ? keptShare(pass, input, size) : 1;
  return rowWork(node, columns?.length ?? node.size, width, share);
}

/** Multiplications of one row at a node, about the entries between `height` of its values and `width` of its input's. */
export function rowWork(node: Node, height: number, width: number, keptShare: number): number {
  if (node.operator === "affine") return height * width;
  if (node.operator !== "convolution") return COLUMN * height;
  const { windows: { fine, coarse, groups, kernel, stride }, transposed } = node;
  const entries = transposed
    ? coarse.channels / groups * kernel[0] * kernel[1] / stride[0] / stride[1]
    : fine.channels / groups * kernel[0] * kernel[1];
  return height * entries * keptShare * BLOCK_WASTE;
}

/** Zeros in the blocks of a window. */
const BLOCK_WASTE = 1.3;

function keptShare(pass: Pass, id: NodeId, size: number): number {
  return (pass.states[id].columns?.length ?? size) / size;
}

/**
 * The side of the tiles that rows over a feature map are parted into: the one that costs least, by its fullest tile.
 * `rowsBySide` gives, for a side, how many tiles there are and the values and the number of rows of the fullest.
 */
export function bestSide(
  pass: Pass,
  target: NodeId,
  floor: NodeId,
  condensed: boolean,
  sides: readonly number[],
  fullest: (side: number) => { readonly tiles: number; readonly indices: Int32Array; readonly rows: number },
  total: number,
): number {
  let best = sides[0], least = Infinity;
  for (const side of sides) {
    const { tiles, indices, rows } = fullest(side);
    const supports = supportsBelow(pass, target, indices, floor);
    const cost = tileCost(pass, target, supports, condensed ? layersOf(pass, supports) : [], indices.length, rows);
    // The other tiles have their share of the rows, and each its own layout.
    const share = total / (tiles * rows);
    const one = condensed ? Math.min(cost.plain, cost.condensed) : cost.plain;
    const fixed = condensed ? LAYOUT : cost.plain * LAYOUT_ROWS / (LAYOUT_ROWS + rows);
    const whole = tiles * (fixed + (one - fixed) * share);
    if (whole < least) [best, least] = [side, whole];
  }
  return best;
}
