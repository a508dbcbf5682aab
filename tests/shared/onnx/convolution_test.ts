/** Convolutions and poolings of files against the loops of the standard, on whole numbers, where nothing rounds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Graph } from "../../../shared/graph.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { evaluatePlain } from "../../../shared/witness/plain_network.ts";
import { node } from "../../models/build.ts";
import { smallNetwork } from "./networks.ts";

const SEED = 909;
const RUNS = 250;

const wholes = (length: number, shift = 0) => Array.from({ length }, (_, i) => ((i + shift) * 29 + 3) % 13 - 6);
const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
const output = (graph: Graph, x: readonly number[]) =>
  evaluatePlain(graph, Float64Array.from(x)).values[graph.nodes.length - 1].map((value) => value + 0);

/** Attributes of one axis; `size` is the input's. */
const axis = fc.record({
  size: fc.integer({ min: 1, max: 5 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 2 }),
  after: fc.integer({ min: 0, max: 2 }),
  extra: fc.integer({ min: 0, max: 1 }),
});
const planes = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  inputs: fc.integer({ min: 1, max: 3 }),
  outputs: fc.integer({ min: 1, max: 3 }),
});

type Axis = typeof axis extends fc.Arbitrary<infer T> ? T : never;
type Planes = typeof planes extends fc.Arbitrary<infer T> ? T : never;

const attributesOf = ([r, c]: readonly Axis[]) => ({
  strides: [r.stride, c.stride],
  dilations: [r.dilation, c.dilation],
  pads: [r.before, c.before, r.after, c.after],
});
const reachOf = ({ kernel, dilation }: Axis) => (kernel - 1) * dilation + 1;

Deno.test(`readModel() of Conv is the loop over its padded tensor (seed ${SEED})`, () => {
  fc.assert(
    fc.property(planes, axis, axis, (sizes, r, c) => {
      const { batch, group, inputs, outputs } = sizes;
      const height = Math.floor((r.size + r.before + r.after - reachOf(r)) / r.stride) + 1;
      const width = Math.floor((c.size + c.before + c.after - reachOf(c)) / c.stride) + 1;
      fc.pre(height >= 1 && width >= 1);
      const x = wholes(batch * group * inputs * r.size * c.size);
      const w = wholes(group * outputs * inputs * r.kernel * c.kernel, 4), b = wholes(group * outputs, 9);
      const bytes = smallNetwork({
        input: [batch, group * inputs, r.size, c.size],
        nodes: [node("Conv", ["x", "w", "b"], ["y"], { ...attributesOf([r, c]), group })],
        floats: { w: [[group * outputs, inputs, r.kernel, c.kernel], w], b: [[group * outputs], b] },
      });
      const wanted: number[] = [];
      const padded = (n: number, channel: number, row: number, column: number) =>
        row < 0 || row >= r.size || column < 0 || column >= c.size
          ? 0
          : x[((n * group * inputs + channel) * r.size + row) * c.size + column];
      for (let n = 0; n < batch; n++) {
        for (let o = 0; o < group * outputs; o++) {
          for (let i = 0; i < height; i++) {
            for (let j = 0; j < width; j++) {
              let sum = b[o];
              for (let f = 0; f < inputs; f++) {
                for (let k = 0; k < r.kernel; k++) {
                  for (let l = 0; l < c.kernel; l++) {
                    const channel = Math.floor(o / outputs) * inputs + f;
                    const row = i * r.stride + k * r.dilation - r.before;
                    const column = j * c.stride + l * c.dilation - c.before;
                    sum += w[((o * inputs + f) * r.kernel + k) * c.kernel + l] * padded(n, channel, row, column);
                  }
                }
              }
              wanted.push(sum);
            }
          }
        }
      }
      assert.deepEqual(output(readModel(bytes).graph("y"), x), Float64Array.from(wanted, (value) => value + 0));
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

/** Every input value times the kernel, added to the outputs from its stride on; what the pads cut off is left out. */
function spreadOut({ batch, group, inputs, outputs }: Planes, [r, c]: readonly Axis[], shape: readonly number[]) {
  const x = wholes(batch * group * inputs * r.size * c.size);
  const w = wholes(group * inputs * outputs * r.kernel * c.kernel, 4);
  const y = new Float64Array(count(shape));
  x.forEach((value, at) => {
    const column = at % c.size, row = Math.floor(at / c.size) % r.size;
    const plane = Math.floor(at / (c.size * r.size));
    const n = Math.floor(plane / (group * inputs)), channel = plane % (group * inputs);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < r.kernel; k++) {
        for (let l = 0; l < c.kernel; l++) {
          const i = row * r.stride + k * r.dilation - r.before, j = column * c.stride + l * c.dilation - c.before;
          if (i < 0 || i >= shape[2] || j < 0 || j >= shape[3]) continue;
          const to = Math.floor(channel / inputs) * outputs + o;
          const weight = w[((channel * outputs + o) * r.kernel + k) * c.kernel + l];
          y[((n * shape[1] + to) * shape[2] + i) * shape[3] + j] += value * weight;
        }
      }
    }
  });
  return { x, w, y };
}

Deno.test(`readModel() of ConvTranspose is the loop that spreads its inputs (seed ${SEED})`, () => {
  fc.assert(
    fc.property(planes, axis, axis, (sizes, r, c) => {
      const { batch, group, inputs, outputs } = sizes;
      const spatial = [r, c].map((one) =>
        one.stride * (one.size - 1) + reachOf(one) + Math.min(one.extra, one.stride - 1) - one.before - one.after
      );
      fc.pre(spatial.every((size) => size >= 1));
      const shape = [batch, group * outputs, ...spatial];
      const { x, w, y } = spreadOut(sizes, [r, c], shape);
      const output_padding = [r, c].map((one) => Math.min(one.extra, one.stride - 1));
      const bytes = smallNetwork({
        input: [batch, group * inputs, r.size, c.size],
        nodes: [node("ConvTranspose", ["x", "w"], ["y"], { ...attributesOf([r, c]), group, output_padding })],
        floats: { w: [[group * inputs, outputs, r.kernel, c.kernel], w] },
        output: shape,
      });
      assert.deepEqual(output(readModel(bytes).graph("y"), x), y.map((value) => value + 0));
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

Deno.test(`readModel() of AveragePool divides the sum of what a window sees (seed ${SEED})`, () => {
  let folded = 0;
  fc.assert(
    fc.property(planes, axis, axis, fc.boolean(), ({ batch, inputs }, r, c, includePad) => {
      const pads = [r, c].map(({ kernel, before }) => Math.min(before, kernel - 1));
      const [height, width] = [r, c].map((one, i) =>
        Math.floor((one.size + 2 * pads[i] - one.kernel) / one.stride) + 1
      );
      fc.pre(height >= 1 && width >= 1);
      const x = wholes(batch * inputs * r.size * c.size);
      const bytes = smallNetwork({
        input: [batch, inputs, r.size, c.size],
        nodes: [
          node("AveragePool", ["x"], ["y"], {
            kernel_shape: [r.kernel, c.kernel],
            strides: [r.stride, c.stride],
            pads: [...pads, ...pads],
            count_include_pad: includePad ? 1 : 0,
          }),
        ],
      });
      const wanted: number[] = [];
      for (let plane = 0; plane < batch * inputs; plane++) {
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            let sum = 0, seen = 0;
            for (let k = 0; k < r.kernel; k++) {
              for (let l = 0; l < c.kernel; l++) {
                const row = i * r.stride + k - pads[0], column = j * c.stride + l - pads[1];
                if (row < 0 || row >= r.size || column < 0 || column >= c.size) continue;
                sum += x[(plane * r.size + row) * c.size + column];
                seen++;
              }
            }
            wanted.push(sum / (includePad ? r.kernel * c.kernel : seen));
          }
        }
      }
      const graph = readModel(bytes).graph("y");
      if (graph.nodes.length === 2 && r.kernel * c.kernel === 4) folded++;
      assert.deepEqual(output(graph, x), Float64Array.from(wanted, (value) => value + 0));
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assert.ok(folded > 5, `${folded} means of four numbers are one convolution`);
});
