import type { TensorShapeProto, TypeProto_Tensor, ValueInfoProto } from "onnx-buf";
import { LipcertError } from "../errors.ts";
import { MAX_RANK, MAX_TENSOR_ELEMENTS } from "./limits.ts";
import { short, unreadable } from "./problem.ts";
import { count, type Shape } from "./shapes.ts";
import { elementType, elementTypeName } from "./tensor.ts";
import type { FloatType, View } from "./value.ts";

/** A size, or null where the file has a symbol or nothing. */
type DeclaredSize = number | null;

function tensorType(info: ValueInfoProto, what: string): TypeProto_Tensor {
  const type = info.type?.value;
  if (type?.case !== "tensorType") throw unreadable(`the ${what} ${JSON.stringify(short(info.name))} is no tensor`);
  return type.value;
}

function declaredSizes(shape: TensorShapeProto): DeclaredSize[] {
  return shape.dim.map(({ value }) => value.case === "dimValue" ? Number(value.value) : null);
}

/**
 * Element type and shape of the input, with 1 for a first dimension that has no size (the batch).
 *
 * Throws: `unreadable-model` for other element types; `shape-mismatch` naming the input where a size is missing elsewhere.
 */
export function inputOf(info: ValueInfoProto): { readonly type: FloatType; readonly shape: Shape } {
  const tensor = tensorType(info, "input");
  const name = JSON.stringify(short(info.name));
  const type = elementType(tensor.elemType);
  if (type !== "float32" && type !== "float64") {
    throw unreadable(`the input ${name} has element type ${elementTypeName(tensor.elemType)}`, {
      supported: ["FLOAT", "DOUBLE"],
    });
  }
  if (tensor.shape === undefined) throw mismatch(info, `the input ${name} declares no shape`, "a shape", null);
  const declared = declaredSizes(tensor.shape);
  if (declared.length > MAX_RANK) {
    throw mismatch(info, `the input ${name} has too many dimensions`, MAX_RANK, declared.length);
  }
  const shape = declared.map((size, axis) => size === null && axis === 0 && declared.length >= 2 ? 1 : size);
  const sizes = shape.filter((size): size is number => size !== null && size >= 1);
  if (sizes.length !== shape.length) {
    throw mismatch(info, `the input ${name} has a dimension without a size`, "sizes of 1 or more", declared);
  }
  if (!(count(sizes) <= MAX_TENSOR_ELEMENTS)) {
    throw mismatch(info, `the input ${name} is too large`, MAX_TENSOR_ELEMENTS, count(sizes));
  }
  return { type, shape: sizes };
}

/**
 * Compares an output with what the file declares about it; a symbol matches every size.
 *
 * Throws: `shape-mismatch` naming the output.
 */
export function checkOutput(info: ValueInfoProto, output: { readonly type: string; readonly shape: Shape }): void {
  if (info.type === undefined) return;
  const tensor = tensorType(info, "output");
  const name = JSON.stringify(short(info.name));
  const type = elementType(tensor.elemType);
  if (tensor.elemType !== 0 && type !== output.type) {
    throw mismatch(
      info,
      `the output ${name} declares another element type`,
      elementTypeName(tensor.elemType),
      output.type,
    );
  }
  if (tensor.shape === undefined) return;
  const declared = declaredSizes(tensor.shape);
  const fits = declared.length === output.shape.length &&
    declared.every((size, axis) => size === null || size === output.shape[axis]);
  if (!fits) throw mismatch(info, `the output ${name} declares another shape`, declared, output.shape);
}

function mismatch(info: ValueInfoProto, text: string, wanted: unknown, got: unknown): LipcertError {
  return new LipcertError("shape-mismatch", `Cannot read model: ${text}`, { name: short(info.name), wanted, got });
}

/** A shape without its batch dimension of 1. */
export function withoutBatch(shape: Shape): Shape {
  return shape.length >= 2 && shape[0] === 1 ? shape.slice(1) : shape;
}

/** The whole input as a view of node 0. */
export function inputView(input: { readonly type: FloatType; readonly shape: Shape }): View {
  return { kind: "view", type: input.type, shape: input.shape, node: 0, map: null };
}
