import type { ConvolutionNode, Grid, Windows } from "../graph.ts";
import type { PlainLinear } from "./operator.ts";

/**
 * The matrix of a convolution in plain floating point, from its kernel: two flops an entry of the matrix, in a fixed order.
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
function multiply(
  kernel: Float64Array,
  windows: Windows,
  transposed: boolean,
  x: Float64Array,
  start: Float64Array | null,
): Float64Array {
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
        }
      }
    }
  }
  return y;
}

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
}
