/** Sizes of the two grids of a convolution, and the entries of its matrix. */
import type { Grid, Windows } from "../graph.ts";
import type { EncodedBlocks } from "./blocks.ts";

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

/** Bytes that a backend may use beside the buffers of a call of `packWindows`; counted on every backend. */
export function packWindowsScratch({ widest }: EncodedBlocks, windows: Windows, transposed: boolean): number {
  const { height, width } = transposed ? windows.coarse : windows.fine;
  return WINDOWS_BYTES + 8 * windows.batch * windows.groups * height * width + 16 * (widest + 2);
}
