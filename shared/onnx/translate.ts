import type { TensorProto } from "onnx-buf";
import { LipcertError } from "../errors.ts";
import { Attributes } from "./attributes.ts";
import { inputOf, inputView } from "./declared_shape.ts";
import { ForwardNodes } from "./forward_nodes.ts";
import { problemAt, shapeProblem, short } from "./problem.ts";
import { TRANSLATORS } from "./registry.ts";
import { count } from "./shapes.ts";
import { isDefaultDomain, placeOf, type Structure } from "./structure.ts";
import { readTensor } from "./tensor.ts";
import type { Value } from "./value.ts";

/** What is known of a value of the file: its translation, or why there is none. */
type Translation = Value | LipcertError;

/** The values of a model translated as far as the outputs need them. */
export interface TranslatedModel {
  readonly forward: ForwardNodes;
  value(name: string): Translation;
}

/** Translates every node some output needs (allocating at most `maxElements` numbers), each once; a node that cannot be read spoils only what depends on it. */
export function translate(structure: Structure, maxElements: number): TranslatedModel {
  const { graph, input, order } = structure;
  const described = inputOf(input);
  const forward = new ForwardNodes(input.name, count(described.shape), maxElements);
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const values = new Map<string, Translation>([[input.name, inputView(described)]]);
  const value = (name: string): Translation => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const tensor = initializers.get(name);
    if (tensor === undefined) throw new RangeError(`${name} is not translated`);
    const read = attempt(() => readInitializer(tensor));
    values.set(name, read);
    return read;
  };
  const needed = neededNodes(structure, graph.output.map(({ name }) => name));
  for (const index of order) {
    if (!needed.has(index)) continue;
    const translated = translateNode(structure, index, value, forward);
    graph.node[index].output.forEach((name, i) => {
      if (name !== "") values.set(name, translated[i] ?? outputProblem(structure, index, i, translated));
    });
  }
  return { forward, value };
}

function readInitializer(tensor: TensorProto): Value {
  return readTensor(tensor, `initialiser ${JSON.stringify(short(tensor.name))}`);
}

function attempt<T>(work: () => T): T | LipcertError {
  try {
    return work();
  } catch (error) {
    if (error instanceof LipcertError) return error;
    throw error;
  }
}

function outputProblem(
  { graph }: Structure,
  index: number,
  output: number,
  translated: readonly Translation[],
): LipcertError {
  const first = translated[0];
  if (first instanceof LipcertError) return first;
  return problemAt(placeOf(graph.node[index], index), `output ${output} is not supported`);
}

/** Values of the node's first outputs; one problem in their place if it cannot be read. */
function translateNode(
  { graph, opset }: Structure,
  index: number,
  value: (name: string) => Translation,
  forward: ForwardNodes,
): Translation[] {
  const proto = graph.node[index];
  const place = placeOf(proto, index);
  const result = attempt(() => {
    const translator = isDefaultDomain(proto) ? TRANSLATORS.get(proto.opType) : undefined;
    if (translator === undefined) {
      throw problemAt(place, `operator "${place.operator}" is not supported`, "unsupported-operator", {
        supported: [...TRANSLATORS.keys()],
      });
    }
    const inputs = proto.input.map((name) => {
      if (name === "") return null;
      const read = value(name);
      if (read instanceof LipcertError) throw read;
      return read;
    });
    const [least, most] = translator.inputs;
    if (inputs.length < least || inputs.length > most) {
      throw problemAt(place, `${inputs.length} inputs where ${least} to ${most} are expected`, "unreadable-model");
    }
    const attributes = new Attributes(proto, translator.attributes, place);
    const outputs = translator.translate({ place, opset, attributes, inputs, outputs: proto.output.length, forward });
    for (const output of outputs) {
      if (output.kind === "view" && count(output.shape) === 0) {
        throw shapeProblem(place, "a tensor that depends on the input has no elements", "1 or more", output.shape);
      }
    }
    return outputs;
  });
  return result instanceof LipcertError ? [result] : result;
}

/** Indices of the nodes that the given values depend on. */
export function neededNodes({ graph, producers }: Structure, names: readonly string[]): Set<number> {
  const needed = new Set<number>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const index = producers.get(name);
    if (index === undefined || needed.has(index)) continue;
    needed.add(index);
    for (const input of graph.node[index].input) pending.push(input);
  }
  return needed;
}
