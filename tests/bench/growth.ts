/** Networks that grow in one direction, for the cost against width, depth and undetermined neurons. */
import type { Graph, Node } from "../../shared/graph.ts";
import { Random } from "../exact/random.ts";
import type { BoundedNetwork } from "./questions.ts";

const OUTPUTS = 10;
/** Half width of the box times the square root of its dimension: about the same share of neurons is undetermined at every width. */
const SPREAD = 0.1;

/**
 * A ReLU network of `depth` hidden layers of `width` neurons on `width` inputs, ten outputs, weights of variance 2 / fan-in,
 * and a box around a point of [0, 1]^width. The same numbers on every machine.
 */
export function randomNetwork(width: number, depth: number): BoundedNetwork {
  const random = new Random(7, 1000 * depth + width);
  const nodes: Node[] = [{ operator: "input", inputs: [], size: width, name: "x" }];
  for (let layer = 0; layer <= depth; layer++) {
    nodes.push(affine(nodes, layer === depth ? OUTPUTS : width, random));
    if (layer < depth) {
      nodes.push({ operator: "relu", inputs: [nodes.length - 1], size: width, name: `relu ${layer}` });
    }
  }
  const graph: Graph = { nodes };
  const center = Float64Array.from({ length: width }, () => random.unit());
  const radius = SPREAD / Math.sqrt(width);
  return { graph, box: { lower: center.map((c) => c - radius), upper: center.map((c) => c + radius) } };
}

function affine(below: readonly Node[], size: number, random: Random): Node {
  const input = below[below.length - 1].size;
  const weights = Float64Array.from({ length: size * input }, () => random.normal() * Math.sqrt(2 / input));
  const bias = Float64Array.from({ length: size }, () => 0.1 * random.normal());
  return { operator: "affine", inputs: [below.length - 1], size, name: `affine ${below.length}`, weights, bias };
}
