import assert from "node:assert/strict";
import type { AffineNode, ConvolutionNode, Graph, Node, Windows } from "../../shared/graph.ts";
import { Random } from "../exact/random.ts";
import { productBounds, rowNorms } from "./product_bound.ts";

const SEED = 17;

function affine(size: number, weights: readonly number[], input: number): AffineNode {
  return { operator: "affine", inputs: [input], size, name: "w", weights: Float64Array.from(weights), bias: null };
}

function graphOf(...layers: Node[]): Graph {
  return { nodes: [{ operator: "input", inputs: [], size: 2, name: "x" }, ...layers] };
}

/** At least the wanted numbers, and no more above them than a few roundings. */
function assertJustAbove(got: Float64Array, wanted: readonly number[]): void {
  assert.equal(got.length, wanted.length);
  wanted.forEach((value, k) => assert.ok(got[k] >= value && got[k] <= value * (1 + 2 ** -50), `${got[k]}, ${value}`));
}

Deno.test("productBounds() multiplies the largest row sum of a layer with the row sums of the next", () => {
  const slopes = Float64Array.of(-2, 0.5);
  const first = affine(2, [1, -2, 3, 0.5], 0), last = affine(2, [1, 1, 0, -0.25], 2);
  // Row sums 3 and 3.5; then 2 and 0.25.
  assertJustAbove(productBounds(graphOf(first, { operator: "relu", inputs: [1], size: 2, name: "r" }, last)), [
    7,
    0.875,
  ]);
  // A leaky relu of slope -2 doubles the first row: the largest is 6.
  const leaky: Node = { operator: "leaky_relu", inputs: [1], size: 2, name: "r", slopes };
  assertJustAbove(productBounds(graphOf(first, leaky, last)), [12, 1.5]);
});

Deno.test("productBounds() adds where branches meet and never rounds a sum down", () => {
  const first = affine(2, [1, 2 ** -60, 1, 1], 0);
  const sum: Node = { operator: "add", inputs: [0, 1], size: 2, name: "s", signs: [1, -1] };
  const [widened, exact] = productBounds(graphOf(first, sum));
  assert.equal(exact, 3);
  assert.ok(widened > 2 && widened <= 2 + 2 ** -50, `${widened}`);
});

Deno.test("productBounds() is above the difference quotient of random networks at random points", () => {
  for (let stream = 0; stream < 20; stream++) {
    const random = new Random(SEED, stream), numbers = (n: number) => Array.from({ length: n }, () => random.normal());
    const first = affine(8, numbers(16), 0), last = affine(3, numbers(24), 2);
    const bounds = productBounds(graphOf(first, { operator: "abs", inputs: [1], size: 8, name: "a" }, last));
    const value = (x: readonly number[]) => {
      const hidden = rows(first, x).map(Math.abs);
      return rows(last, hidden);
    };
    for (let i = 0; i < 50; i++) {
      const x = numbers(2), z = numbers(2), distance = Math.max(...x.map((v, j) => Math.abs(v - z[j])));
      const atX = value(x), atZ = value(z);
      bounds.forEach((bound, k) => {
        const quotient = Math.abs(atX[k] - atZ[k]) / distance;
        assert.ok(quotient <= bound * (1 + 1e-9), `seed ${SEED} stream ${stream}: ${quotient} above ${bound}`);
      });
    }
  }
});

function rows({ weights, size }: AffineNode, x: readonly number[]): number[] {
  return Array.from({ length: size }, (_, i) => x.reduce((sum, v, j) => sum + weights[i * x.length + j] * v, 0));
}

/** The row sums of |W| by the definition of {@link Windows}, one entry after the other. */
function plainRowNorms({ kernel, windows: w, transposed }: ConvolutionNode): number[] {
  const size = ({ channels, height, width }: Windows["fine"]) => channels * height * width;
  const fine = new Array<number>(w.batch * size(w.fine)).fill(0), coarse = new Array<number>(w.batch * size(w.coarse));
  coarse.fill(0);
  const perGroup = w.fine.channels / w.groups, coarsePerGroup = w.coarse.channels / w.groups;
  for (let b = 0; b < w.batch; b++) {
    for (let c = 0; c < w.coarse.channels; c++) {
      for (let i = 0; i < perGroup; i++) {
        const f = Math.floor(c / coarsePerGroup) * perGroup + i;
        for (let v = 0; v < w.coarse.height; v++) {
          for (let h = 0; h < w.coarse.width; h++) {
            for (let ky = 0; ky < w.kernel[0]; ky++) {
              for (let kx = 0; kx < w.kernel[1]; kx++) {
                const y = v * w.stride[0] - w.begin[0] + ky * w.dilation[0];
                const x = h * w.stride[1] - w.begin[1] + kx * w.dilation[1];
                if (y < 0 || y >= w.fine.height || x < 0 || x >= w.fine.width) continue;
                const weight = Math.abs(kernel[((c * perGroup + i) * w.kernel[0] + ky) * w.kernel[1] + kx]);
                fine[((b * w.fine.channels + f) * w.fine.height + y) * w.fine.width + x] += weight;
                coarse[((b * w.coarse.channels + c) * w.coarse.height + v) * w.coarse.width + h] += weight;
              }
            }
          }
        }
      }
    }
  }
  return transposed ? fine : coarse;
}

Deno.test("rowNorms() of a convolution are the row sums of its matrix: groups, stride, dilation, padding, both ways", () => {
  const windows: Windows = {
    batch: 2,
    groups: 2,
    coarse: { channels: 4, height: 3, width: 4 },
    fine: { channels: 6, height: 5, width: 6 },
    kernel: [3, 2],
    stride: [2, 1],
    dilation: [1, 2],
    begin: [1, 1],
  };
  const random = new Random(SEED);
  // Quarters add up exactly, so the upward rounding may not widen anything.
  const kernel = Float64Array.from({ length: 4 * 3 * 3 * 2 }, () => random.integer(-20, 20) / 4);
  for (const transposed of [false, true]) {
    const grid = transposed ? windows.fine : windows.coarse;
    const size = windows.batch * grid.channels * grid.height * grid.width;
    const node: ConvolutionNode = {
      ...{ operator: "convolution", inputs: [0], size, name: "c", kernel, windows, transposed, bias: null },
    };
    assert.deepEqual([...rowNorms(node, 0)], plainRowNorms(node), transposed ? "transposed" : "forward");
  }
});
