/** The block and window kernels in plain TypeScript, on the host's arrays: the definition for every other backend. */
import type { Grid, Windows } from "../graph.ts";
import type { EncodedBlocks } from "./blocks.ts";
import { packedLength, packedPlace, paddedLength, panelWidth } from "./packed.ts";
import { sumOfProducts } from "./reference_sums.ts";

type Values = Float64Array | Float32Array;

/** The blocks of a layout, and where the numbers of each start among the packed ones. */
function* blocksOf({ blocks, precision }: EncodedBlocks) {
  let packedAt = 0;
  for (const block of blocks) {
    yield { ...block, packedAt };
    packedAt += packedLength(block.columns.length, block.outputs.length, precision);
  }
}

export function gemmBlocks(
  out: Values,
  a: Values,
  packed: Values,
  blocks: EncodedBlocks,
  rows: number,
  accumulate: boolean,
): void {
  const aStride = paddedLength(blocks.k), stride = paddedLength(blocks.n);
  for (let r = 0; r < rows; r++) {
    const row = a.subarray(r * aStride, (r + 1) * aStride), sums = out.subarray(r * stride, (r + 1) * stride);
    if (!accumulate) sums.fill(0);
    for (const { columns, outputs, packedAt } of blocksOf(blocks)) {
      const sum = sumOfProducts(blocks.precision, columns.length, outputs.length);
      for (let j = 0; j < outputs.length; j++) {
        sums[outputs[j]] += sum((i) => row[columns[i]], packed, packedAt, j);
      }
    }
    sums.fill(0, blocks.n);
  }
}

/** Where a value of a grid lies. */
interface Place {
  readonly sample: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

function placeOf({ channels, height, width }: Grid, index: number): Place {
  const line = Math.floor(index / width), plane = Math.floor(line / height);
  return { sample: Math.floor(plane / channels), channel: plane % channels, y: line % height, x: index % width };
}

/** The tap with which the coarse position covers the fine one, or -1. */
function tapOf(windows: Windows, axis: 0 | 1, coarse: number, fine: number): number {
  const tap = (fine - coarse * windows.stride[axis] + windows.begin[axis]) / windows.dilation[axis];
  return Number.isInteger(tap) && tap >= 0 && tap < windows.kernel[axis] ? tap : -1;
}

/** Place in the kernel of the entry of W where a coarse and a fine value meet, or -1. */
function entryOf(windows: Windows, coarse: Place, fine: Place): number {
  if (coarse.sample !== fine.sample) return -1;
  const perGroup = windows.fine.channels / windows.groups;
  const group = Math.floor(coarse.channel * windows.groups / windows.coarse.channels);
  const channel = fine.channel - group * perGroup;
  if (channel < 0 || channel >= perGroup) return -1;
  const ky = tapOf(windows, 0, coarse.y, fine.y), kx = tapOf(windows, 1, coarse.x, fine.x);
  if (ky < 0 || kx < 0) return -1;
  return ((coarse.channel * perGroup + channel) * windows.kernel[0] + ky) * windows.kernel[1] + kx;
}

export function packWindows(
  out: Values,
  blocks: EncodedBlocks,
  rows: Int32Array,
  inputs: Int32Array,
  kernel: Float64Array,
  windows: Windows,
  transposed: boolean,
): void {
  const [rowGrid, inputGrid] = transposed ? [windows.fine, windows.coarse] : [windows.coarse, windows.fine];
  for (const { columns, outputs, packedAt } of blocksOf(blocks)) {
    const k = columns.length, n = outputs.length;
    const columnPlaces = Array.from(outputs, (output) => placeOf(inputGrid, inputs[output]));
    for (let i = 0; i < k; i++) {
      const row = placeOf(rowGrid, rows[columns[i]]);
      for (let j = 0; j < n || j % panelWidth(blocks.precision) !== 0; j++) {
        const entry = j >= n
          ? -1
          : transposed
          ? entryOf(windows, columnPlaces[j], row)
          : entryOf(windows, row, columnPlaces[j]);
        out[packedAt + packedPlace(k, n, i, j, blocks.precision)] = entry < 0 ? 0 : kernel[entry];
      }
    }
  }
}

/** Calls `visit` with every entry of a row of W (or of its transpose), in the order of the columns. */
function visitEntries(
  windows: Windows,
  transposed: boolean,
  row: number,
  visit: (column: number, entry: number) => void,
): void {
  const [rowGrid, inputGrid] = transposed ? [windows.fine, windows.coarse] : [windows.coarse, windows.fine];
  const place = placeOf(rowGrid, row), perGroup = inputGrid.channels / windows.groups;
  const group = Math.floor(place.channel * windows.groups / rowGrid.channels);
  const positions = (axis: 0 | 1, at: number, limit: number): number[] => {
    const { kernel: { [axis]: taps }, stride: { [axis]: stride }, dilation: { [axis]: dilation } } = windows;
    const begin = windows.begin[axis];
    const met = Array.from(
      { length: taps },
      (_, k) => transposed ? (at + begin - k * dilation) / stride : at * stride - begin + k * dilation,
    );
    return met.filter((x) => Number.isInteger(x) && x >= 0 && x < limit).sort((x, y) => x - y);
  };
  const ys = positions(0, place.y, inputGrid.height), xs = positions(1, place.x, inputGrid.width);
  for (let channel = group * perGroup; channel < (group + 1) * perGroup; channel++) {
    for (const y of ys) {
      for (const x of xs) {
        const other: Place = { sample: place.sample, channel, y, x };
        const plane = place.sample * inputGrid.channels + channel;
        const column = (plane * inputGrid.height + y) * inputGrid.width + x;
        visit(column, transposed ? entryOf(windows, other, place) : entryOf(windows, place, other));
      }
    }
  }
}

export function windowsBox(
  out: Float64Array,
  rows: Int32Array | null,
  count: number,
  kernel: Float64Array,
  windows: Windows,
  transposed: boolean,
  box: Float64Array,
  boxStride: number,
  groups: number,
): void {
  const outStride = paddedLength(count), sums = new Float64Array(4);
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < outStride; i++) {
      sums.fill(0);
      if (i < count) {
        visitEntries(windows, transposed, rows === null ? i : rows[i], (column, entry) => {
          const w = kernel[entry];
          const x = w * box[g * 2 * boxStride + column], y = w * box[(g * 2 + 1) * boxStride + column];
          // As in affineBox: a NaN in either stays.
          const low = Number.isNaN(y) || y < x ? y : x;
          const high = Number.isNaN(y) || x < y ? y : x;
          sums[0] += low;
          sums[1] += Math.abs(low);
          sums[2] += high;
          sums[3] += Math.abs(high);
        });
      }
      sums.forEach((sum, t) => out[(g * 4 + t) * outStride + i] = sum);
    }
  }
}
