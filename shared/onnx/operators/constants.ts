/** Operators that make constants or change their type. */
import { TensorProto_DataType as DataType } from "onnx-buf";
import { problemAt, shapeProblem } from "../problem.ts";
import { checkedCount } from "../shapes.ts";
import { elementType, elementTypeName } from "../tensor.ts";
import { checkIntegers, integersOf, type OnnxNode, required, type Translator } from "../translator.ts";
import type { Constant, FloatTensor, IntegerTensor, IntegerType, Value } from "../value.ts";

function integers(shape: readonly number[], values: readonly number[], type: IntegerType = "int64"): IntegerTensor {
  return { kind: "integers", type, shape, elements: BigInt64Array.from(values, BigInt) };
}

function floats(shape: readonly number[], values: readonly number[]): FloatTensor {
  return { kind: "floats", type: "float32", shape, elements: Float64Array.from(values) };
}

export const constant: Translator = {
  operator: "Constant",
  notes: "value, value_float(s), value_int(s)",
  attributes: ["value", "value_float", "value_floats", "value_int", "value_ints"],
  inputs: [0, 0],
  translate({ attributes, place }) {
    const value = attributes.tensor("value");
    if (value !== null) return [value];
    const list = attributes.floats("value_floats");
    if (list !== null) return [floats([list.length], list)];
    const numbers = attributes.integers("value_ints");
    if (numbers !== null) return [integers([numbers.length], numbers)];
    if (attributes.has("value_float")) return [floats([], [attributes.float("value_float", 0)])];
    if (attributes.has("value_int")) return [integers([], [attributes.integer("value_int", 0)])];
    throw problemAt(place, "the constant has no value");
  },
};

export const constantOfShape: Translator = {
  operator: "ConstantOfShape",
  notes: "of a constant shape",
  attributes: ["value"],
  inputs: [1, 1],
  translate(node) {
    const { attributes, place, forward } = node;
    const shape = integersOf(required(node, 0), "the shape", place);
    if (shape.some((size) => size < 0)) {
      throw shapeProblem(place, `shape [${shape}] has a negative size`, "0 or more", shape);
    }
    const elements = checkedCount(shape, place);
    const value: Constant = attributes.tensor("value") ?? floats([1], [0]);
    if (value.elements.length !== 1) {
      throw shapeProblem(place, "the value must be one number", 1, value.elements.length);
    }
    forward.spend(elements, place);
    if (value.kind === "floats") {
      return [{ ...value, shape, elements: new Float64Array(elements).fill(value.elements[0]) }];
    }
    checkIntegers(elements, place);
    return [{ ...value, shape, elements: new BigInt64Array(elements).fill(value.elements[0]) }];
  },
};

export const shapeOf: Translator = {
  operator: "Shape",
  notes: "with the batch dimension 1",
  attributes: ["start", "end"],
  inputs: [1, 1],
  translate(node) {
    const { shape } = required(node, 0);
    const part = shape.slice(node.attributes.integer("start", 0), node.attributes.integer("end", shape.length));
    return [integers([part.length], part)];
  },
};

export const cast: Translator = {
  operator: "Cast",
  notes: "of constants; of the network's tensors to the same type or from float to double",
  attributes: ["to", "saturate", "round_mode"],
  inputs: [1, 1],
  translate(node) {
    const { place, attributes } = node;
    const to = attributes.integer("to", DataType.UNDEFINED);
    const type = elementType(to);
    if (type === null) throw problemAt(place, `Cast to ${elementTypeName(to)} is not supported`);
    const value = required(node, 0);
    if (value.type === type) return [value];
    if (value.kind === "view") {
      if (value.type === "float32" && type === "float64") return [{ ...value, type }];
      // It rounds, so it is no identity over the reals.
      throw problemAt(
        place,
        `Cast from ${value.type} to ${type} of a tensor that depends on the input is not supported`,
      );
    }
    node.forward.spend(value.elements.length, place);
    if (type === "float32" || type === "float64") return [toFloats(value, type, node)];
    return [toIntegers(value, type, node)];
  },
};

function toFloats(value: Constant, type: FloatTensor["type"], { place }: OnnxNode): Value {
  const elements = Float64Array.from(value.elements as Iterable<number | bigint>, (element) => {
    const number = Number(element);
    if (typeof element === "bigint" && !Number.isSafeInteger(number)) {
      throw problemAt(place, `Cast of ${element} rounds`);
    }
    const rounded = type === "float32" ? Math.fround(number) : number;
    if (!Number.isFinite(rounded)) throw problemAt(place, `Cast of ${element} to ${type} overflows`);
    return rounded;
  });
  return { kind: "floats", type, shape: value.shape, elements };
}

function toIntegers(value: Constant, type: IntegerType, { place }: OnnxNode): Value {
  checkIntegers(value.elements.length, place);
  const elements = BigInt64Array.from(value.elements as Iterable<number | bigint>, (element) => {
    if (type === "bool") return Number(element) !== 0 ? 1n : 0n;
    // A fraction would be cut, and which way a value next to an integer falls depends on how it was rounded before.
    if (typeof element === "number" && !Number.isSafeInteger(element)) {
      throw problemAt(place, `Cast of ${element} is inexact`);
    }
    const integer = BigInt(element);
    if (BigInt.asIntN(type === "int32" ? 32 : 64, integer) !== integer) {
      throw problemAt(place, `Cast of ${element} overflows`);
    }
    return integer;
  });
  return { kind: "integers", type, shape: value.shape, elements };
}
