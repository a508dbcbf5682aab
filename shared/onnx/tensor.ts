import { type TensorProto, TensorProto_DataLocation as DataLocation, TensorProto_DataType as DataType } from "onnx-buf";
import { MAX_INTEGER_ELEMENTS, MAX_RANK, MAX_TENSOR_ELEMENTS } from "./limits.ts";
import { unreadable } from "./problem.ts";
import { count } from "./shapes.ts";
import type { Constant, FloatType, IntegerType } from "./value.ts";

/** Element types that are read, by their number in the file, with the bytes an element takes as raw data. */
const ELEMENT_TYPES = new Map<number, { readonly type: FloatType | IntegerType; readonly bytes: number }>([
  [DataType.FLOAT, { type: "float32", bytes: 4 }],
  [DataType.DOUBLE, { type: "float64", bytes: 8 }],
  [DataType.INT64, { type: "int64", bytes: 8 }],
  [DataType.INT32, { type: "int32", bytes: 4 }],
  [DataType.BOOL, { type: "bool", bytes: 1 }],
]);

/** The element type of that number, or null where it is none that is read. */
export function elementType(dataType: number): FloatType | IntegerType | null {
  return ELEMENT_TYPES.get(dataType)?.type ?? null;
}

/** The name ONNX gives to the number of an element type. */
export function elementTypeName(dataType: number): string {
  return DataType[dataType] ?? `number ${dataType}`;
}

/**
 * Checks a tensor of the file without allocating: data inside the file, dimensions in range, and as many numbers present
 * as the dimensions declare (element types that are not read are left to {@link readTensor}).
 *
 * Throws: `unreadable-model` naming the tensor.
 */
export function checkTensor(tensor: TensorProto, what: string): void {
  if (tensor.dataLocation !== DataLocation.DEFAULT || tensor.externalData.length > 0) {
    throw unreadable(`${what} keeps its data outside the file`, {
      wanted: "data inside the file",
      got: "external data",
    });
  }
  if (tensor.segment !== undefined) throw unreadable(`${what} is stored in segments`);
  if (tensor.dims.length > MAX_RANK || tensor.dims.some((size) => size < 0n)) {
    throw unreadable(`${what} has impossible dimensions [${tensor.dims.slice(0, MAX_RANK)}]`);
  }
  const elements = count(tensor.dims.map(Number));
  if (!(elements <= MAX_TENSOR_ELEMENTS)) {
    throw unreadable(`${what} declares too many elements`, { limit: MAX_TENSOR_ELEMENTS, got: elements });
  }
  const known = ELEMENT_TYPES.get(tensor.dataType);
  if (known === undefined) return;
  const present = presentElements(tensor, known.type, known.bytes);
  if (present !== elements) {
    throw unreadable(`${what} declares ${elements} elements and holds ${present}`, { wanted: elements, got: present });
  }
}

function typedData(tensor: TensorProto, type: FloatType | IntegerType): readonly (number | bigint)[] {
  if (type === "float32") return tensor.floatData;
  if (type === "float64") return tensor.doubleData;
  return type === "int64" ? tensor.int64Data : tensor.int32Data;
}

function presentElements(tensor: TensorProto, type: FloatType | IntegerType, bytes: number): number {
  const typed = typedData(tensor, type).length;
  if (tensor.rawData.length === 0) return typed;
  return typed === 0 ? tensor.rawData.length / bytes : NaN; // both at once says two different things
}

/**
 * A tensor of the file as a constant: float32 and float64 become the doubles of the same value, integers stay exact.
 *
 * Throws: `unreadable-model` as {@link checkTensor}, and for NaN, infinities and element types that are not read.
 */
export function readTensor(tensor: TensorProto, what: string): Constant {
  checkTensor(tensor, what);
  const type = elementType(tensor.dataType);
  if (type === null) {
    throw unreadable(`${what} has element type ${elementTypeName(tensor.dataType)}`, {
      supported: [...ELEMENT_TYPES.keys()].map(elementTypeName),
    });
  }
  const shape = tensor.dims.map(Number);
  if (type === "float32" || type === "float64") {
    const elements = readFloats(tensor, type, count(shape));
    const broken = elements.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) throw unreadable(`${what} holds ${elements[broken]} at element ${broken}`, { element: broken });
    return { kind: "floats", type, shape, elements };
  }
  if (count(shape) > MAX_INTEGER_ELEMENTS) {
    throw unreadable(`${what} holds too many integers`, { limit: MAX_INTEGER_ELEMENTS, got: count(shape) });
  }
  return { kind: "integers", type, shape, elements: readIntegers(tensor, type, count(shape)) };
}

function readFloats(tensor: TensorProto, type: FloatType, length: number): Float64Array {
  if (tensor.rawData.length === 0) return Float64Array.from(type === "float32" ? tensor.floatData : tensor.doubleData);
  const raw = rawView(tensor);
  const out = new Float64Array(length);
  if (type === "float32") { for (let i = 0; i < length; i++) out[i] = raw.getFloat32(4 * i, true); }
  else for (let i = 0; i < length; i++) out[i] = raw.getFloat64(8 * i, true);
  return out;
}

function readIntegers(tensor: TensorProto, type: IntegerType, length: number): BigInt64Array {
  if (tensor.rawData.length === 0) return BigInt64Array.from(typedData(tensor, type), BigInt);
  const raw = rawView(tensor);
  return BigInt64Array.from({ length }, (_, i) => {
    if (type === "int64") return raw.getBigInt64(8 * i, true);
    return BigInt(type === "int32" ? raw.getInt32(4 * i, true) : raw.getUint8(i));
  });
}

function rawView(tensor: TensorProto): DataView {
  return new DataView(tensor.rawData.buffer, tensor.rawData.byteOffset, tensor.rawData.byteLength);
}
