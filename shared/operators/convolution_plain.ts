<<<<<<< HEAD
import type { ConvolutionNode, Grid, Windows } from "../graph.ts";
import type { PlainLinear } from "./operator.ts";

/**
 * The matrix of a convolution in plain floating point, from its kernel: two flops an entry of the matrix, in a fixed order.
=======
import type { ConvolutionNode, Windows } from "../graph.ts";
import type { PlainLinear } from "./operator.ts";

/**
 * The matrix of a convolution in plain floating point, window by window: the values under a window are one vector, which
 * meets the kernel's rows (one a coarse channel) whole. Two flops an entry of the matrix, in a fixed order.
>>>>>>> onnxc
 */
export const convolutionPlain: PlainLinear<ConvolutionNode> = {
  apply: ({ kernel, windows, transposed, bias }, [x], withOffset) =>
    multiply(kernel, windows, transposed, x, withOffset ? bias : null),
  pullBack: ({ kernel, windows, transposed }, p) => multiply(kernel, windows, !transposed, p, null),
  reach: ({ kernel, windows, transposed }, [m]) => multiply(kernel.map(Math.abs), windows, transposed, m, null),
  terms: ({ windows, transposed }) =>
    (transposed ? windows.coarse : windows.fine).channels / windows.groups * windows.kernel[0] * windows.kernel[1],
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

<<<<<<< HEAD
/** The places of one axis at which position `k` of the windows lies on something: fine = coarse stride - begin + k dilation. */
interface Run {
  readonly count: number;
  readonly coarse: number;
  readonly fine: number;
}

function runOf(
  coarse: number,
  fine: number,
  stride: number,
  begin: number,
  dilation: number,
  k: number,
): Run {
  const shift = k * dilation - begin;
  const first = Math.max(0, Math.ceil(-shift / stride));
  const last = Math.min(coarse - 1, Math.floor((fine - 1 - shift) / stride));
  return { count: last - first + 1, coarse: first, fine: first * stride + shift };
}

/** The source row that kernel row `k` joins with a target row, or -1. */
function sourceRow({ coarse, fine, stride, dilation, begin }: Windows, transposed: boolean, row: number, k: number) {
  if (!transposed) {
    const at = row * stride[0] - begin[0] + k * dilation[0];
    return at >= 0 && at < fine.height ? at : -1;
  }
  const at = (row + begin[0] - k * dilation[0]) / stride[0];
  return Number.isInteger(at) && at >= 0 && at < coarse.height ? at : -1;
}

/**
 * W x + start for the matrix W [coarse, fine] of a convolution, its transpose when `transposed`.
 *
 * Row by row of the target: all source rows that meet it (over channels and kernel rows) are added along the row, four
 * of them at once, for each kernel column.
 */
=======
/** W x + start for the matrix W [coarse, fine] of a convolution, its transpose when `transposed`. */
>>>>>>> onnxc
function multiply(
  kernel: Float64Array,
  windows: Windows,
  transposed: boolean,
  x: Float64Array,
  start: Float64Array | null,
): Float64Array {
<<<<<<< HEAD
  const { batch, groups, coarse, fine, kernel: [height, width], stride, dilation, begin } = windows;
  const [source, target] = transposed ? [coarse, fine] : [fine, coarse];
  const y = start === null ? new Float64Array(batch * valuesOf(target)) : start.slice();
  const sources = source.channels / groups, targets = target.channels / groups;
  const area = height * width, ofCoarse = fine.channels / groups * area;
  const [sourceStep, targetStep] = transposed ? [ofCoarse, area] : [area, ofCoarse];
  const runs = Array.from(
    { length: width },
    (_, k) => runOf(coarse.width, fine.width, stride[1], begin[1], dilation[1], k),
  );
  const rows = new Int32Array(sources * height), entries = new Int32Array(sources * height);
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const sourceAt = (image * source.channels + group * sources) * source.height * source.width;
      const targetAt = (image * target.channels + group * targets) * target.height * target.width;
      const kernelAt = group * (coarse.channels / groups) * ofCoarse;
      for (let row = 0; row < target.height; row++) {
        let taps = 0;
        for (let k = 0; k < height; k++) {
          const from = sourceRow(windows, transposed, row, k);
          if (from < 0) continue;
          for (let channel = 0; channel < sources; channel++, taps++) {
            rows[taps] = sourceAt + (channel * source.height + from) * source.width;
            entries[taps] = kernelAt + channel * sourceStep + k * width;
          }
        }
        for (let channel = 0; channel < targets; channel++) {
          const to = targetAt + (channel * target.height + row) * target.width;
          for (let k = 0; k < width; k++) {
            const run = runs[k];
            if (run.count <= 0) continue;
            const entry = channel * targetStep + k;
            if (transposed) {
              addRows(y, to + run.fine, stride[1], x, run.coarse, 1, kernel, entry, rows, entries, taps, run.count);
            } else {addRows(
                y,
                to + run.coarse,
                1,
                x,
                run.fine,
                stride[1],
                kernel,
                entry,
                rows,
                entries,
                taps,
                run.count,
              );}
          }
=======
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
>>>>>>> onnxc
        }
      }
    }
  }
  return y;
}

<<<<<<< HEAD
/** y[to + i toStep] += sum over taps t of kernel[entries[t] + entry] x[rows[t] + from + i fromStep], for i < count. */
function addRows(
  y: Float64Array,
  to: number,
  toStep: number,
  x: Float64Array,
  from: number,
  fromStep: number,
  kernel: Float64Array,
  entry: number,
  rows: Int32Array,
  entries: Int32Array,
  taps: number,
  count: number,
): void {
  let t = 0;
  for (; t + 4 <= taps; t += 4) {
    const a = kernel[entries[t] + entry], b = kernel[entries[t + 1] + entry];
    const c = kernel[entries[t + 2] + entry], d = kernel[entries[t + 3] + entry];
    const p = rows[t], q = rows[t + 1], r = rows[t + 2], s = rows[t + 3];
    for (let i = 0, at = to, j = from; i < count; i++, at += toStep, j += fromStep) {
      y[at] += a * x[p + j] + b * x[q + j] + c * x[r + j] + d * x[s + j];
    }
  }
  for (; t < taps; t++) {
    const a = kernel[entries[t] + entry], p = rows[t];
    for (let i = 0, at = to, j = from; i < count; i++, at += toStep, j += fromStep) y[at] += a * x[p + j];
  }
}

function valuesOf({ channels, height, width }: Grid): number {
  return channels * height * width;
=======
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
>>>>>>> onnxc
}
