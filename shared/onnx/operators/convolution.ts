/** Conv and ConvTranspose over one or two spatial dimensions, as one dense matrix. */
import type { NodeId } from "../../graph.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { checkedCount, count, type Shape } from "../shapes.ts";
import { floatsOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { FloatTensor, View } from "../value.ts";
import {
  extent,
  paddingBefore,
  spatialShape,
  type Tap,
  tapsOf,
  TRIVIAL_AXIS,
  WINDOW_ATTRIBUTES,
  type WindowAttributes,
  windowAttributes,
  windowAxes,
  type WindowAxis,
} from "../windows.ts";

interface Operands {
  readonly view: View;
  readonly kernel: FloatTensor;
  readonly bias: FloatTensor | null;
  readonly group: number;
}

function operandsOf(node: OnnxNode): Operands {
  const { place, forward, attributes } = node;
  const value = required(node, 0);
  if (value.kind !== "view") throw problemAt(place, `${place.operator} of a constant is not supported`);
  const kernel = floatsOf(required(node, 1), value.type, "the kernel", place);
  spatialShape(value.shape, place);
  if (kernel.shape.length !== value.shape.length) {
    throw shapeProblem(place, "the kernel has another rank than the tensor", value.shape, kernel.shape);
  }
  const group = attributes.integer("group", 1);
  const [, channels] = value.shape;
  if (!(group >= 1 && channels % group === 0 && kernel.shape[0] % group === 0 && count(kernel.shape) > 0)) {
    throw shapeProblem(place, `${group} groups do not divide the channels`, value.shape, kernel.shape);
  }
  const bias = optional(node, 2);
  return {
    view: forward.distinct(value, place),
    kernel,
    bias: bias === null ? null : floatsOf(bias, value.type, "the bias", place),
    group,
  };
}

/** The matrix of a convolution: which kernel entry joins which channels, and which positions meet along each axis. */
interface Expansion {
  readonly outputs: { readonly channels: number; readonly spatial: Shape };
  readonly rowTaps: readonly Position[];
  readonly columnTaps: readonly Position[];
  /** Index of the kernel's first entry for an output and an input channel, both counted within the group. */
  kernelAt(group: number, output: number, input: number): number;
}

/** An output position, a kernel position and the input position they join. */
interface Position {
  readonly output: number;
  readonly k: number;
  readonly input: number;
}

function expand(node: OnnxNode, { view, kernel, bias, group }: Operands, expansion: Expansion): View {
  const { place, forward } = node;
  const [batch, channels, ...inputSizes] = view.shape;
  const { outputs, rowTaps, columnTaps } = expansion;
  const shape = [batch, outputs.channels, ...outputs.spatial];
  const inputArea = count(inputSizes), outputArea = count(outputs.spatial);
  const inputWidth = inputSizes[inputSizes.length - 1], outputWidth = outputs.spatial[outputs.spatial.length - 1];
  const kernelWidth = kernel.shape[kernel.shape.length - 1];
  const inputsOfGroup = channels / group, outputsOfGroup = outputs.channels / group;
  const join = (
    add: (row: number, column: number, weight: number) => void,
    outputStart: number,
    inputStart: number,
    entry: number,
  ) => {
    for (const r of rowTaps) {
      for (const c of columnTaps) {
        const weight = kernel.elements[entry + r.k * kernelWidth + c.k];
        if (weight === 0) continue;
        const element = inputStart + r.input * inputWidth + c.input;
        add(outputStart + r.output * outputWidth + c.output, view.map === null ? element : view.map[element], weight);
      }
    }
  };
  const id: NodeId = forward.matrix(view.node, checkedCount(shape, place), place, (add) => {
    for (let n = 0; n < batch; n++) {
      for (let output = 0; output < outputs.channels; output++) {
        const g = Math.floor(output / outputsOfGroup);
        for (let input = 0; input < inputsOfGroup; input++) {
          const outputStart = (n * outputs.channels + output) * outputArea;
          const inputStart = (n * channels + g * inputsOfGroup + input) * inputArea;
          join(add, outputStart, inputStart, expansion.kernelAt(g, output - g * outputsOfGroup, input));
        }
      }
    }
  }, spreadBias(node, bias, shape, outputArea));
  return { ...view, shape, node: id, map: null };
}

function spreadBias(node: OnnxNode, bias: FloatTensor | null, shape: Shape, area: number): Float64Array | null {
  if (bias === null) return null;
  const channels = shape[1];
  if (bias.shape.length !== 1 || bias.shape[0] !== channels) {
    throw shapeProblem(node.place, "the bias has another size than the output's channels", channels, bias.shape);
  }
  node.forward.spend(count(shape), node.place);
  return Float64Array.from({ length: count(shape) }, (_, i) => bias.elements[Math.floor(i / area) % channels]);
}

/** Axes of one or two dimensions as two. */
function asPlane(axes: readonly WindowAxis[]): readonly [WindowAxis, WindowAxis] {
  return axes.length === 1 ? [TRIVIAL_AXIS, axes[0]] : [axes[0], axes[1]];
}

export const conv: Translator = {
  operator: "Conv",
  notes: "1d and 2d with a constant kernel, expanded to a dense matrix; group, dilations, strides, pads, auto_pad",
  attributes: [...WINDOW_ATTRIBUTES, "group"],
  inputs: [2, 3],
  translate(node) {
    const operands = operandsOf(node);
    const { view, kernel, group } = operands;
    const [outputChannels, inputsOfGroup, ...kernelShape] = kernel.shape;
    if (inputsOfGroup * group !== view.shape[1]) {
      throw shapeProblem(node.place, "the kernel has other channels than the tensor", view.shape, kernel.shape);
    }
    const spatial = spatialShape(view.shape, node.place);
    const axes = windowAxes(node, spatial, windowAttributes(node, spatial.length, kernelShape));
    const outputs = { channels: outputChannels, spatial: axes.map((axis) => axis.output) };
    checkedCount([view.shape[0], outputChannels, ...outputs.spatial], node.place);
    const [rowTaps, columnTaps] = asPlane(axes).map((axis) => positions(node, axis, axis.output, axis.input, false));
    const kernelAt = (g: number, output: number, input: number) =>
      ((g * (outputChannels / group) + output) * inputsOfGroup + input) * count(kernelShape);
    return [expand(node, operands, { outputs, rowTaps, columnTaps, kernelAt })];
  },
};

export const convTranspose: Translator = {
  operator: "ConvTranspose",
  notes: "1d and 2d with a constant kernel, expanded to a dense matrix; as Conv, output_padding, output_shape",
  attributes: [...WINDOW_ATTRIBUTES, "group", "output_padding", "output_shape"],
  inputs: [2, 3],
  translate(node) {
    const operands = operandsOf(node);
    const { view, kernel, group } = operands;
    const [inputChannels, outputsOfGroup, ...kernelShape] = kernel.shape;
    if (inputChannels !== view.shape[1]) {
      throw shapeProblem(node.place, "the kernel has other channels than the tensor", view.shape, kernel.shape);
    }
    const spatial = spatialShape(view.shape, node.place);
    const axes = transposedAxes(node, spatial, windowAttributes(node, spatial.length, kernelShape));
    const outputs = { channels: outputsOfGroup * group, spatial: axes.map((axis) => axis.output) };
    checkedCount([view.shape[0], outputs.channels, ...outputs.spatial], node.place);
    const [rowTaps, columnTaps] = asPlane(axes).map((axis) => positions(node, axis, axis.input, axis.output, true));
    const kernelAt = (g: number, output: number, input: number) =>
      ((g * (inputChannels / group) + input) * outputsOfGroup + output) * count(kernelShape);
    return [expand(node, operands, { outputs, rowTaps, columnTaps, kernelAt })];
  },
};

/** The taps of an axis; a transposed convolution spreads each input over a window of outputs. */
function positions(node: OnnxNode, axis: WindowAxis, coarse: number, fine: number, transposed: boolean): Position[] {
  node.forward.spend(coarse * Math.min(fine, axis.kernel), node.place);
  return tapsOf(axis, coarse, fine).map(({ coarse, k, fine }: Tap): Position =>
    transposed ? { output: fine, k, input: coarse } : { output: coarse, k, input: fine }
  );
}

/** Axes of a transposed convolution: `output` positions are spread over by windows that start at the inputs. */
function transposedAxes(node: OnnxNode, input: Shape, attributes: WindowAttributes): WindowAxis[] {
  const { kernel, strides, dilations, pads, autoPad } = attributes;
  const { place } = node;
  const extra = node.attributes.integers("output_padding") ?? input.map(() => 0);
  // Some exporters give the whole shape of the output, others only its spatial sizes.
  const wanted = node.attributes.integers("output_shape")?.slice(-input.length) ?? null;
  if (extra.length !== input.length || extra.some((size) => size < 0) || (wanted && wanted.length !== input.length)) {
    throw shapeProblem(place, "output_padding or output_shape has a wrong length or sign", input.length, extra);
  }
  return input.map((size, axis) => {
    const stride = strides[axis], dilation = dilations[axis];
    const whole = stride * (size - 1) + extra[axis] + extent(kernel[axis], dilation);
    const decided = wanted?.[axis] ?? (pads === null ? size * stride : null);
    const total = decided === null ? 0 : whole - decided;
    if (total < 0) throw shapeProblem(place, "the output is larger than its windows reach", whole, decided);
    const begin = decided === null ? pads?.[axis] ?? 0 : paddingBefore(total, autoPad);
    const output = decided ?? whole - begin - (pads?.[axis + input.length] ?? 0);
    if (output < 1) throw shapeProblem(place, "the padding leaves no output", "1 or more", output);
    return { input: size, output, kernel: kernel[axis], stride, dilation, begin };
  });
}
