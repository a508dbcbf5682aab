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
  /** The position (of a batch and group) that each row and each column stands on. */
  readonly rowKeys: Int32Array;
  readonly columnKeys: Int32Array;
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
    rowKeys: keysOf(windows.batch, rows, rowChannels),
    columnKeys: keysOf(windows.batch, columns, columnChannels),
    rowEntries: columnChannels * longest(columnsOf[0]) * longest(columnsOf[1]),
    columnEntries: rowChannels * longest(rowsOf[0]) * longest(rowsOf[1]),
  };
}

function keysOf(batch: number, grid: Grid, channels: number): Int32Array {
  const area = areaOf(grid);
  const keys = new Int32Array(sizeOf(batch, grid));
  for (let index = 0; index < keys.length; index++) {
    const plane = Math.floor(index / area);
    keys[index] = Math.floor(plane / channels) * area + index - plane * area;
  }
  return keys;
}

function longest(lists: readonly Int32Array[]): number {
  return lists.reduce((most, list) => Math.max(most, list.length), 0);
}

/** Entries of the matrix. */
export function entriesOf({ windows, rowsOf, rowChannels, columnChannels }: Stencil): number {
  const [down, across] = rowsOf.map((lists) => lists.reduce((sum, list) => sum + list.length, 0));
  return windows.batch * windows.groups * rowChannels * columnChannels * down * across;
}

/** The columns that some of the rows (null: all) have entries in, ascending. */
export function columnsReached(stencil: Stencil, rows: Int32Array | null): Int32Array {
  const { windows, rows: grid, columns, columnsOf, columnChannels, rowKeys } = stencil;
  const groups = windows.batch * windows.groups, area = areaOf(grid), columnArea = areaOf(columns);
  const seen = new Uint8Array(groups * area), met = new Uint8Array(groups * columnArea);
  if (rows === null) seen.fill(1);
  else for (let r = 0; r < rows.length; r++) seen[rowKeys[rows[r]]] = 1;
  for (let key = 0; key < seen.length; key++) {
    if (seen[key] === 0) continue;
    const group = Math.floor(key / area), position = key - group * area;
    const y = Math.floor(position / grid.width);
    const down = columnsOf[0][y], across = columnsOf[1][position - y * grid.width];
    for (let v = 0; v < down.length; v++) {
      const at = group * columnArea + down[v] * columns.width;
      for (let h = 0; h < across.length; h++) met[at + across[h]] = 1;
    }
  }
  const reached = new Int32Array(sizeOf(windows.batch, columns));
  const positions = new Int32Array(columnArea);
  let count = 0;
  for (let group = 0; group < groups; group++) {
    let here = 0;
    for (let p = 0; p < columnArea; p++) if (met[group * columnArea + p] === 1) positions[here++] = p;
    for (let c = 0; c < columnChannels; c++) {
      const start = (group * columnChannels + c) * columnArea;
      for (let p = 0; p < here; p++) reached[count++] = start + positions[p];
    }
  }
  return reached.subarray(0, count);
}

/**
 * Writes the rows of the matrix over chosen columns: entry (r, places[column]) of `out`, whose rows are `padded` long; a
 * column with place -1 is left out.
 */
export function fillRows(
  stencil: Stencil,
  kernel: Float64Array,
  rows: Int32Array,
  places: Int32Array,
  out: Float64Array,
  padded: number,
): void {
  const { windows, rows: grid, columns, columnsOf, rowChannels, columnChannels, transposed } = stencil;
  const area = areaOf(grid), columnArea = areaOf(columns);
  const [kernelHeight, kernelWidth] = windows.kernel;
  const inner = windows.fine.channels / windows.groups;
  for (let r = 0; r < rows.length; r++) {
    const plane = Math.floor(rows[r] / area), position = rows[r] - plane * area;
    const y = Math.floor(position / grid.width), x = position - y * grid.width;
    const image = Math.floor(plane / grid.channels), channel = plane - image * grid.channels;
    const group = Math.floor(channel / rowChannels);
    const down = columnsOf[0][y], across = columnsOf[1][x];
    for (let c = 0; c < columnChannels; c++) {
      const other = group * columnChannels + c;
      const start = (image * columns.channels + other) * columnArea;
      const [coarse, fine] = transposed ? [other, channel - group * rowChannels] : [channel, c];
      const entry = (coarse * inner + fine) * kernelHeight * kernelWidth;
      for (let v = 0; v < down.length; v++) {
        const tapRow = entry + tap(windows, 0, transposed, y, down[v]) * kernelWidth;
        for (let h = 0; h < across.length; h++) {
          const place = places[start + down[v] * columns.width + across[h]];
          if (place >= 0) out[r * padded + place] = kernel[tapRow + tap(windows, 1, transposed, x, across[h])];
        }
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
  const { windows, rows: rowGrid, columns: grid, rowsOf, rowKeys, columnKeys } = stencil;
  const keys = windows.batch * windows.groups * areaOf(grid), rowArea = areaOf(rowGrid), area = areaOf(grid);
  const byRow = placesByKey(rows, rowKeys, windows.batch * windows.groups * rowArea);
  const byColumn = placesByKey(columns, columnKeys, keys);
  const phases = phasesOf(stencil);
  const side = sideOf(columns.length, byColumn.used);
  const tiles: Tile[] = [];
  const mark = new Uint8Array(windows.batch * windows.groups * rowArea);
  const met = new Int32Array(rows.length), marked: number[] = [];
  for (let group = 0; group * area < keys; group++) {
    for (let top = 0; top < grid.height; top = nextTile(top, side[0], phases[0])) {
      for (let left = 0; left < grid.width; left = nextTile(left, side[1], phases[1])) {
        const outputs: number[] = [];
        let count = 0;
        for (let y = top, v = 0; v < side[0] && y < grid.height; v++, y += phases[0]) {
          for (let x = left, h = 0; h < side[1] && x < grid.width; h++, x += phases[1]) {
            const key = group * area + y * grid.width + x;
            if (byColumn.starts[key] === byColumn.starts[key + 1]) continue;
            for (let at = byColumn.starts[key]; at < byColumn.starts[key + 1]; at++) outputs.push(byColumn.places[at]);
            const down = rowsOf[0][y], across = rowsOf[1][x];
            for (let i = 0; i < down.length; i++) {
              for (let j = 0; j < across.length; j++) {
                const row = group * rowArea + down[i] * rowGrid.width + across[j];
                if (mark[row] === 1) continue;
                mark[row] = 1;
                marked.push(row);
                for (let at = byRow.starts[row]; at < byRow.starts[row + 1]; at++) met[count++] = byRow.places[at];
              }
            }
          }
        }
        for (const row of marked) mark[row] = 0;
        marked.length = 0;
        if (count > 0) tiles.push({ columns: met.slice(0, count).sort(), outputs: Int32Array.from(outputs).sort() });
      }
    }
  }
  return tiles;
}

/** The first position of the next tile: the other phases of the stride come before the positions behind the tile. */
function nextTile(at: number, side: number, phases: number): number {
  return (at + 1) % phases === 0 ? at + 1 + (side - 1) * phases : at + 1;
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

/** Places in a list of values by key: places[starts[key] .. starts[key + 1]], and how many keys have any. */
function placesByKey(list: Int32Array, keys: Int32Array, count: number) {
  const starts = new Int32Array(count + 1);
  for (let at = 0; at < list.length; at++) starts[keys[list[at]] + 1]++;
  let used = 0;
  for (let key = 0; key < count; key++) {
    if (starts[key + 1] > 0) used++;
    starts[key + 1] += starts[key];
  }
  const next = starts.slice();
  const places = new Int32Array(list.length);
  for (let at = 0; at < list.length; at++) places[next[keys[list[at]]]++] = at;
  return { starts, places, used };
}
