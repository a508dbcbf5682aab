import type { ConvolutionNode, Windows } from "../graph.ts";
import { smallestMagnitude } from "./image.ts";
import type { PlainLinear } from "./operator.ts";

/**
 * The matrix of a convolution in plain floating point, window by window: the values under a window are one vector, which
 * meets the kernel's rows (one a coarse channel) whole. Two flops an entry of the matrix, in a fixed order.
 */
export const convolutionPlain: PlainLinear<ConvolutionNode> = {
  apply: ({ kernel, windows, transposed, bias }, [x], withOffset) =>
    multiply(kernel, windows, transposed, x, withOffset ? bias : null),
  pullBack: ({ kernel, windows, transposed }, p) => multiply(kernel, windows, !transposed, p, null),
  reach: ({ kernel, windows, transposed }, [m]) => multiply(kernel.map(Math.abs), windows, transposed, m, null),
  terms: ({ windows, transposed }) =>
    (transposed ? windows.coarse : windows.fine).channels / windows.groups * windows.kernel[0] * windows.kernel[1],
  magnitude: (node) => ({ ...node, kernel: node.kernel.map(Math.abs) }),
  // Of a patch: a product, at most channels + 6 additions (four at once, the rest), one for each window over a place.
  pullBackRoundings: ({ windows: { coarse, fine, groups, kernel: [height, width] }, transposed }) =>
    transposed ? fine.channels / groups * height * width + 2 : coarse.channels / groups + height * width + 8,
  smallestFactor: ({ kernel }) => smallestMagnitude(kernel),
};

/** The node that carries p through a convolution: the same kernel and windows, read the other way. */
export function convolutionAdjoint(node: ConvolutionNode, inputSize: number) {
  const { kernel, windows, transposed } = node;
  return {
    operator: "convolution",
    size: inputSize,
    name: `${node.name}'`,
    kernel,
    windows,
    transposed: !transposed,
    bias: null,
  } as const;
}

/** W x + start for the matrix W [coarse, fine] of a convolution, its transpose when `transposed`. */
function multiply(
  kernel: Float64Array,
  windows: Windows,
  transposed: boolean,
  x: Float64Array,
  start: Float64Array | null,
): Float64Array {
  const { batch, groups, coarse, fine } = windows;
  const positions = coarse.height * coarse.width;
  const channels = coarse.channels / groups, finePlanes = fine.channels / groups * fine.height * fine.width;
  const size = transposed ? batch * groups * finePlanes : batch * coarse.channels * positions;
  const y = start === null ? new Float64Array(size) : start.slice();
  const patch = new Float64Array(kernel.length / coarse.channels);
  const offsets = patchOffsets(windows);
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const planes = (image * groups + group) * finePlanes;
      const kernelAt = group * channels * patch.length;
      for (let position = 0; position < positions; position++) {
        const at = (image * coarse.channels + group * channels) * positions + position;
        if (transposed) {
          spread(kernel, kernelAt, channels, x, at, positions, patch);
          scatter(windows, offsets, y, planes, position, patch);
        } else {
          gather(windows, offsets, x, planes, position, patch);
          dot(kernel, kernelAt, channels, patch, y, at, positions);
        }
      }
    }
  }
  return y;
}

/** y[at + c step] += kernel row c times the patch, for each of the channels, four at once. */
function dot(
  kernel: Float64Array,
  kernelAt: number,
  channels: number,
  patch: Float64Array,
  y: Float64Array,
  at: number,
  step: number,
): void {
  const n = patch.length;
  let channel = 0;
  for (; channel + 4 <= channels; channel += 4) {
    const k = kernelAt + channel * n, l = k + n, m = l + n, o = m + n;
    const to = at + channel * step;
    let a = y[to], b = y[to + step], c = y[to + 2 * step], d = y[to + 3 * step];
    for (let j = 0; j < n; j++) {
      const value = patch[j];
      a += kernel[k + j] * value;
      b += kernel[l + j] * value;
      c += kernel[m + j] * value;
      d += kernel[o + j] * value;
    }
    y[to] = a;
    y[to + step] = b;
    y[to + 2 * step] = c;
    y[to + 3 * step] = d;
  }
  for (; channel < channels; channel++) {
    const k = kernelAt + channel * n;
    let a = y[at + channel * step];
    for (let j = 0; j < n; j++) a += kernel[k + j] * patch[j];
    y[at + channel * step] = a;
  }
}

/** patch = the sum of p[at + c step] times kernel row c over the channels, four at once; rows of zeros are left out. */
function spread(
  kernel: Float64Array,
  kernelAt: number,
  channels: number,
  p: Float64Array,
  at: number,
  step: number,
  patch: Float64Array,
): void {
  const n = patch.length;
  patch.fill(0);
  let channel = 0;
  for (; channel + 4 <= channels; channel += 4) {
    const from = at + channel * step;
    const a = p[from], b = p[from + step], c = p[from + 2 * step], d = p[from + 3 * step];
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    const k = kernelAt + channel * n, l = k + n, m = l + n, o = m + n;
    for (let j = 0; j < n; j++) {
      patch[j] += a * kernel[k + j] + b * kernel[l + j] + c * kernel[m + j] + d * kernel[o + j];
    }
  }
  for (; channel < channels; channel++) {
    const a = p[at + channel * step], k = kernelAt + channel * n;
    if (a !== 0) { for (let j = 0; j < n; j++) patch[j] += a * kernel[k + j]; }
  }
}

/** Where the entries of a kernel row lie in the planes of a group, from the position of the first one. */
function patchOffsets({ groups, fine, kernel: [height, width], dilation }: Windows): Int32Array {
  const offsets = new Int32Array(fine.channels / groups * height * width);
  for (let j = 0; j < offsets.length; j++) {
    const channel = Math.floor(j / (height * width)), row = Math.floor(j / width) % height, column = j % width;
    offsets[j] = (channel * fine.height + row * dilation[0]) * fine.width + column * dilation[1];
  }
  return offsets;
}

/** The values under a window, 0 where it lies in the padding. */
function gather(
  windows: Windows,
  offsets: Int32Array,
  x: Float64Array,
  planes: number,
  position: number,
  patch: Float64Array,
): void {
  const { fine, kernel: [height, width] } = windows;
  const { row, column, rows, columns } = windowAt(windows, position);
  const first = planes + row * fine.width + column;
  if (rows.first === 0 && rows.last === height - 1 && columns.first === 0 && columns.last === width - 1) {
    for (let j = 0; j < offsets.length; j++) patch[j] = x[first + offsets[j]];
    return;
  }
  patch.fill(0);
  for (let start = 0; start < offsets.length; start += height * width) {
    for (let k = rows.first; k <= rows.last; k++) {
      for (let l = columns.first; l <= columns.last; l++) {
        const j = start + k * width + l;
        patch[j] = x[first + offsets[j]];
      }
    }
  }
}

/** Adds the patch to the values under a window. */
function scatter(
  windows: Windows,
  offsets: Int32Array,
  y: Float64Array,
  planes: number,
  position: number,
  patch: Float64Array,
): void {
  const { fine, kernel: [height, width] } = windows;
  const { row, column, rows, columns } = windowAt(windows, position);
  const first = planes + row * fine.width + column;
  for (let start = 0; start < offsets.length; start += height * width) {
    for (let k = rows.first; k <= rows.last; k++) {
      for (let l = columns.first; l <= columns.last; l++) {
        const j = start + k * width + l;
        y[first + offsets[j]] += patch[j];
      }
    }
  }
}

/** Where a window begins (perhaps in the padding) and which rows and columns of the kernel lie on the grid. */
function windowAt({ coarse, fine, kernel, stride, dilation, begin }: Windows, position: number) {
  const row = Math.floor(position / coarse.width) * stride[0] - begin[0];
  const column = position % coarse.width * stride[1] - begin[1];
  return {
    row,
    column,
    rows: existing(row, fine.height, kernel[0], dilation[0]),
    columns: existing(column, fine.width, kernel[1], dilation[1]),
  };
}

function existing(start: number, size: number, kernel: number, dilation: number) {
  return {
    first: Math.max(0, Math.ceil(-start / dilation)),
    last: Math.min(kernel - 1, Math.floor((size - 1 - start) / dilation)),
  };
}
