/** A random network as the ONNX bytes that an exporter might have written for it, in float64. */
import type { Graph, Node } from "../../shared/graph.ts";
import type { Random } from "../exact/random.ts";
import { buildModel, declare, floats, node, type NodeInit, type TensorInit } from "../models/build.ts";

/** One value name a node; the way each is written (Gemm or MatMul and Add, Mul or Div, Add or Sub) is picked at random. */
export function onnxBytes(graph: Graph, random: Random): Uint8Array<ArrayBuffer> {
  const nodes: NodeInit[] = [], initializer: TensorInit[] = [];
  const last = graph.nodes.length - 1;
  const name = (id: number) => id === 0 ? "x" : id === last ? "y" : `v${id}`;
  const constant = (label: string, shape: readonly number[], values: ArrayLike<number>) => {
    initializer.push(floats(label, shape, Array.from(values), "float64"));
    return label;
  };
  graph.nodes.forEach((one, id) => {
    if (one.operator === "input") return;
    const from = name(one.inputs[0]), to = name(id);
    if (one.operator === "add") {
      nodes.push(...meeting(one.signs, from, name(one.inputs[1]), to));
      return;
    }
    nodes.push(...written(one, graph.nodes[one.inputs[0]].size, id, from, to, constant, random));
  });
  return buildModel({
    node: nodes,
    initializer,
    input: [declare("x", ["batch", graph.nodes[0].size], "float64")],
    output: [declare("y", ["batch", graph.nodes[last].size], "float64")],
  });
}

/** s a + t b as Add, Sub or the negative of an Add. */
function meeting([s, t]: readonly [number, number], a: string, b: string, to: string): NodeInit[] {
  if (s > 0 && t > 0) return [node("Add", [a, b], [to])];
  if (s > 0) return [node("Sub", [a, b], [to])];
  if (t > 0) return [node("Sub", [b, a], [to])];
  return [node("Add", [a, b], [`sum of ${to}`]), node("Neg", [`sum of ${to}`], [to])];
}

type Constant = (label: string, shape: readonly number[], values: ArrayLike<number>) => string;

function written(
  one: Node,
  inputs: number,
  id: number,
  from: string,
  to: string,
  constant: Constant,
  random: Random,
): NodeInit[] {
  const { size } = one;
  switch (one.operator) {
    case "affine": {
      const bias = one.bias ?? new Float64Array(size);
      if (random.chance(0.5)) {
        const weights = constant(`w${id}`, [size, inputs], one.weights);
        return [node("Gemm", [from, weights, constant(`b${id}`, [size], bias)], [to], { transB: 1 })];
      }
      const transposed = Float64Array.from(
        { length: size * inputs },
        (_, k) => one.weights[(k % size) * inputs + Math.floor(k / size)],
      );
      const product = node("MatMul", [from, constant(`w${id}`, [inputs, size], transposed)], [`p${id}`]);
      return [product, node("Add", [`p${id}`, constant(`b${id}`, [size], bias)], [to])];
    }
    case "scale":
      return [node(one.inverse ? "Div" : "Mul", [from, constant(`f${id}`, [1, size], one.factors)], [to])];
    case "shift":
      return random.chance(0.5)
        ? [node("Add", [from, constant(`t${id}`, [size], one.offsets)], [to])]
        : [node("Sub", [from, constant(`t${id}`, [size], one.offsets.map((t) => -t))], [to])];
    case "relu":
      return [node("Relu", [from], [to])];
    case "abs":
      return [node("Abs", [from], [to])];
    case "leaky_relu":
      return [node("PRelu", [from, constant(`a${id}`, [size], one.slopes)], [to])];
    case "clip": {
      // One pair of ends for the whole tensor; an infinite one is left out.
      const end = (label: string, value: number) =>
        Number.isFinite(value) ? constant(`${label}${id}`, [], [value]) : "";
      return [node("Clip", [from, end("l", one.lower[0]), end("u", one.upper[0])], [to])];
    }
    default:
      throw new RangeError(`${one.operator} is no operator of a network`);
  }
}
