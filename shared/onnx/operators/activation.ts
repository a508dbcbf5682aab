/** Nonlinearities that treat every value by itself: Relu, LeakyRelu, PRelu, Clip, Abs. */
import type { NodeId } from "../../graph.ts";
import { exactProduct } from "../exact.ts";
import type { ForwardNodes } from "../forward_nodes.ts";
import { problemAt, shapeProblem } from "../problem.ts";
import { aligned } from "../selection.ts";
import { broadcast, broadcastIndices, count, sameShape } from "../shapes.ts";
import { floatsOf, type OnnxNode, optional, required, type Translator } from "../translator.ts";
import type { Value } from "../value.ts";

/** What the operator does to one constant, and the node it is on a tensor of the network. */
interface Activation {
  constant(element: number): number;
  add(forward: ForwardNodes, at: { inputs: NodeId[]; size: number; name: string }): NodeId;
}

function apply(value: Value, activation: Activation, { place, forward }: OnnxNode): Value {
  if (value.kind === "integers") throw problemAt(place, `${place.operator} of integers is not supported`);
  if (value.kind === "floats") {
    forward.spend(value.elements.length, place);
    return { ...value, elements: value.elements.map((element) => activation.constant(element)) };
  }
  const size = forward.nodes[value.node].size;
  forward.spend(2 * size, place);
  // The whole node behind the view: the view then shows the same places of the new one.
  return { ...value, node: activation.add(forward, { inputs: [value.node], size, name: String(place.node) }) };
}

const RELU: Activation = {
  constant: (element) => Math.max(element, 0),
  add: (forward, at) => forward.add({ ...at, operator: "relu" }),
};

const ABS: Activation = {
  constant: Math.abs,
  add: (forward, at) => forward.add({ ...at, operator: "abs" }),
};

export const relu: Translator = {
  operator: "Relu",
  notes: "on floats",
  attributes: [],
  inputs: [1, 1],
  translate: (node) => [apply(required(node, 0), RELU, node)],
};

export const abs: Translator = {
  operator: "Abs",
  notes: "on floats",
  attributes: [],
  inputs: [1, 1],
  translate: (node) => [apply(required(node, 0), ABS, node)],
};

export const leakyRelu: Translator = {
  operator: "LeakyRelu",
  notes: "any finite alpha",
  attributes: ["alpha"],
  inputs: [1, 1],
  translate(node) {
    // The attribute is a float32, its default the float32 next to 0.01.
    const alpha = node.attributes.float("alpha", Math.fround(0.01));
    const slopes = (size: number) => new Float64Array(size).fill(alpha);
    return [
      apply(required(node, 0), {
        constant: (element) => element >= 0 ? element : foldedSlope(element, alpha, node),
        add: (forward, at) => forward.add({ ...at, operator: "leaky_relu", slopes: slopes(at.size) }),
      }, node),
    ];
  },
};

function foldedSlope(element: number, alpha: number, { place }: OnnxNode): number {
  const product = exactProduct(element, alpha);
  if (product === null) throw problemAt(place, "LeakyRelu of a constant cannot be folded without rounding");
  return product;
}

export const pRelu: Translator = {
  operator: "PRelu",
  notes: "slopes constant, broadcast to the tensor's shape",
  attributes: [],
  inputs: [2, 2],
  translate(node) {
    const { place, forward } = node;
    const value = required(node, 0);
    if (value.kind !== "view") throw problemAt(place, "PRelu of a constant is not supported");
    const constant = floatsOf(required(node, 1), value.type, "the slope", place);
    const shape = broadcast(value.shape, constant.shape);
    if (shape === null || !sameShape(shape, value.shape)) {
      throw shapeProblem(place, "the slope does not broadcast to the tensor", value.shape, constant.shape);
    }
    const { view, inNodeOrder } = aligned(value, forward, place);
    forward.spend(3 * count(shape), place);
    const indices = broadcastIndices(constant.shape, shape);
    const slopes = inNodeOrder(Float64Array.from(indices, (index) => constant.elements[index]));
    const size = slopes.length;
    const id = forward.add({ operator: "leaky_relu", inputs: [view.node], size, name: String(place.node), slopes });
    return [{ ...view, node: id }];
  },
};

export const clip: Translator = {
  operator: "Clip",
  notes: "min and max absent or constant; max where min is above it",
  attributes: ["min", "max"],
  inputs: [1, 3],
  translate(node) {
    const value = required(node, 0);
    const upper = endOf(node, value, 2, "max", Infinity);
    const lower = Math.min(endOf(node, value, 1, "min", -Infinity), upper);
    if (lower === -Infinity && upper === Infinity) return [value];
    if (lower === 0 && upper === Infinity) return [apply(value, RELU, node)];
    const ends = (size: number) => ({
      lower: new Float64Array(size).fill(lower),
      upper: new Float64Array(size).fill(upper),
    });
    return [
      apply(value, {
        constant: (element) => Math.min(Math.max(element, lower), upper),
        add: (forward, at) => forward.add({ ...at, operator: "clip", ...ends(at.size) }),
      }, node),
    ];
  },
};

/** An end of the range: an attribute before opset 11, then an input of one number. */
function endOf(node: OnnxNode, value: Value, index: number, name: string, otherwise: number): number {
  const { place, attributes, opset } = node;
  const input = optional(node, index);
  if (opset < 11) {
    if (input !== null) throw problemAt(place, `${name} is an input from opset 11 on`, "unreadable-model");
    return attributes.float(name, otherwise);
  }
  if (attributes.has(name)) throw problemAt(place, `attribute "${name}" ended with opset 10`);
  if (input === null) return otherwise;
  const { elements } = floatsOf(input, value.type, name, place);
  if (elements.length !== 1) throw shapeProblem(place, `${name} must be one number`, 1, elements.length);
  return elements[0];
}
