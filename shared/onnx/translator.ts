import type { AttributeNames, Attributes } from "./attributes.ts";
import type { ForwardNodes } from "./forward_nodes.ts";
import { MAX_INTEGER_ELEMENTS } from "./limits.ts";
import { type Place, problemAt } from "./problem.ts";
import { type FloatTensor, safeInteger, type Value } from "./value.ts";

/** One node of the file with its inputs already translated. */
export interface OnnxNode {
  readonly place: Place;
  readonly opset: number;
  readonly attributes: Attributes;
  /** null where an optional input is left out. */
  readonly inputs: readonly (Value | null)[];
  /** How many outputs the file names. */
  readonly outputs: number;
  readonly forward: ForwardNodes;
}

/** How one ONNX operator is read; the registry is the list of these. */
export interface Translator {
  readonly operator: string;
  /** In which form, in one sentence; part of the API's capabilities. */
  readonly notes: string;
  readonly attributes: AttributeNames;
  /** The least and the greatest number of inputs. */
  readonly inputs: readonly [number, number];
  /** Values of the first outputs; the others are not supported. Throws `LipcertError` naming the node. */
  translate(node: OnnxNode): Value[];
}

/** Input `index`, which must be given. */
export function required(node: OnnxNode, index: number): Value {
  const value = node.inputs[index];
  if (value === undefined || value === null) throw problemAt(node.place, `input ${index} is missing`);
  return value;
}

/** Input `index` if it is given. */
export function optional(node: OnnxNode, index: number): Value | null {
  return node.inputs[index] ?? null;
}

/** A list of integers that must be a constant: axes, shapes, indices. */
export function integersOf(value: Value, what: string, place: Place): number[] {
  if (value.kind !== "integers") throw problemAt(place, `${what} must be constant integers`);
  if (value.shape.length > 1) throw problemAt(place, `${what} must be a list`, "shape-mismatch");
  return Array.from(value.elements, (element) => safeInteger(element, place));
}

/** A float constant of the same element type as the tensor it meets. */
export function floatsOf(value: Value, type: string, what: string, place: Place): FloatTensor {
  if (value.kind !== "floats") throw problemAt(place, `${what} must be a constant of floats`);
  if (value.type !== type) {
    throw problemAt(place, `${what} has another element type`, "shape-mismatch", { wanted: type, got: value.type });
  }
  return value;
}

/** Refuses an integer constant larger than any shape or list of indices needs. */
export function checkIntegers(elements: number, place: Place): void {
  if (elements > MAX_INTEGER_ELEMENTS) {
    throw problemAt(place, "a constant holds too many integers", "unsupported-attribute", {
      limit: MAX_INTEGER_ELEMENTS,
      got: elements,
    });
  }
}
