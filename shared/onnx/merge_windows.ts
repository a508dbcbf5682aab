/** Neighbours of a convolution or a selection as one node, where every number of it is exact. */
import type { ConvolutionNode, Grid, ScaleNode, SelectionNode, ShiftNode, Windows } from "../graph.ts";
import { exactly, plainSum, scaled } from "./exact.ts";
import { windowsProblem } from "./windows.ts";

/** The shift of every value into the bias. */
export function shiftIntoBias(convolution: ConvolutionNode, { offsets }: ShiftNode): ConvolutionNode | null {
  const { bias } = convolution;
  if (bias === null) return { ...convolution, bias: offsets };
  const sum = exactly(convolution.size, (i) => plainSum(bias[i], offsets[i]));
  return sum === null ? null : { ...convolution, bias: sum };
}

/** One factor for each channel of the outputs into kernel and bias. */
export function scaleOutputs(convolution: ConvolutionNode, scale: ScaleNode): ConvolutionNode | null {
  const { bias, windows, transposed } = convolution;
  const kernel = scaledKernel(convolution, scale, transposed ? "fine" : "coarse");
  if (kernel === null || bias === null) return kernel === null ? null : { ...convolution, kernel };
  const { height, width } = transposed ? windows.fine : windows.coarse;
  const scaledBias = exactly(bias.length, (i) => scaled(bias[i], scale, i - i % (height * width)));
  return scaledBias === null ? null : { ...convolution, kernel, bias: scaledBias };
}

/** One factor for each channel of the inputs into the kernel. */
export function scaleInputs(scale: ScaleNode, convolution: ConvolutionNode): ConvolutionNode | null {
  const kernel = scaledKernel(convolution, scale, convolution.transposed ? "coarse" : "fine");
  return kernel === null ? null : { ...convolution, kernel };
}

/** The kernel with the factors of one of its sides, if there is one a channel and every product is exact. */
function scaledKernel(
  { kernel, windows }: ConvolutionNode,
  scale: ScaleNode,
  side: "coarse" | "fine",
): Float64Array | null {
  const { groups, coarse, fine } = windows;
  if (!isOneAChannel(scale.factors, windows[side])) return null;
  const positions = windows[side].height * windows[side].width;
  const area = windows.kernel[0] * windows.kernel[1];
  const ofGroup = fine.channels / groups;
  return exactly(kernel.length, (i) => {
    const of = Math.floor(i / (ofGroup * area));
    const from = Math.floor(of / (coarse.channels / groups)) * ofGroup + Math.floor(i / area) % ofGroup;
    return scaled(kernel[i], scale, (side === "coarse" ? of : from) * positions);
  });
}

/** Whether every position of a channel has the channel's first number, in every image of the batch. */
function isOneAChannel(numbers: Float64Array, { channels, height, width }: Grid): boolean {
  const positions = height * width;
  return numbers.every((number, i) => number === numbers[Math.floor(i / positions) % channels * positions]);
}

/** A selection that only puts zeros around a grid of `inputSize` values, as padding of a convolution's windows. */
export function padWindows(
  selection: SelectionNode,
  convolution: ConvolutionNode,
  inputSize: number,
): ConvolutionNode | null {
  const { map } = selection;
  const { windows } = convolution;
  if (selection.transposed || convolution.transposed) return null;
  const { channels, height, width } = windows.fine;
  const first = map.indexOf(0);
  if (first < 0 || first >= height * width) return null;
  const top = Math.floor(first / width), left = first % width;
  let columns = 1;
  while (left + columns < width && map[first + columns] === columns) columns++;
  const rows = inputSize / (windows.batch * channels * columns);
  const inner = { channels, height: rows, width: columns };
  if (!Number.isInteger(rows) || top + rows > height || !isPadding(map, windows, inner, top, left)) return null;
  const begin = [windows.begin[0] + top, windows.begin[1] + left] as const;
  const padded = { ...windows, fine: inner, begin };
  return windowsProblem(padded) === null ? { ...convolution, windows: padded } : null;
}

/** Whether the map has the inner grid at (top, left) of the windows' fine grid, plane by plane, and zeros around it. */
function isPadding(map: Int32Array, { fine }: Windows, inner: Grid, top: number, left: number): boolean {
  return map.every((from, i) => {
    const column = i % fine.width - left;
    const row = Math.floor(i / fine.width) % fine.height - top;
    const isInside = row >= 0 && row < inner.height && column >= 0 && column < inner.width;
    const plane = Math.floor(i / (fine.height * fine.width));
    return from === (isInside ? (plane * inner.height + row) * inner.width + column : -1);
  });
}

/** A selection of a selection: what the second takes of what the first took. */
export function selectTwice(first: SelectionNode, second: SelectionNode): SelectionNode | null {
  if (first.transposed || second.transposed) return null;
  return { ...second, map: second.map.map((from) => from < 0 ? -1 : first.map[from]) };
}
