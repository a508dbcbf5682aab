/** A plain float64 evaluation of a forward graph at a point; rounds to nearest and proves nothing. */
import assert from "node:assert/strict";
import type { ConvolutionNode, Graph, Node, SelectionNode } from "../../shared/graph.ts";
import { evaluatePlain } from "../../shared/witness/plain_network.ts";
import { relativeError } from "./onnxruntime.ts";

/** Values of every node at `x`, each in the order of the node's elements. */
export function evaluateNodes(graph: Graph, x: ArrayLike<number>): Float64Array[] {
  const values: Float64Array[] = [];
  for (const node of graph.nodes) values.push(valueOf(node, values, x));
  return values;
}

/** The output of the graph at `x`. */
export function evaluate(graph: Graph, x: ArrayLike<number>): Float64Array {
  return evaluateNodes(graph, x)[graph.nodes.length - 1];
}

/** The output of the graph at `x`, on which the engine's own plain evaluation must agree. */
export function evaluateTwice(graph: Graph, x: ArrayLike<number>): Float64Array {
  const values = evaluateNodes(graph, x);
  evaluatePlain(graph, Float64Array.from(x)).values.forEach((plain, id) => {
    const error = relativeError(plain, values[id]);
    assert.ok(error <= 1e-12, `node ${id} (${graph.nodes[id].operator}): relative error ${error}`);
  });
  return values[graph.nodes.length - 1];
}

function valueOf(node: Node, values: readonly Float64Array[], x: ArrayLike<number>): Float64Array {
  if (node.operator === "input") {
    if (x.length !== node.size) throw new RangeError(`the input has ${node.size} numbers, got ${x.length}`);
    return Float64Array.from(x);
  }
  const input = values[node.inputs[0]];
  switch (node.operator) {
    case "affine":
      return Float64Array.from({ length: node.size }, (_, row) => {
        let sum = node.bias === null ? 0 : node.bias[row];
        for (let k = 0; k < input.length; k++) sum += node.weights[row * input.length + k] * input[k];
        return sum;
      });
    case "convolution":
      return convolved(node, input);
    case "selection":
      return selected(node, input);
    case "scale":
      return input.map((value, i) => node.inverse ? value / node.factors[i] : value * node.factors[i]);
    case "shift":
      return input.map((value, i) => value + node.offsets[i]);
    case "add": {
      const other = values[node.inputs[1]];
      return input.map((value, i) => node.signs[0] * value + node.signs[1] * other[i]);
    }
    case "relu":
      return input.map((value) => Math.max(value, 0));
    case "leaky_relu":
      return input.map((value, i) => value >= 0 ? value : value * node.slopes[i]);
    case "clip":
      return input.map((value, i) => Math.min(Math.max(value, node.lower[i]), node.upper[i]));
    case "abs":
      return input.map(Math.abs);
    case "derivative_product":
      throw new RangeError("a forward graph has no derivative products");
  }
}

/** Every pair of a window and a position it covers, as the definition in `graph.ts` has them. */
function convolved({ kernel, windows, transposed, bias, size }: ConvolutionNode, x: Float64Array): Float64Array {
  const { batch, groups, coarse, fine, kernel: [height, width], stride, dilation, begin } = windows;
  const y = bias === null ? new Float64Array(size) : bias.slice();
  const ofGroup = fine.channels / groups;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < coarse.channels; c++) {
      const group = Math.floor(c / (coarse.channels / groups));
      for (let f = group * ofGroup; f < (group + 1) * ofGroup; f++) {
        for (let row = 0; row < coarse.height; row++) {
          for (let column = 0; column < coarse.width; column++) {
            for (let k = 0; k < height; k++) {
              for (let l = 0; l < width; l++) {
                const r = row * stride[0] - begin[0] + k * dilation[0];
                const s = column * stride[1] - begin[1] + l * dilation[1];
                if (r < 0 || r >= fine.height || s < 0 || s >= fine.width) continue;
                const weight = kernel[((c * ofGroup + f % ofGroup) * height + k) * width + l];
                const here = ((n * coarse.channels + c) * coarse.height + row) * coarse.width + column;
                const there = ((n * fine.channels + f) * fine.height + r) * fine.width + s;
                if (transposed) y[there] += weight * x[here];
                else y[here] += weight * x[there];
              }
            }
          }
        }
      }
    }
  }
  return y;
}

function selected({ map, transposed, size }: SelectionNode, x: Float64Array): Float64Array {
  const y = new Float64Array(size);
  map.forEach((from, i) => {
    if (from < 0) return;
    if (transposed) y[from] += x[i];
    else y[i] = x[from];
  });
  return y;
}
