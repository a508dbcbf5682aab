/**
 * The numbers of a condensed network over the rationals, column by column and forward, where the engine goes backward:
 * a column is what every value of the graph is per unit of one input, of one relu, or of nothing (the constants).
 */
import type { Pass } from "../../../shared/bounds/pass.ts";
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import type { Unit } from "../../../shared/condensed/units.ts";
import type { Graph, Node } from "../../../shared/graph.ts";
import { absolute, add, type Exact, exact, multiply, subtract, ZERO } from "../../exact/dyadic.ts";
import { type Activation, isActivation, kinksOf, pieceOf } from "../../exact/pieces.ts";
import { convolve, select } from "../../exact/sparse.ts";
import {
  combine,
  component,
  constantMatrix,
  type ExactVector,
  exactVector,
  product,
  scaled,
} from "../../exact/vector.ts";

/** How neuron i goes on over [l, u]: its first line, and the kinks in the interval, ends included, where slopes differ. */
export function bendsOf(node: Activation, i: number, l: number, u: number) {
  const kinks = kinksOf(node, i), first = kinks.filter((kink) => kink < l).length;
  const slope = (k: number) => pieceOf(node, i, k).slope;
  const bends = kinks.map((kink, k) => ({ kink, below: slope(k), above: slope(k + 1) }))
    .filter(({ kink, below, above }) => kink >= l && kink <= u && below !== above);
  return { line: pieceOf(node, i, first), bends };
}

/** What a column is of: the constants, an input, or a unit. */
export type Column = "constant" | { readonly input: number } | { readonly unit: number };

/** One column of every row: the true number, and the sum of the magnitudes of all products on all its paths. */
export interface TrueColumn {
  readonly value: readonly Exact[];
  readonly magnitude: readonly Exact[];
}

/** The column of a network's condensed form. */
export function trueColumn(pass: Pass, network: CondensedNetwork, column: Column): TrueColumn {
  const { units, outputs } = network;
  const values = run(pass, units, column, false), sizes = run(pass, units, column, true);
  const at = (vectors: readonly ExactVector[], sign: 1 | -1) => [
    ...units.map(({ activation, index, kink }) => {
      const z = component(vectors[pass.graph.nodes[activation].inputs[0]], index);
      if (column !== "constant") return z;
      return sign === 1 ? subtract(z, exact(kink)) : add(z, absolute(exact(kink)));
    }),
    ...Array.from({ length: outputs }, (_, k) => component(vectors.at(-1)!, k)),
  ];
  return { value: at(values, 1), magnitude: at(sizes, -1) };
}

/** Every node's values in one column; of the network whose numbers are all replaced by their magnitudes if `positive`. */
function run(pass: Pass, units: readonly Unit[], column: Column, positive: boolean): readonly ExactVector[] {
  const graph = positive ? positiveGraph(pass.graph) : pass.graph;
  const size = (x: number) => positive ? Math.abs(x) : x;
  const withConstants = column === "constant";
  const out: ExactVector[] = [];
  graph.nodes.forEach((node, id) => {
    const x = out[node.inputs[0]];
    const constant = (y: ExactVector, b: Float64Array | null) => b && withConstants ? combine(y, exactVector(b), 1) : y;
    switch (node.operator) {
      case "input":
        return out.push(exactVector(
          new Float64Array(node.size).map((_, j) =>
            typeof column === "object" && "input" in column && column.input === j ? 1 : 0
          ),
        ));
      case "affine":
        return out.push(constant(product(constantMatrix(node.weights), x, node.size), node.bias));
      case "convolution":
        return out.push(constant(convolve(node, x, node.size), node.bias));
      case "selection":
        return out.push(select(node, x, node.size));
      case "scale":
        return out.push(scaled(x, constantMatrix(node.factors), node.inverse));
      case "shift":
        return out.push(constant(x, node.offsets));
      case "add": {
        const zero = exactVector(new Float64Array(node.size));
        return out.push(combine(combine(zero, x, node.signs[0]), out[node.inputs[1]], node.signs[1]));
      }
    }
    if (!isActivation(node)) throw new RangeError(`no rule for ${node.operator}`);
    const { lower, upper } = pass.states[node.inputs[0]].boxes[0];
    const lines = Array.from(lower, (l, i) => bendsOf(node, i, l, upper[i]));
    let y = scaled(x, constantMatrix(Float64Array.from(lines, ({ line }) => size(line.slope))), false);
    y = constant(y, Float64Array.from(lines, ({ line }) => size(line.constant)));
    if (typeof column !== "object" || !("unit" in column)) return out.push(y);
    const { activation, index, kink } = units[column.unit];
    if (activation === id) {
      const { below, above } = lines[index].bends.find((bend) => bend.kink === kink)!;
      const only = (value: number) => exactVector(new Float64Array(node.size).fill(value, index, index + 1));
      const jump = combine(only(above), only(below), -1);
      y = combine(y, positive && above < below ? combine(only(0), jump, -1) : jump, 1);
    }
    return out.push(y);
  });
  return out;
}

const positives = new WeakMap<Graph, Graph>();

function positiveGraph(graph: Graph): Graph {
  let known = positives.get(graph);
  if (!known) positives.set(graph, known = { nodes: graph.nodes.map(positiveNode) });
  return known;
}

function positiveNode(node: Node): Node {
  const sizes = (numbers: Float64Array) => numbers.map(Math.abs);
  switch (node.operator) {
    case "affine":
      return { ...node, weights: sizes(node.weights), bias: node.bias && sizes(node.bias) };
    case "convolution":
      return { ...node, kernel: sizes(node.kernel), bias: node.bias && sizes(node.bias) };
    case "scale":
      return { ...node, factors: sizes(node.factors) };
    case "shift":
      return { ...node, offsets: sizes(node.offsets) };
    case "add":
      return { ...node, signs: [1, 1] };
    default:
      return node;
  }
}

/** sum a_j b_j. */
export function dot(a: readonly Exact[], b: readonly Exact[]): Exact {
  return a.reduce((sum, x, j) => add(sum, multiply(x, b[j])), ZERO);
}
