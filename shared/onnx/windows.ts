/** How the windows of a convolution or a pooling lie on each spatial axis. */
import type { Windows } from "../graph.ts";
import { MAX_REACH } from "./limits.ts";
import { type Place, problemAt, shapeProblem } from "./problem.ts";
import type { Shape } from "./shapes.ts";
import type { OnnxNode } from "./translator.ts";

/** One spatial axis: window `o` covers the positions o stride - begin + k dilation, k < kernel, as far as they exist. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first position. */
  readonly begin: number;
}

/** Position `k` of the window `coarse` lies on position `fine`. */
export interface Tap {
  readonly coarse: number;
  readonly k: number;
  readonly fine: number;
}

/** The attributes that place windows. */
export const WINDOW_ATTRIBUTES = ["auto_pad", "dilations", "kernel_shape", "pads", "strides"] as const;

/** An axis of one position, so that one spatial dimension is read as two. */
export const TRIVIAL_AXIS: WindowAxis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, begin: 0 };

/** Channels on the two sides of windows, and what is computed side by side. */
export interface Channels {
  readonly batch: number;
  readonly groups: number;
  readonly coarse: number;
  readonly fine: number;
}

/**
 * The windows over one or two axes, as the graph has them: from the axes' input to their output, or back when
 * `transposed`. A step that is never taken is 1.
 */
export function windowsOf(axes: readonly WindowAxis[], transposed: boolean, channels: Channels): Windows {
  const plane = asPlane(axes);
  const pair = (numberOf: (axis: WindowAxis) => number) => [numberOf(plane[0]), numberOf(plane[1])] as const;
  const coarse = pair((axis) => transposed ? axis.input : axis.output);
  const fine = pair((axis) => transposed ? axis.output : axis.input);
  return {
    batch: channels.batch,
    groups: channels.groups,
    coarse: { channels: channels.coarse, height: coarse[0], width: coarse[1] },
    fine: { channels: channels.fine, height: fine[0], width: fine[1] },
    kernel: pair((axis) => axis.kernel),
    stride: pair(({ stride, input, output }) => (transposed ? input : output) === 1 ? 1 : stride),
    dilation: pair(({ dilation, kernel }) => kernel === 1 ? 1 : dilation),
    begin: pair((axis) => axis.begin),
  };
}

/** Refuses the windows that {@link windowsProblem} finds something wrong with. */
export function checkWindows(windows: Windows, place: Place): void {
  const problem = windowsProblem(windows);
  if (problem === null) return;
  const { text, limit, got } = problem;
  throw problemAt(place, text, "unsupported-attribute", { limit, got });
}

/**
 * What is wrong with windows whose positions leave the range of an i32, or that see so little but padding that a sum over
 * them would be mostly about positions that do not exist; null for any others.
 */
export function windowsProblem({ coarse, fine, kernel, stride, dilation, begin }: Windows) {
  const sides = [[coarse.height, fine.height], [coarse.width, fine.width]] as const;
  for (const [axis, [windows, positions]] of sides.entries()) {
    const reach = Math.max(Math.abs(begin[axis]), (windows - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis]);
    if (reach > MAX_REACH) return { text: "the windows reach too far", limit: MAX_REACH, got: reach };
    let seen = 0;
    for (let window = 0; window < windows; window++) {
      const start = window * stride[axis] - begin[axis];
      const { first, last } = existing(start, positions, kernel[axis], dilation[axis]);
      seen += Math.max(0, last - first + 1);
    }
    const limit = LEAST_WINDOWS + MOST_PADDING * seen;
    const got = windows * kernel[axis];
    if (got > limit) return { text: "the windows see little but padding", limit, got };
  }
  return null;
}

/** Positions of all windows along an axis, padding included, for one that exists; a few windows may see less. */
const MOST_PADDING = 16, LEAST_WINDOWS = 1024;

/** The first and the last position of a kernel that lies on an axis of so many positions. */
function existing(start: number, positions: number, kernel: number, dilation: number) {
  return {
    first: Math.max(0, Math.ceil(-start / dilation)),
    last: Math.min(kernel - 1, Math.floor((positions - 1 - start) / dilation)),
  };
}

/** Axes of one or two dimensions as two. */
export function asPlane(axes: readonly WindowAxis[]): readonly [WindowAxis, WindowAxis] {
  return axes.length === 1 ? [TRIVIAL_AXIS, axes[0]] : [axes[0], axes[1]];
}

/** The spatial sizes of a tensor [N, C, ...] of one or two spatial dimensions. */
export function spatialShape(shape: Shape, place: Place): Shape {
  if (shape.length !== 3 && shape.length !== 4) {
    throw shapeProblem(place, "one or two spatial dimensions are supported", "rank 3 or 4", shape.length);
  }
  return shape.slice(2);
}

/** An attribute with a number for each spatial axis, at least `least`. */
function perAxis(node: OnnxNode, name: string, length: number, least: number, otherwise: number): number[] {
  const given = node.attributes.integers(name) ?? new Array<number>(length).fill(otherwise);
  if (given.length !== length || given.some((value) => value < least || value > 2 ** 31)) {
    throw shapeProblem(node.place, `${name} [${given}] must be ${length} integers of ${least} or more`, length, given);
  }
  return given;
}

/** What the attributes say about the windows, before the sizes of the output are known. */
export interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after each axis; null where auto_pad decides. */
  readonly pads: readonly number[] | null;
  readonly autoPad: AutoPad;
}

type AutoPad = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

function isAutoPad(value: string): value is AutoPad {
  return ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(value);
}

/** Reads the window attributes; `kernel` is the kernel's own shape where there is one. */
export function windowAttributes(node: OnnxNode, spatial: number, kernel: readonly number[] | null): WindowAttributes {
  const { place, attributes } = node;
  const autoPad = attributes.text("auto_pad", "NOTSET");
  if (!isAutoPad(autoPad)) throw problemAt(place, `auto_pad "${autoPad}" is not supported`);
  if (kernel === null && !attributes.has("kernel_shape")) throw problemAt(place, "kernel_shape is missing");
  const named = attributes.has("kernel_shape") ? perAxis(node, "kernel_shape", spatial, 1, 1) : kernel ?? [];
  if (kernel !== null && named.some((size, axis) => size !== kernel[axis])) {
    throw shapeProblem(place, "kernel_shape is not the kernel's", kernel, named);
  }
  const pads = perAxis(node, "pads", 2 * spatial, 0, 0);
  if (autoPad !== "NOTSET" && pads.some((pad) => pad !== 0)) throw problemAt(place, "auto_pad and pads are both given");
  return {
    kernel: named,
    strides: perAxis(node, "strides", spatial, 1, 1),
    dilations: perAxis(node, "dilations", spatial, 1, 1),
    pads: autoPad === "NOTSET" ? pads : autoPad === "VALID" ? new Array<number>(2 * spatial).fill(0) : null,
    autoPad,
  };
}

/** Positions a window reaches over, the skipped ones included. */
export function extent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** Splits the padding of an axis; the odd one comes last for SAME_UPPER and first otherwise. */
export function paddingBefore(total: number, autoPad: AutoPad): number {
  return autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
}

/** The axes of a convolution or pooling over `input`; with `ceil` a last window that reaches out is refused. */
export function windowAxes(node: OnnxNode, input: Shape, attributes: WindowAttributes, ceil = false): WindowAxis[] {
  const { kernel, strides, dilations, pads, autoPad } = attributes;
  return input.map((size, axis) => {
    const stride = strides[axis], dilation = dilations[axis];
    const reach = extent(kernel[axis], dilation);
    const same = Math.ceil(size / stride);
    const begin = pads?.[axis] ?? paddingBefore(Math.max((same - 1) * stride + reach - size, 0), autoPad);
    const room = size + begin + (pads?.[axis + input.length] ?? 0) - reach;
    const output = pads === null ? same : Math.floor(room / stride) + 1;
    if (output < 1) throw shapeProblem(node.place, "the window is larger than the tensor", reach, input);
    if (ceil && pads !== null && room % stride !== 0) {
      throw problemAt(node.place, "ceil_mode 1 with a last window that is not full is not supported");
    }
    return { input: size, output, kernel: kernel[axis], stride, dilation, begin };
  });
}

/**
 * Every pair of a window (of `coarse` many) and a position it covers (of `fine` many).
 *
 * At most coarse times fine of them, however large the kernel says it is: only positions that exist are visited.
 */
export function tapsOf({ kernel, stride, dilation, begin }: WindowAxis, coarse: number, fine: number): Tap[] {
  const taps: Tap[] = [];
  for (let window = 0; window < coarse; window++) {
    const start = window * stride - begin;
    const { first, last } = existing(start, fine, kernel, dilation);
    for (let k = first; k <= last; k++) taps.push({ coarse: window, k, fine: start + k * dilation });
  }
  return taps;
}
