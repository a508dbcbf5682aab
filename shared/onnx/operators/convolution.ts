/** Conv and ConvTranspose over one or two spatial dimensions. */
import { problemAt, shapeProblem } from "../problem.ts";
import { checkedCount, count, type Shape } from "../shapes.ts";
import { floatsOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { FloatTensor, View } from "../value.ts";
import {
  extent,
  paddingBefore,
  spatialShape,
  WINDOW_ATTRIBUTES,
  type WindowAttributes,
  windowAttributes,
  windowAxes,
  type WindowAxis,
  windowsOf,
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
    view: forward.materialize(value, place),
    kernel,
    bias: bias === null ? null : floatsOf(bias, value.type, "the bias", place),
    group,
  };
}

/** The operands joined by windows over `axes`, from the tensor to `channels` channels of the axes' outputs. */
function convolved(
  node: OnnxNode,
  { view, kernel, bias, group }: Operands,
  axes: readonly WindowAxis[],
  channels: number,
  transposed: boolean,
): View {
  const { place, forward } = node;
  const [batch, inputs] = view.shape;
  const shape = [batch, channels, ...axes.map((axis) => axis.output)];
  checkedCount(shape, place);
  const [coarse, fine] = transposed ? [inputs, channels] : [channels, inputs];
  const windows = windowsOf(axes, transposed, { batch, groups: group, coarse, fine });
  const offsets = spreadBias(node, bias, shape);
  const id = forward.convolution(view.node, kernel.elements, windows, transposed, offsets, place);
  return { ...view, shape, node: id, map: null };
}

/** The bias for every value, or null. */
function spreadBias(node: OnnxNode, bias: FloatTensor | null, shape: Shape): Float64Array | null {
  if (bias === null) return null;
  const [, channels, ...spatial] = shape;
  const area = count(spatial);
  if (bias.shape.length !== 1 || bias.shape[0] !== channels) {
    throw shapeProblem(node.place, "the bias has another size than the output's channels", channels, bias.shape);
  }
  node.forward.spend(count(shape), node.place);
  return Float64Array.from({ length: count(shape) }, (_, i) => bias.elements[Math.floor(i / area) % channels]);
}

export const conv: Translator = {
  operator: "Conv",
  notes: "1d and 2d with a constant kernel; group, dilations, strides, pads, auto_pad",
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
    return [convolved(node, operands, axes, outputChannels, false)];
  },
};

export const convTranspose: Translator = {
  operator: "ConvTranspose",
  notes: "1d and 2d with a constant kernel; as Conv, output_padding, output_shape",
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
    return [convolved(node, operands, axes, outputsOfGroup * group, true)];
  },
};

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
