/** The dense twin of a network: convolutions and selections written out as matrices, node for node. */
import type { AffineNode, ConvolutionNode, Graph, Grid, Node, SelectionNode } from "../../shared/graph.ts";

/**
 * The same graph, node ids and all, with affine nodes for convolutions and selections. Every entry is one number of the
 * kernel, a 1 or a 0, given once: nothing is added, so nothing rounds.
 */
export function unroll(graph: Graph): Graph {
  return { nodes: graph.nodes.map((node) => denseTwin(node, graph.nodes[node.inputs[0]]?.size)) };
}

function denseTwin(node: Node, inputSize: number): Node {
  if (node.operator === "convolution") return affine(node, convolutionMatrix(node, inputSize), node.bias);
  if (node.operator === "selection") return affine(node, selectionMatrix(node, inputSize), null);
  return node;
}

function affine({ inputs, size, name }: Node, weights: Float64Array, bias: Float64Array | null): AffineNode {
  return { operator: "affine", inputs, size, name, weights, bias };
}

/** [size, inputSize]: each pair of values is asked for the tap that joins them, the question of the padding does not arise. */
export function convolutionMatrix({ kernel, windows, transposed, size }: ConvolutionNode, inputSize: number) {
  const matrix = new Float64Array(size * inputSize);
  const { groups, coarse, fine, kernel: extent, stride, dilation, begin } = windows;
  const perGroup = fine.channels / groups, outOfGroup = coarse.channels / groups;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < inputSize; column++) {
      const o = placeOf(transposed ? column : row, coarse), f = placeOf(transposed ? row : column, fine);
      const channel = f.channel - Math.floor(o.channel / outOfGroup) * perGroup;
      const ky = tapOf(f.y + begin[0] - o.y * stride[0], dilation[0], extent[0]);
      const kx = tapOf(f.x + begin[1] - o.x * stride[1], dilation[1], extent[1]);
      if (o.batch !== f.batch || channel < 0 || channel >= perGroup || ky === null || kx === null) continue;
      const tap = ((o.channel * perGroup + channel) * extent[0] + ky) * extent[1] + kx;
      matrix[row * inputSize + column] = kernel[tap];
    }
  }
  return matrix;
}

function placeOf(index: number, { channels, height, width }: Grid) {
  const rest = Math.floor(index / width), plane = Math.floor(rest / height);
  return {
    batch: Math.floor(plane / channels),
    channel: plane % channels,
    y: rest % height,
    x: index % width,
  };
}

/** The k < extent with k dilation = offset. */
function tapOf(offset: number, dilation: number, extent: number): number | null {
  const k = offset / dilation;
  return Number.isInteger(k) && k >= 0 && k < extent ? k : null;
}

/** [size, inputSize], zeros and ones. */
export function selectionMatrix({ map, transposed, size }: SelectionNode, inputSize: number): Float64Array {
  const matrix = new Float64Array(size * inputSize);
  map.forEach((place, i) => {
    if (place >= 0) matrix[transposed ? place * inputSize + i : i * inputSize + place] = 1;
  });
  return matrix;
}
