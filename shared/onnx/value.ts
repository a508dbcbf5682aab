import type { NodeId } from "../graph.ts";
import type { Place } from "./problem.ts";
import { problemAt } from "./problem.ts";
import type { Shape } from "./shapes.ts";

export type FloatType = "float32" | "float64";
export type IntegerType = "int64" | "int32" | "bool";

/** A constant of floats; every number is finite and is the exact real the network uses. */
export interface FloatTensor {
  readonly kind: "floats";
  readonly type: FloatType;
  readonly shape: Shape;
  /** Row-major; shared, never written to. */
  readonly elements: Float64Array;
}

/** A constant of integers, exact. */
export interface IntegerTensor {
  readonly kind: "integers";
  readonly type: IntegerType;
  readonly shape: Shape;
  readonly elements: BigInt64Array;
}

/**
 * A tensor that depends on the input: element i (row-major) is value `map[i]` of the node, value i where `map` is null
 * (then the tensor has as many elements as the node). Reshaping and transposing only change the view.
 */
export interface View {
  readonly kind: "view";
  readonly type: FloatType;
  readonly shape: Shape;
  readonly node: NodeId;
  readonly map: Int32Array | null;
}

export type Constant = FloatTensor | IntegerTensor;
export type Value = Constant | View;

/** An integer of the file as a number; one that is not safe as a number is refused. */
export function safeInteger(value: bigint, place: Place): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw problemAt(place, `the integer ${value} is out of range`);
  return number;
}

/** An integer of the file as a number, cut to the safe range. */
export function clampedInteger(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}
