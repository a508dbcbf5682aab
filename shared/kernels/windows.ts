/** Sizes of the two grids of a convolution, and the entries of its matrix. */
import type { Grid, Windows } from "../graph.ts";
import type { EncodedBlocks } from "./blocks.ts";
import { paddedLength } from "./kernels.ts";

const valuesOf = (batch: number, { channels, height, width }: Grid): number => batch * channels * height * width;

/** Values of the coarse grid: the rows of W. */
export const coarseSize = ({ batch, coarse }: Windows): number => valuesOf(batch, coarse);
/** Values of the fine grid: the columns of W. */
export const fineSize = ({ batch, fine }: Windows): number => valuesOf(batch, fine);

/** Numbers of the kernel [coarse channels, fine channels / groups, height, width]. */
export function kernelSize({ groups, coarse, fine, kernel }: Windows): number {
  return coarse.channels * (fine.channels / groups) * kernel[0] * kernel[1];
}

/** Pairs of a coarse and a fine position of one axis that meet: tap k of position o lies at o stride - begin + k dilation. */
function meetings(windows: Windows, axis: 0 | 1): number {
  const { coarse, fine, kernel: { [axis]: taps }, stride, dilation, begin } = windows;
  const [positions, end] = axis === 0 ? [coarse.height, fine.height] : [coarse.width, fine.width];
  let count = 0;
  for (let k = 0; k < taps; k++) {
    // 0 <= o stride + offset < end
    const offset = k * dilation[axis] - begin[axis];
    const first = Math.max(0, Math.ceil(-offset / stride[axis]));
    const last = Math.min(positions - 1, Math.floor((end - 1 - offset) / stride[axis]));
    count += Math.max(0, last - first + 1);
  }
  return count;
}

/** Entries of W, those whose weight is zero included: what `windowsBox` visits when it is asked for all rows. */
export function windowsEntries(windows: Windows): number {
  const { batch, groups, coarse, fine } = windows;
  return batch * coarse.channels * (fine.channels / groups) * meetings(windows, 0) * meetings(windows, 1);
}

/** The numbers of a geometry in the order in which a backend's kernels read them. */
export function encodeWindows(windows: Windows): number[] {
  const { batch, groups, coarse, fine, kernel, stride, dilation, begin } = windows;
  const grid = ({ channels, height, width }: Grid) => [channels, height, width];
  return [batch, groups, ...grid(coarse), ...grid(fine), ...kernel, ...stride, ...dilation, ...begin];
}

/** Bytes of an encoded geometry, for which a backend has room behind its blocks. */
export const WINDOWS_BYTES = 64;

/** Elements of a line of the copy of a box that `windowsBox` may make, the position of the first, and its memory. */
export interface SpreadBox {
  /** 0: no copy, since the windows reach too far. */
  readonly line: number;
  readonly least: number;
  readonly bytes: number;
}

/** Outputs whose sums run together, and bytes beside the taps of each class of positions. */
const LANES = 4, CLASS_BYTES = 16 + 4 * LANES * 8;

/**
 * A copy in which every tap of every position of a line exists. A stride spreads the positions: those of the fine grid are
 * taken in classes with the same remainder, in each of which neighbours meet neighbours.
 */
export function spreadBox(windows: Windows, transposed: boolean): SpreadBox {
  const { batch, coarse, fine, kernel, stride: [, stride], dilation: [, dilation], begin: [, begin] } = windows;
  const inputs = transposed ? coarse : fine, reach = (kernel[1] - 1) * dilation;
  const [own, first, last] = transposed
    ? [Math.ceil(fine.width / stride), begin - reach, stride - 1 + begin]
    : [coarse.width, -begin, reach - begin];
  const least = Math.floor(first / stride);
  const line = Math.ceil(own / LANES) * LANES + Math.max(0, Math.floor(last / stride) - least);
  const copy = 16 * batch * inputs.channels * inputs.height * (transposed ? 1 : stride) * line;
  const classes = (transposed ? stride : 1) * (CLASS_BYTES + 8 * kernel[0] * kernel[1]);
  const bytes = WINDOWS_BYTES + classes + 16 + copy;
  const wanted = 2 ** 16 + 16 * 16 * batch * inputs.channels * inputs.height * inputs.width;
  return kernel[1] === 0 || bytes > wanted ? { line: 0, least: 0, bytes: WINDOWS_BYTES } : { line, least, bytes };
}

/** Bytes that a backend may use beside the buffers of a call of `packWindows`; counted on every backend. */
export function packWindowsScratch({ k, widest }: EncodedBlocks, windows: Windows, transposed: boolean): number {
  const { height, width } = transposed ? windows.coarse : windows.fine;
  const table = 4 * windows.batch * windows.groups * height * width;
  return WINDOWS_BYTES + 16 * k + 32 * (widest + 1) + 6 * 4 * paddedLength(widest) + table;
}
