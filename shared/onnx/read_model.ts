import { fromBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema, type ValueInfoProto } from "onnx-buf";
import { invalidQuery, LipcertError } from "../errors.ts";
import type { Graph, Node, NodeId } from "../graph.ts";
import { checkOutput, inputOf, withoutBatch } from "./declared_shape.ts";
import { MAX_ALLOCATED_ELEMENTS, MAX_MODEL_BYTES } from "./limits.ts";
import type { ForwardNodes } from "./forward_nodes.ts";
import { type Place, short, unreadable } from "./problem.ts";
import { scan } from "./scan.ts";
import { count, type Shape } from "./shapes.ts";
import { simplify } from "./simplify.ts";
import { checkStructure, placeOf, type Structure } from "./structure.ts";
import { elementType } from "./tensor.ts";
import { neededNodes, translate, type TranslatedModel } from "./translate.ts";
import type { FloatTensor, FloatType, View } from "./value.ts";

export { SUPPORTED_OPERATORS } from "./registry.ts";

/** A tensor of the model's face, its shape without the batch dimension (a first dimension of 1 or without a size). */
export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What a model is, from its file alone. Everything is counted over the outputs that are supported. */
export interface ModelDescription {
  readonly inputs: readonly TensorDescription[];
  /** The outputs that can be certified, in the file's order. */
  readonly outputs: readonly TensorDescription[];
  /** The ONNX operators used, sorted. */
  readonly operators: readonly string[];
  readonly opset: number;
  /** Numbers in the float initialisers used. */
  readonly parameters: number;
  /** Nonlinear neurons. */
  readonly activations: number;
}

export interface OnnxModel {
  readonly description: ModelDescription;
  readonly inputType: FloatType;
  /** Numbers held beyond those in the file: biases, index maps, folded constants, matrices. */
  readonly expanded: number;
  /**
   * The network from the input to one output: a function over the real numbers, with every constant of the file taken as
   * the exact real it is (a float64 constant that the model casts to float32: rounded as the cast does).
   *
   * Throws: `invalid-query` for a name that is no output; the output's own problem if it is not supported.
   */
  graph(output: string): Graph;
}

/** An output that can be certified. */
interface SupportedOutput {
  readonly info: ValueInfoProto;
  readonly value: View;
}

/**
 * Reads an ONNX file.
 *
 * Shapes are inferred from the input's, the file's own value infos are not trusted; sizes are checked before anything of
 * that size is allocated, at most `maxElements` numbers beyond the file's. One output that is supported is enough.
 *
 * Throws: `unreadable-model`, `model-too-large`, `unsupported-operator`, `unsupported-attribute`, `shape-mismatch`.
 */
export function readModel(bytes: Uint8Array, maxElements: number = MAX_ALLOCATED_ELEMENTS): OnnxModel {
  const structure = checkStructure(decode(bytes));
  const translated = translate(structure, Math.min(maxElements, MAX_ALLOCATED_ELEMENTS));
  const supported = new Map<string, SupportedOutput>();
  const problems = new Map<string, LipcertError>();
  for (const info of structure.graph.output) {
    const value = supportedOutput(info, translated);
    if (value instanceof LipcertError) problems.set(info.name, value);
    else supported.set(info.name, { info, value });
  }
  const [firstProblem] = problems.values();
  if (supported.size === 0) throw firstProblem;
  const graphs = new Map<string, Graph>();
  const graph = (name: string): Graph => {
    const output = supported.get(name);
    if (output === undefined) throw problems.get(name) ?? unknownOutput(name, [...supported.keys()]);
    const known = graphs.get(name) ?? simplify(translated.forward.graph(output.value.node));
    graphs.set(name, known);
    return known;
  };
  return {
    description: describe(structure, [...supported.values()], translated),
    inputType: inputOf(structure.input).type,
    expanded: translated.forward.allocated,
    graph,
  };
}

function decode(bytes: Uint8Array): ModelProto {
  if (bytes.length > MAX_MODEL_BYTES) {
    throw new LipcertError("model-too-large", `Cannot read model: it is longer than ${MAX_MODEL_BYTES} bytes`, {
      limit: MAX_MODEL_BYTES,
      got: bytes.length,
    });
  }
  scan(ModelProtoSchema, bytes);
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), {}, error);
  }
}

function supportedOutput(info: ValueInfoProto, translated: TranslatedModel): View | LipcertError {
  const value = translated.value(info.name);
  if (value instanceof LipcertError) return value;
  if (value.kind === "integers") return unreadable(`the output ${JSON.stringify(short(info.name))} is of integers`);
  if (count(value.shape) === 0) return unreadable(`the output ${JSON.stringify(short(info.name))} has no elements`);
  try {
    checkOutput(info, value);
    const { forward } = translated;
    const place = { node: short(info.name), operator: "output" };
    return value.kind === "view" ? forward.materialize(value, place) : constantOutput(value, place, forward);
  } catch (error) {
    if (error instanceof LipcertError) return error;
    throw error;
  }
}

function unknownOutput(name: string, names: readonly string[]): LipcertError {
  const known = JSON.stringify(names.slice(0, 16).map(short));
  return invalidQuery("/model/output", `the model has no output ${JSON.stringify(short(name))}; it has ${known}`);
}

/** A constant output as a matrix of zeros with a bias. */
function constantOutput(constant: FloatTensor, place: Place, forward: ForwardNodes): View {
  const { type, shape, elements } = constant;
  const size = elements.length;
  forward.spend(size * forward.nodes[0].size, place);
  const weights = new Float64Array(size * forward.nodes[0].size);
  const name = String(place.node);
  const node = forward.add({ operator: "affine", inputs: [0], size, name, weights, bias: elements });
  return { kind: "view", type, shape, node, map: null };
}

function describe(
  structure: Structure,
  outputs: readonly SupportedOutput[],
  { forward }: TranslatedModel,
): ModelDescription {
  const { graph, input, opset } = structure;
  const needed = neededNodes(structure, outputs.map(({ info }) => info.name));
  const operators = new Set<string>();
  const read = new Set(outputs.map(({ info }) => info.name));
  for (const index of needed) {
    operators.add(placeOf(graph.node[index], index).operator);
    for (const name of graph.node[index].input) read.add(name);
  }
  const floats = graph.initializer.filter(({ name, dataType }) =>
    read.has(name) && elementType(dataType)?.startsWith("float")
  );
  const neurons = new Set<NodeId>();
  for (const { value } of outputs) {
    for (const id of forward.ancestors(value.node)) if (isNonlinear(forward.nodes[id])) neurons.add(id);
  }
  const tensor = (name: string, shape: Shape): TensorDescription => ({ name, shape: withoutBatch(shape) });
  return {
    inputs: [tensor(input.name, inputOf(input).shape)],
    outputs: outputs.map(({ info, value }) => tensor(info.name, value.shape)),
    operators: [...operators].sort(),
    opset,
    parameters: floats.reduce((sum, { dims }) => sum + count(dims.map(Number)), 0),
    activations: [...neurons].reduce((sum, id) => sum + forward.nodes[id].size, 0),
  };
}

function isNonlinear(node: Node): boolean {
  return ["relu", "leaky_relu", "clip", "abs"].includes(node.operator);
}
