/** A small writer of ONNX bytes, so that test models are made in TypeScript and say what they hold. */
import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "onnx-buf";

/** A message given by its fields alone. */
type Fields<Schema extends DescMessage> = Exclude<MessageInitShape<Schema>, MessageShape<Schema>>;
export type TensorInit = Fields<typeof TensorProtoSchema>;
export type NodeInit = Fields<typeof NodeProtoSchema>;
export type AttributeInit = Fields<typeof AttributeProtoSchema>;
export type GraphInit = Fields<typeof GraphProtoSchema>;
export type ModelInit = Fields<typeof ModelProtoSchema>;
export type FloatType = "float32" | "float64";

/** A dimension of a declared shape: a size, a symbol, or "" for a dimension without a value. */
export type Dimension = number | string;

const FLOAT_TYPES: Record<FloatType, DataType> = { float32: DataType.FLOAT, float64: DataType.DOUBLE };

/** A tensor of floats as raw little-endian data, `values` flat and row-major (rounded to float32 for that type). */
export function floats(name: string, shape: readonly number[], values: readonly number[], type: FloatType): TensorInit {
  const typed = type === "float32" ? new Float32Array(values) : new Float64Array(values);
  return { name, dims: shape.map(BigInt), dataType: FLOAT_TYPES[type], rawData: new Uint8Array(typed.buffer) };
}

/** A tensor of int64 as typed data. */
export function ints(name: string, shape: readonly number[], values: readonly (number | bigint)[]): TensorInit {
  return { name, dims: shape.map(BigInt), dataType: DataType.INT64, int64Data: values.map(BigInt) };
}

/** Attributes by value: an integer number is an int, a bigint too, an array of them ints, a string a string, a tensor a tensor; `{ float: v }` a float. */
export type AttributeValue = number | bigint | string | readonly number[] | TensorInit | { readonly float: number };

/** A node; attributes as in {@link AttributeValue}. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  name = "",
): NodeInit {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
  return { opType, input: [...input], output: [...output], attribute, name };
}

function attributeOf(name: string, value: AttributeValue): AttributeInit {
  if (typeof value === "number" || typeof value === "bigint") {
    return { name, type: AttributeType.INT, i: BigInt(value) };
  }
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (isInts(value)) return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.TENSOR, t: value };
}

function isInts(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value);
}

/** A declared input or output. */
export function declare(
  name: string,
  shape: readonly Dimension[],
  type: FloatType | "int64",
): Fields<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) => ({
    value: typeof size === "number"
      ? { case: "dimValue" as const, value: BigInt(size) }
      : size === ""
      ? { case: undefined }
      : { case: "dimParam" as const, value: size },
  }));
  const elemType = type === "int64" ? DataType.INT64 : FLOAT_TYPES[type];
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } };
}

/** The bytes of a model of one graph in the default domain. */
export function buildModel(graph: GraphInit, opset = 13, more: ModelInit = {}): Uint8Array<ArrayBuffer> {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    producerName: "lipcert tests",
    graph: { name: "g", ...graph },
    ...more,
  });
  return toBinary(ModelProtoSchema, model);
}

export interface MlpLayer {
  /** [outputs][inputs] */
  readonly weights: readonly (readonly number[])[];
  readonly bias?: readonly number[];
}

export interface MlpDescription {
  readonly layers: readonly MlpLayer[];
  readonly type: FloatType;
  readonly opset?: number;
  readonly inputName?: string;
  readonly outputName?: string;
  /** First dimension of the input: 1 unless told (a string is a symbol). */
  readonly batch?: Dimension;
}

/** A fully connected network with Relu between its layers, as Gemm (transB = 1) nodes, the way torch writes it. */
export function buildMlp(description: MlpDescription): Uint8Array<ArrayBuffer> {
  const { layers, type, opset = 13, inputName = "x", outputName = "y", batch = 1 } = description;
  const nodes: NodeInit[] = [];
  const initializer: TensorInit[] = [];
  let value = inputName;
  layers.forEach((layer, index) => {
    const columns = layer.weights[0].length;
    const rows = layer.weights.length;
    const last = index === layers.length - 1;
    const affine = last ? outputName : `z${index}`;
    initializer.push(floats(`w${index}`, [rows, columns], layer.weights.flat(), type));
    const input = [value, `w${index}`];
    if (layer.bias !== undefined) {
      initializer.push(floats(`b${index}`, [rows], layer.bias, type));
      input.push(`b${index}`);
    }
    // Before opset 11 Gemm needs its third input.
    if (layer.bias === undefined && opset < 11) {
      initializer.push(floats(`b${index}`, [1], [0], type));
      input.push(`b${index}`);
    }
    nodes.push(node("Gemm", input, [affine], { transB: 1 }, `gemm${index}`));
    if (!last) nodes.push(node("Relu", [affine], [`h${index}`], {}, `relu${index}`));
    value = last ? affine : `h${index}`;
  });
  const inputSize = layers[0].weights[0].length;
  const outputSize = layers[layers.length - 1].weights.length;
  return buildModel({
    node: nodes,
    initializer,
    input: [declare(inputName, [batch, inputSize], type)],
    output: [declare(outputName, [batch, outputSize], type)],
  }, opset);
}
