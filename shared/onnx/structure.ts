import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from "onnx-buf";
import { MIN_OPSET } from "./limits.ts";
import { type Place, problemAt, short, unreadable } from "./problem.ts";
import { checkTensor } from "./tensor.ts";

/** Where the default domain's operators live; both names are in use. */
const DEFAULT_DOMAINS: readonly string[] = ["", "ai.onnx"];

/** The graph of a model with its names resolved and its nodes in an order in which every node comes after what it reads. */
export interface Structure {
  readonly graph: GraphProto;
  readonly opset: number;
  /** The one input that is not a constant. */
  readonly input: ValueInfoProto;
  /** Index of the node that makes a value. */
  readonly producers: ReadonlyMap<string, number>;
  /** Indices of the nodes in topological order. */
  readonly order: readonly number[];
}

export function placeOf(node: NodeProto, index: number): Place {
  const domain = DEFAULT_DOMAINS.includes(node.domain) ? "" : `${node.domain}.`;
  return { node: node.name === "" ? index : short(node.name), operator: short(domain + node.opType) };
}

/** Whether a node is of the operator set of ONNX itself. */
export function isDefaultDomain(node: NodeProto): boolean {
  return DEFAULT_DOMAINS.includes(node.domain) && node.overload === "";
}

/**
 * Checks what makes a model one graph: opset, no parts outside the graph, every name given once, every value read made
 * somewhere, no cycle, one input.
 *
 * Throws: `unreadable-model` saying what is wrong and where.
 */
export function checkStructure(model: ModelProto): Structure {
  const { graph } = model;
  if (graph === undefined) throw unreadable("it holds no graph");
  if (model.functions.length > 0) throw unreadable("functions of the model's own are not supported");
  if (model.trainingInfo.length > 0) throw unreadable("training information is not supported");
  if (graph.sparseInitializer.length > 0) throw unreadable("sparse initialisers are not supported");
  const opset = opsetOf(model);
  const initializers = new Set<string>();
  for (const tensor of graph.initializer) {
    checkTensor(tensor, `initialiser ${JSON.stringify(short(tensor.name))}`);
    claim(initializers, tensor.name, "initialiser");
  }
  const inputs = new Set<string>();
  for (const { name } of graph.input) claim(inputs, name, "input");
  const variable = graph.input.filter(({ name }) => !initializers.has(name));
  if (variable.length !== 1) {
    throw unreadable(`it has ${variable.length} inputs; one is supported`, {
      wanted: 1,
      got: variable.slice(0, 16).map(({ name }) => short(name)),
    });
  }
  const producers = producersOf(graph, new Set([...inputs, ...initializers]));
  const outputs = new Set<string>();
  for (const { name } of graph.output) {
    claim(outputs, name, "output");
    if (!producers.has(name) && !inputs.has(name) && !initializers.has(name)) {
      throw unreadable(`nothing makes the output ${JSON.stringify(short(name))}`, { output: short(name) });
    }
  }
  if (outputs.size === 0) throw unreadable("it has no output");
  const known = (name: string) => inputs.has(name) || initializers.has(name);
  return { graph, opset, input: variable[0], producers, order: sortNodes(graph, producers, known) };
}

function opsetOf(model: ModelProto): number {
  const imports = model.opsetImport.filter(({ domain }) => DEFAULT_DOMAINS.includes(domain));
  if (imports.length !== 1) throw unreadable(`it names ${imports.length} versions of ONNX's operators instead of one`);
  const opset = Number(imports[0].version);
  if (opset < MIN_OPSET) {
    throw unreadable(`it is of opset ${opset}; opset ${MIN_OPSET} and later are supported`, {
      wanted: MIN_OPSET,
      got: opset,
    });
  }
  return opset;
}

function claim(names: Set<string>, name: string, what: string): void {
  if (name === "") throw unreadable(`an ${what} has no name`);
  if (names.has(name)) {
    throw unreadable(`the ${what} ${JSON.stringify(short(name))} is there twice`, { name: short(name) });
  }
  names.add(name);
}

function producersOf(graph: GraphProto, taken: ReadonlySet<string>): Map<string, number> {
  const producers = new Map<string, number>();
  graph.node.forEach((node, index) => {
    for (const name of node.output) {
      if (name === "") continue; // an optional output that is left out
      if (producers.has(name) || taken.has(name)) {
        throw problemAt(
          placeOf(node, index),
          `the value ${JSON.stringify(short(name))} is made twice`,
          "unreadable-model",
        );
      }
      producers.set(name, index);
    }
  });
  return producers;
}

/** Kahn's algorithm; the nodes of a file are usually in order already, and keep it then. */
function sortNodes(
  graph: GraphProto,
  producers: ReadonlyMap<string, number>,
  known: (name: string) => boolean,
): number[] {
  const consumers: number[][] = graph.node.map(() => []);
  const waiting = graph.node.map((node, index) => {
    let count = 0;
    for (const name of node.input) {
      const producer = producers.get(name);
      if (producer !== undefined) {
        consumers[producer].push(index);
        count++;
      } else if (name !== "" && !known(name)) {
        throw problemAt(
          placeOf(node, index),
          `nothing makes the input ${JSON.stringify(short(name))}`,
          "unreadable-model",
        );
      }
    }
    return count;
  });
  const order: number[] = [];
  waiting.forEach((count, index) => count === 0 && order.push(index));
  for (let i = 0; i < order.length; i++) {
    for (const consumer of consumers[order[i]]) if (--waiting[consumer] === 0) order.push(consumer);
  }
  if (order.length < graph.node.length) {
    const index = waiting.findIndex((count) => count > 0);
    throw problemAt(placeOf(graph.node[index], index), "there is a cycle", "unreadable-model");
  }
  return order;
}
