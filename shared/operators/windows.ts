import type { ConvolutionNode, Grid, Pair, Windows } from "../graph.ts";

/** Which positions meet along one axis: by coarse position the fine ones, and the other way round; ascending. */
interface AxisLinks {
  readonly fineOf: readonly Int32Array[];
  readonly coarseOf: readonly Int32Array[];
  /** By coarse position and the order of `fineOf`: which entry of the kernel joins the two. */
  readonly tapsOf: readonly Int32Array[];
}

/** A convolution's matrix seen from a node: from the values it reads (columns) to its own (rows). */
export interface Stencil {
  readonly windows: Windows;
  readonly transposed: boolean;
  readonly rows: Grid;
  readonly columns: Grid;
  /** By axis (vertical, horizontal): positions of columns that a position of rows meets, and back. */
  readonly columnsOf: readonly [readonly Int32Array[], readonly Int32Array[]];
  readonly rowsOf: readonly [readonly Int32Array[], readonly Int32Array[]];
  /** Channels of one group. */
  readonly rowChannels: number;
  readonly columnChannels: number;
  /** Most entries in a row and in a column of the matrix. */
  readonly rowEntries: number;
  readonly columnEntries: number;
}

export function areaOf({ height, width }: Grid): number {
  return height * width;
}

export function sizeOf(batch: number, grid: Grid): number {
  return batch * grid.channels * areaOf(grid);
}

const stencils = new WeakMap<Windows, [Stencil, Stencil]>();

/** The geometry of a convolution node, computed once for its windows. */
export function stencilOf({ windows, transposed }: Pick<ConvolutionNode, "windows" | "transposed">): Stencil {
  let pair = stencils.get(windows);
  if (!pair) {
    const links = linksOf(windows);
    pair = [stencil(windows, links, false), stencil(windows, links, true)];
    stencils.set(windows, pair);
  }
  return pair[transposed ? 1 : 0];
}

const axisLinks = new WeakMap<Windows, readonly [AxisLinks, AxisLinks]>();

/** The links of both axes. */
export function linksOf(windows: Windows): readonly [AxisLinks, AxisLinks] {
  let links = axisLinks.get(windows);
  if (!links) {
    const { coarse, fine } = windows;
    links = [axis(windows, 0, coarse.height, fine.height), axis(windows, 1, coarse.width, fine.width)];
    axisLinks.set(windows, links);
  }
  return links;
}

function axis({ kernel, stride, dilation, begin }: Windows, of: 0 | 1, coarse: number, fine: number): AxisLinks {
  const fineOf: Int32Array[] = [];
  const tapsOf: Int32Array[] = [];
  const coarseOf: number[][] = Array.from({ length: fine }, () => []);
  for (let window = 0; window < coarse; window++) {
    const start = window * stride[of] - begin[of];
    const first = Math.max(0, Math.ceil(-start / dilation[of]));
    const last = Math.min(kernel[of] - 1, Math.floor((fine - 1 - start) / dilation[of]));
    const count = Math.max(0, last - first + 1);
    tapsOf.push(Int32Array.from({ length: count }, (_, k) => first + k));
    fineOf.push(Int32Array.from({ length: count }, (_, k) => start + (first + k) * dilation[of]));
    for (const position of fineOf[window]) coarseOf[position].push(window);
  }
  return { fineOf, tapsOf, coarseOf: coarseOf.map((list) => Int32Array.from(list)) };
}

function stencil(windows: Windows, links: readonly [AxisLinks, AxisLinks], transposed: boolean): Stencil {
  const { coarse, fine, groups } = windows;
  const fineOf = [links[0].fineOf, links[1].fineOf] as const;
  const coarseOf = [links[0].coarseOf, links[1].coarseOf] as const;
  const [rows, columns] = transposed ? [fine, coarse] : [coarse, fine];
  const [columnsOf, rowsOf] = transposed ? [coarseOf, fineOf] : [fineOf, coarseOf];
  const [rowChannels, columnChannels] = [rows.channels / groups, columns.channels / groups];
  return {
    windows,
    transposed,
    rows,
    columns,
    columnsOf,
    rowsOf,
    rowChannels,
    columnChannels,
    rowEntries: columnChannels * longest(columnsOf[0]) * longest(columnsOf[1]),
    columnEntries: rowChannels * longest(rowsOf[0]) * longest(rowsOf[1]),
  };
}

function longest(lists: readonly Int32Array[]): number {
  return lists.reduce((most, list) => Math.max(most, list.length), 0);
}

/** Marks the columns that some of the rows (null: all) have entries in. */
export function markColumns(stencil: Stencil, rows: Int32Array | null, mark: Uint8Array): void {
  const { windows, rows: grid, columns, columnsOf, rowChannels, columnChannels } = stencil;
  const area = areaOf(grid);
  const seen = new Uint8Array(windows.batch * windows.groups * area);
  const columnArea = areaOf(columns);
  const visit = (row: number) => {
    const plane = Math.floor(row / area);
    const position = row - plane * area;
    // Planes of one image and group: batch * channels are laid out group by group.
    const group = Math.floor(plane / rowChannels);
    if (seen[group * area + position] === 1) return;
    seen[group * area + position] = 1;
    const y = Math.floor(position / grid.width);
    for (const v of columnsOf[0][y]) {
      for (const h of columnsOf[1][position - y * grid.width]) {
        let at = group * columnChannels * columnArea + v * columns.width + h;
        for (let c = 0; c < columnChannels; c++, at += columnArea) mark[at] = 1;
      }
    }
  };
  if (rows) rows.forEach(visit);
  else for (let row = 0; row < windows.batch * grid.channels * area; row++) visit(row);
}

/** Entry of the kernel for the first taps of a row's and a column's channel, both counted within the group. */
export function kernelAt(
  { windows: { kernel, fine, groups }, transposed }: Stencil,
  group: number,
  row: number,
  column: number,
  rowChannels: number,
  columnChannels: number,
): number {
  const [coarse, inner] = transposed ? [group * columnChannels + column, row] : [group * rowChannels + row, column];
  return (coarse * (fine.channels / groups) + inner) * kernel[0] * kernel[1];
}

/** Visits the entries of a row of the matrix: column and place in the kernel. */
export function eachInRow(stencil: Stencil, row: number, visit: (column: number, at: number) => void): void {
  const { windows, rows: grid, columns, columnsOf, rowChannels, columnChannels, transposed } = stencil;
  const area = areaOf(grid), columnArea = areaOf(columns);
  const plane = Math.floor(row / area), position = row - plane * area;
  const y = Math.floor(position / grid.width), x = position - y * grid.width;
  const image = Math.floor(plane / grid.channels), channel = plane - image * grid.channels;
  const group = Math.floor(channel / rowChannels);
  for (let c = 0; c < columnChannels; c++) {
    const start = (image * columns.channels + group * columnChannels + c) * columnArea;
    const entry = kernelAt(stencil, group, channel - group * rowChannels, c, rowChannels, columnChannels);
    for (const v of columnsOf[0][y]) {
      const down = entry + tap(windows, 0, transposed, y, v) * windows.kernel[1];
      for (const h of columnsOf[1][x]) {
        visit(start + v * columns.width + h, down + tap(windows, 1, transposed, x, h));
      }
    }
  }
}

/** Which entry of the kernel joins a position of the rows with one of the columns. */
function tap(
  { stride, dilation, begin }: Windows,
  axis: 0 | 1,
  transposed: boolean,
  row: number,
  column: number,
): number {
  const [coarse, fine] = transposed ? [column, row] : [row, column];
  return (fine + begin[axis] - coarse * stride[axis]) / dilation[axis];
}

/** Some columns of the matrix that are computed together, with all rows that reach them. */
export interface Tile {
  readonly columns: Int32Array;
  readonly outputs: Int32Array;
}

/**
 * Parts the matrix, restricted to the rows (the columns of coefficients) and the columns (their outputs), into blocks:
 * the outputs of neighbouring positions of one phase of the stride, and all rows that meet one of them. What is left out
 * are zeros. Indices in the blocks are places in the two lists; ascending.
 */
export function tilesOf(stencil: Stencil, rows: Int32Array, columns: Int32Array): Tile[] {
  const { windows, rows: rowGrid, columns: grid, rowsOf, rowChannels, columnChannels } = stencil;
  const groups = windows.batch * windows.groups;
  const at = placesByPosition(rows, groups, rowGrid, rowChannels);
  const phases = phasesOf(stencil);
  const side = sideOf(columns.length, positionsOf(columns, groups, grid, columnChannels));
  const buckets = new Map<number, number[]>();
  const area = areaOf(grid);
  const [across, wide] = [Math.ceil(grid.height / side[0]) + 1, Math.ceil(grid.width / side[1]) + 1];
  columns.forEach((column, place) => {
    const plane = Math.floor(column / area), position = column - plane * area;
    const y = Math.floor(position / grid.width), x = position - y * grid.width;
    const group = Math.floor(plane / columnChannels);
    const [py, px] = [y % phases[0], x % phases[1]];
    const [ty, tx] = [Math.floor((y - py) / phases[0] / side[0]), Math.floor((x - px) / phases[1] / side[1])];
    const key = ((((group * phases[0] + py) * phases[1]) + px) * across + ty) * wide + tx;
    const bucket = buckets.get(key);
    if (bucket) bucket.push(place);
    else buckets.set(key, [place]);
  });
  const tiles: Tile[] = [];
  const rowArea = areaOf(rowGrid);
  const mark = new Uint8Array(groups * rowArea);
  for (const places of buckets.values()) {
    const met: number[] = [];
    const marked: number[] = [];
    for (const place of places) {
      const column = columns[place];
      const plane = Math.floor(column / area), position = column - plane * area;
      const y = Math.floor(position / grid.width), x = position - y * grid.width;
      const group = Math.floor(plane / columnChannels);
      for (const v of rowsOf[0][y]) {
        for (const h of rowsOf[1][x]) {
          const key = group * rowArea + v * rowGrid.width + h;
          if (mark[key] === 1) continue;
          mark[key] = 1;
          marked.push(key);
          for (let r = at.starts[key]; r < at.starts[key + 1]; r++) met.push(at.places[r]);
        }
      }
    }
    for (const key of marked) mark[key] = 0;
    if (met.length > 0) tiles.push({ columns: Int32Array.from(met).sort(), outputs: Int32Array.from(places) });
  }
  return tiles;
}

/** Positions of columns a stride apart meet rows alike: on the fine side the stride's phases, on the coarse side none. */
function phasesOf({ windows: { stride }, transposed }: Stencil): Pair {
  return transposed ? [1, 1] : stride;
}

/** How many positions a block spans: enough columns to fill the kernels, few enough that little of it is zero. */
function sideOf(columns: number, positions: number): [number, number] {
  const wanted = Math.max(1, BLOCK_OUTPUTS * positions / Math.max(columns, 1));
  const side = Math.max(1, Math.floor(Math.sqrt(wanted)));
  return [side, Math.max(1, Math.floor(wanted / side))];
}

const BLOCK_OUTPUTS = 32;

/** Positions (of a batch and group) that some of the values stand on. */
function positionsOf(list: Int32Array, groups: number, grid: Grid, channels: number): number {
  const area = areaOf(grid);
  const seen = new Uint8Array(groups * area);
  let count = 0;
  for (const index of list) {
    const plane = Math.floor(index / area);
    const key = Math.floor(plane / channels) * area + index - plane * area;
    count += 1 - seen[key];
    seen[key] = 1;
  }
  return count;
}

/** Places in a list of values by position (of a batch and group): places[starts[p] .. starts[p + 1]]. */
function placesByPosition(list: Int32Array, groups: number, grid: Grid, channels: number) {
  const area = areaOf(grid);
  const keyOf = (index: number) => {
    const plane = Math.floor(index / area);
    return Math.floor(plane / channels) * area + index - plane * area;
  };
  const starts = new Int32Array(groups * area + 1);
  for (const index of list) starts[keyOf(index) + 1]++;
  for (let p = 0; p < groups * area; p++) starts[p + 1] += starts[p];
  const next = starts.slice();
  const places = new Int32Array(list.length);
  list.forEach((index, place) => places[next[keyOf(index)]++] = place);
  return { starts, places };
}
