/** Networks that grow in one direction, for the cost against width, depth, channels, image and undetermined neurons. */
import type { Graph, Grid, Node } from "../../shared/graph.ts";
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

/**
 * A convolutional ReLU network on an image of 3 x `side` x `side`: three convolutions of 3 by 3 with `channels` channels, the
 * second with stride 2, ten outputs; weights and box as above.
 */
export function convolutionalNetwork(channels: number, side: number): BoundedNetwork {
  const random = new Random(7, 1000 * channels + side), size = 3 * side * side;
  const nodes: Node[] = [{ operator: "input", inputs: [], size, name: "x" }];
  let fine: Grid = { channels: 3, height: side, width: side };
  for (const stride of [1, 2, 1]) {
    const extent = Math.ceil(fine.height / stride);
    const coarse: Grid = { channels, height: extent, width: extent };
    nodes.push(convolution(nodes, fine, coarse, stride, random));
    nodes.push({
      operator: "relu",
      inputs: [nodes.length - 1],
      size: nodes.at(-1)!.size,
      name: `relu ${nodes.length}`,
    });
    fine = coarse;
  }
  nodes.push(affine(nodes, OUTPUTS, random));
  const center = Float64Array.from({ length: size }, () => random.unit());
  const radius = SPREAD / Math.sqrt(size);
  return { graph: { nodes }, box: { lower: center.map((c) => c - radius), upper: center.map((c) => c + radius) } };
}

function convolution(below: readonly Node[], fine: Grid, coarse: Grid, stride: number, random: Random): Node {
  const terms = 9 * fine.channels, size = coarse.channels * coarse.height * coarse.width;
  const perChannel = Float64Array.from({ length: coarse.channels }, () => 0.1 * random.normal());
  return {
    operator: "convolution",
    inputs: [below.length - 1],
    size,
    name: `convolution ${below.length}`,
    kernel: Float64Array.from({ length: coarse.channels * terms }, () => random.normal() * Math.sqrt(2 / terms)),
    windows: {
      batch: 1,
      groups: 1,
      coarse,
      fine,
      kernel: [3, 3],
      stride: [stride, stride],
      dilation: [1, 1],
      begin: [1, 1],
    },
    transposed: false,
    bias: Float64Array.from({ length: size }, (_, i) => perChannel[Math.floor(i / (coarse.height * coarse.width))]),
  };
}

function affine(below: readonly Node[], size: number, random: Random): Node {
  const input = below[below.length - 1].size;
  const weights = Float64Array.from({ length: size * input }, () => random.normal() * Math.sqrt(2 / input));
  const bias = Float64Array.from({ length: size }, () => 0.1 * random.normal());
  return { operator: "affine", inputs: [below.length - 1], size, name: `affine ${below.length}`, weights, bias };
}
