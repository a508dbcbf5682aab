/**
 * The naive bound of a Lipschitz constant: the product of the layers' induced norms.
 *
 * For a value y of the graph let c_i(y) be any number with |y_i(x) - y_i(x')| <= c_i(y) ||x - x'||_inf for all x, x'.
 * c(input) = 1, and the rules below carry it through the graph, whatever the box:
 *
 * - y = W x + b:      c_i(y) = (sum_j |w_ij|) max_j c_j(x), so max_i c_i(y) = ||W||_inf max_j c_j(x), the induced norm
 * - convolution:      the same W; its rows differ only where windows leave the grid, and are added up tap by tap
 * - y_i = s_i(x_i):   c_i(y) = (largest |slope| of s_i) c_i(x): 1 for relu and |.|, max(1, |a|) for leaky relu
 * - y = s a + t b:    c_i(y) = c_i(a) + c_i(b)
 * - selection:        c_i of the chosen value, or the sum of them where it is transposed
 *
 * So output k of a chain of layers gets (sum_j |w_kj|) ||W_{L-1}||_inf ... ||W_1||_inf, and sum_i |dy_k / dx_i| is at most
 * c_k wherever y_k is differentiable. Every sum and product is rounded up; exact sums are not widened.
 */
import type { ConvolutionNode, Graph, Node, Pair } from "../../shared/graph.ts";
import { addUp, gamma, multiplyUp, nextUp } from "../../shared/numeric/rounding.ts";

/** c_k for every output k. */
export function productBounds(graph: Graph): Float64Array {
  const constants: Float64Array[] = [];
  for (const node of graph.nodes) constants.push(constantsOf(node, constants));
  return constants[graph.nodes.length - 1];
}

function constantsOf(node: Node, constants: readonly Float64Array[]): Float64Array {
  if (node.operator === "input") return new Float64Array(node.size).fill(1);
  const input = constants[node.inputs[0]];
  switch (node.operator) {
    case "affine":
    case "convolution": {
      const largest = input.reduce((most, c) => Math.max(most, c), 0);
      return rowNorms(node, input.length).map((norm) => multiplyUp(norm, largest));
    }
    case "selection":
      return selected(node, input);
    case "scale": {
      // The real factor is f (1 + d), |d| <= gamma_k, and gamma_2k covers 1 / (1 + d).
      const spread = addUp(1, gamma(2 * (node.roundings ?? 0)));
      return input.map((c, i) => {
        const factor = Math.abs(node.factors[i]);
        return multiplyUp(multiplyUp(c, node.inverse ? nextUp(1 / factor) : factor), spread);
      });
    }
    case "add":
      return input.map((c, i) => addUp(c, constants[node.inputs[1]][i]));
    case "leaky_relu":
      return input.map((c, i) => multiplyUp(c, Math.max(1, Math.abs(node.slopes[i]))));
    case "shift":
    case "relu":
    case "clip":
    case "abs":
      return input;
    case "derivative_product":
      throw new RangeError("Cannot bound: a network has no derivative products");
  }
}

function selected(node: Extract<Node, { operator: "selection" }>, input: Float64Array): Float64Array {
  const out = new Float64Array(node.size);
  node.map.forEach((from, i) => {
    if (from < 0) return;
    if (node.transposed) out[from] = addUp(out[from], input[i]);
    else out[i] = input[from];
  });
  return out;
}

/** sum_j |w_ij| of every row i, rounded up. */
export function rowNorms(node: Extract<Node, { operator: "affine" | "convolution" }>, columns: number): Float64Array {
  if (node.operator === "convolution") return convolutionRowNorms(node);
  const norms = new Float64Array(node.size);
  const [row, column] = node.transposed ? [1, node.size] : [columns, 1];
  for (let i = 0; i < node.size; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum = addUp(sum, Math.abs(node.weights[i * row + j * column]));
    norms[i] = sum;
  }
  return norms;
}

/** Row sums of a convolution's matrix without the matrix: first over channels for each tap, then over the taps that exist. */
function convolutionRowNorms({ kernel, windows, transposed }: ConvolutionNode): Float64Array {
  const { batch, groups, coarse, fine } = windows, [height, width] = windows.kernel, taps = height * width;
  const coarseInGroup = coarse.channels / groups, fineInGroup = fine.channels / groups;
  const channels = transposed ? fine.channels : coarse.channels;
  const tapSums = new Float64Array(channels * taps);
  for (let c = 0; c < coarse.channels; c++) {
    for (let f = 0; f < fineInGroup; f++) {
      const channel = transposed ? Math.floor(c / coarseInGroup) * fineInGroup + f : c;
      for (let k = 0; k < taps; k++) {
        const at = channel * taps + k;
        tapSums[at] = addUp(tapSums[at], Math.abs(kernel[(c * fineInGroup + f) * taps + k]));
      }
    }
  }
  const grid = transposed ? fine : coarse, positions = grid.height * grid.width;
  const image = new Float64Array(channels * positions);
  for (const [v, ky, fineV] of pairsOnAxis(windows, 0)) {
    for (const [h, kx, fineH] of pairsOnAxis(windows, 1)) {
      const position = transposed ? fineV * grid.width + fineH : v * grid.width + h;
      for (let channel = 0; channel < channels; channel++) {
        const at = channel * positions + position;
        image[at] = addUp(image[at], tapSums[channel * taps + ky * width + kx]);
      }
    }
  }
  const norms = new Float64Array(batch * image.length);
  for (let b = 0; b < batch; b++) norms.set(image, b * image.length);
  return norms;
}

/** [coarse position, tap, fine position] wherever a tap lies on the fine grid; axis 0 is the vertical one. */
function pairsOnAxis(windows: ConvolutionNode["windows"], axis: 0 | 1): [number, number, number][] {
  const sizes = ({ height, width }: { height: number; width: number }): Pair => [height, width];
  const coarse = sizes(windows.coarse)[axis], fine = sizes(windows.fine)[axis];
  const found: [number, number, number][] = [];
  for (let o = 0; o < coarse; o++) {
    for (let k = 0; k < windows.kernel[axis]; k++) {
      const at = o * windows.stride[axis] - windows.begin[axis] + k * windows.dilation[axis];
      if (at >= 0 && at < fine) found.push([o, k, at]);
    }
  }
  return found;
}
