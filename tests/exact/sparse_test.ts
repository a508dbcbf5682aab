import assert from "node:assert/strict";
import type { ConvolutionNode, Graph, Node, SelectionNode } from "../../shared/graph.ts";
import { compare, subtract, toNumber } from "./dyadic.ts";
import { evaluate, jacobianRow, outputAt, type Phases, phasesAt, unitRow } from "./network.ts";
import { BOXES } from "./random_networks.ts";
import { neighbouringFactors, randomConvolutional, STRUCTURES } from "./random_convolutional.ts";
import { MOST_VALUES, SCALES } from "./random_windows.ts";
import { Random } from "./random.ts";
import { convolve, select } from "./sparse.ts";
import { convolutionMatrix, selectionMatrix, unroll } from "./unroll.ts";
import { component, exactMatrix, type ExactVector, exactVector, product, transposedProduct } from "./vector.ts";

const SEED = 4106;
const NETWORKS = STRUCTURES.length * SCALES.length;

const numbers = (x: ExactVector) => x.numerators.map((_, i) => toNumber(component(x, i)));

/** 1d, one channel: four fine positions, kernel (2, 3), stride 2, dilation 2, one of padding in front. */
const strided: ConvolutionNode = {
  operator: "convolution",
  inputs: [0],
  size: 2,
  name: "y",
  kernel: Float64Array.of(2, 3),
  windows: {
    batch: 1,
    groups: 1,
    coarse: { channels: 1, height: 1, width: 2 },
    fine: { channels: 1, height: 1, width: 4 },
    kernel: [1, 2],
    stride: [1, 2],
    dilation: [1, 2],
    begin: [0, 1],
  },
  transposed: false,
  bias: null,
};

Deno.test("convolve() of a strided, dilated, padded window, worked out by hand, and back", () => {
  // Position 0 covers -1 and 1, position 1 covers 1 and 3.
  assert.deepEqual([...convolutionMatrix(strided, 4)], [0, 3, 0, 0, 0, 2, 0, 3]);
  assert.deepEqual(numbers(convolve(strided, exactVector([1, 10, 100, 1000]), 2)), [30, 3020]);
  assert.deepEqual(numbers(convolve(strided, exactVector([1, 10]), 4, true)), [0, 23, 0, 30]);
  const back: ConvolutionNode = { ...strided, size: 4, transposed: true };
  assert.deepEqual(numbers(convolve(back, exactVector([1, 10]), 4)), [0, 23, 0, 30]);
  assert.deepEqual([...convolutionMatrix(back, 2)], [0, 0, 3, 2, 0, 0, 0, 3]);
});

Deno.test("convolve() keeps groups and members of a batch apart, worked out by hand", () => {
  const grouped: ConvolutionNode = {
    ...strided,
    size: 4,
    kernel: Float64Array.of(2, 3),
    windows: {
      batch: 2,
      groups: 2,
      coarse: { channels: 2, height: 1, width: 1 },
      fine: { channels: 2, height: 1, width: 1 },
      kernel: [1, 1],
      stride: [1, 1],
      dilation: [1, 1],
      begin: [0, 0],
    },
  };
  assert.deepEqual(numbers(convolve(grouped, exactVector([1, 10, 100, 1000]), 4)), [2, 30, 200, 3000]);
});

Deno.test("select() repeats, leaves out and, transposed, adds up", () => {
  const pick: SelectionNode = {
    operator: "selection",
    inputs: [0],
    size: 4,
    name: "y",
    map: Int32Array.of(1, -1, 1, 0),
    transposed: false,
  };
  assert.deepEqual(numbers(select(pick, exactVector([5, 7]), 4)), [7, 0, 7, 5]);
  assert.deepEqual(numbers(select(pick, exactVector([1, 10, 100, 1000]), 2, true)), [1000, 101]);
  const scatter: SelectionNode = { ...pick, size: 2, transposed: true };
  assert.deepEqual(numbers(select(scatter, exactVector([1, 10, 100, 1000]), 2)), [1000, 101]);
  assert.deepEqual([...selectionMatrix(scatter, 4)], [0, 0, 0, 1, 1, 0, 1, 0]);
});

function same(a: ExactVector, b: ExactVector, what: string): void {
  assert.equal(a.numerators.length, b.numerators.length, what);
  a.numerators.forEach((_, i) => assert.equal(compare(component(a, i), component(b, i)), 0, `${what}, value ${i}`));
}

function pointOf({ lower, upper }: { lower: Float64Array; upper: Float64Array }, random: Random): Float64Array {
  return lower.map((l, j) => Math.min(Math.max(random.between(l, upper[j]), l), upper[j]));
}

Deno.test(`a network and its dense twin have the same exact values and Jacobians, node for node (seed ${SEED})`, () => {
  let rows = 0;
  for (let index = 0; index < NETWORKS; index++) {
    const network = randomConvolutional(SEED, index), { graph, name } = network;
    const twin = unroll(graph);
    const point = pointOf(network, new Random(SEED, -1 - index));
    const here = evaluate(graph, point), there = evaluate(twin, point);
    here.forEach((values, id) => same(values, there[id], `${name}, node ${id}`));
    const phases = phasesAt(graph, here, null) ?? phasesAt(graph, here, new Float64Array(point.length).fill(1));
    if (phases === null) continue;
    const outputs = graph.nodes.at(-1)!.size;
    for (let k = 0; k < outputs; k++, rows++) {
      const row = unitRow(outputs, k);
      same(jacobianRow(graph, phases, row), jacobianRow(twin, phases, row), `${name}, row ${k}`);
    }
  }
  assert.ok(rows > NETWORKS, `only ${rows} rows`);
});

Deno.test(`convolve() and select() are adjoint to the matrices of the twin (seed ${SEED})`, () => {
  for (let index = 0; index < NETWORKS; index++) {
    const { graph, name } = randomConvolutional(SEED, index), random = new Random(SEED, index);
    for (const node of graph.nodes) {
      if (node.operator !== "convolution" && node.operator !== "selection") continue;
      const { size } = graph.nodes[node.inputs[0]];
      const p = exactVector(Float64Array.from({ length: node.size }, () => random.integer(-9, 9)));
      const [back, matrix] = node.operator === "convolution"
        ? [convolve(node, p, size, true), convolutionMatrix(node, size)]
        : [select(node, p, size, true), selectionMatrix(node, size)];
      same(back, transposedProduct(exactMatrix(matrix), p, size), `${name}, ${node.name}`);
    }
  }
});

Deno.test(`jacobianRow() is the difference of exact values inside one region of a convolution (seed ${SEED})`, () => {
  let compared = 0;
  for (let index = 0; index < NETWORKS; index++) {
    const network = randomConvolutional(SEED, index), { graph, name, lower, upper } = network;
    const near = lower.map((l, j) => l / 2 + upper[j] / 2), far = near.map((x) => x + 2 ** -40 * Math.abs(x));
    const [here, there] = [near, far].map((x) => evaluate(graph, x));
    const phases = phasesAt(graph, here, null), others = phasesAt(graph, there, null);
    if (phases === null || others === null || !sameRegion(phases, others)) continue;
    const outputs = graph.nodes.at(-1)!.size;
    for (let k = 0; k < outputs; k++, compared++) {
      const row = jacobianRow(graph, phases, unitRow(outputs, k));
      const [end, start] = [far, near].map((x) => component(product(exactMatrix(x), row, 1), 0));
      const difference = subtract(component(there.at(-1)!, k), component(here.at(-1)!, k));
      assert.equal(compare(subtract(end, start), difference), 0, name);
    }
  }
  assert.ok(compared > NETWORKS / 2, `only ${compared} rows`);
});

function sameRegion(a: Phases, b: Phases): boolean {
  return [...a].every(([id, { entries, exponent }]) => {
    const other = b.get(id)!;
    return exponent === other.exponent && entries.every((entry, i) => entry === other.entries[i]);
  });
}

Deno.test(`randomConvolutional() is named by seed and index, small, and meets every feature (seed ${SEED})`, () => {
  const met: Record<string, number> = {};
  const meet = (feature: string, holds: boolean) => {
    if (holds) met[feature] = (met[feature] ?? 0) + 1;
  };
  const combinations = new Set<string>();
  for (let index = 0; index < 2 * NETWORKS; index++) {
    const { graph, structure, scale, boxKind, name } = randomConvolutional(SEED, index);
    combinations.add(`${structure}, ${scale}, `).add(`, ${scale}, ${boxKind}`).add(`${structure}, , ${boxKind}`);
    graph.nodes.forEach((node, id) => {
      checkNode(graph, node, id, name);
      meetNode(graph, node, meet);
    });
  }
  assert.equal(
    combinations.size,
    STRUCTURES.length * SCALES.length + SCALES.length * BOXES.length + STRUCTURES.length * BOXES.length,
  );
  const features = ["1d", "2d", "batch", "stride", "dilation", "padding", "padding beyond the window", "groups"];
  features.push("depthwise", "transposed", "nothing but padding", "bias a value", "no bias", "left out", "repeated");
  features.push("sums", "add", "roundings", "divided", "relu", "abs", "clip", "leaky_relu", "zero tap");
  for (const feature of features) assert.ok((met[feature] ?? 0) >= 8, `${feature}: ${met[feature] ?? 0}`);
  const { graph } = randomConvolutional(SEED, 7);
  assert.deepEqual(graph, randomConvolutional(SEED, 7).graph);
  assert.equal(outputAt(graph, new Float64Array(graph.nodes[0].size)).numerators.length, graph.nodes.at(-1)!.size);
});

/** Sizes agree, constants are finite, inputs come before. */
function checkNode({ nodes }: Graph, node: Node, id: number, name: string): void {
  assert.ok(node.size >= 1 && node.size <= MOST_VALUES + 20, `${name}: ${node.size} values of ${node.name}`);
  assert.ok(node.inputs.every((input) => input < id), name);
  if (node.operator === "selection") {
    const [reads, writes] = node.transposed
      ? [node.map.length, node.size]
      : [nodes[node.inputs[0]].size, node.map.length];
    assert.equal(node.transposed ? reads : writes, node.transposed ? nodes[node.inputs[0]].size : node.size, name);
    const limit = node.transposed ? node.size : nodes[node.inputs[0]].size;
    assert.ok(node.map.every((place) => place >= -1 && place < limit), name);
  }
  if (node.operator !== "convolution") return;
  const { batch, groups, coarse, fine, kernel } = node.windows;
  const [from, to] = node.transposed ? [coarse, fine] : [fine, coarse];
  assert.equal(batch * to.channels * to.height * to.width, node.size, name);
  assert.equal(batch * from.channels * from.height * from.width, nodes[node.inputs[0]].size, name);
  assert.equal(coarse.channels % groups + fine.channels % groups, 0, name);
  assert.equal(node.kernel.length, coarse.channels * (fine.channels / groups) * kernel[0] * kernel[1], name);
  assert.ok(node.bias === null || node.bias.length === node.size, name);
  assert.ok(node.kernel.every(Number.isFinite), name);
}

function meetNode({ nodes }: Graph, node: Node, meet: (feature: string, holds: boolean) => void): void {
  meet(node.operator, true);
  if (node.operator === "scale") {
    meet("roundings", (node.roundings ?? 0) > 0);
    meet("divided", node.inverse);
  }
  if (node.operator === "selection") {
    const places = [...node.map].filter((place) => place >= 0);
    meet("left out", places.length < node.map.length);
    meet("repeated", !node.transposed && new Set(places).size < places.length);
    meet("sums", node.transposed && new Set(places).size < places.length);
  }
  if (node.operator !== "convolution") return;
  const { batch, groups, coarse, fine, kernel, stride, dilation, begin } = node.windows;
  const span = (axis: 0 | 1) => dilation[axis] * (kernel[axis] - 1) + 1;
  meet("1d", fine.height === 1 && fine.width > 1);
  meet("2d", fine.height > 1 && fine.width > 1 && kernel[0] > 1 && kernel[1] > 1);
  meet("batch", batch > 1);
  meet("stride", Math.max(...stride) > 1);
  meet("dilation", Math.max(...dilation.filter((_, axis) => kernel[axis] > 1)) > 1);
  meet("padding", Math.max(...begin) > 0);
  meet("padding beyond the window", begin[0] > span(0) || begin[1] > span(1));
  meet("groups", groups > 1);
  meet("depthwise", groups > 1 && groups === fine.channels);
  meet("transposed", node.transposed);
  meet("no bias", node.bias === null);
  meet("bias a value", node.bias !== null && new Set(node.bias).size > coarse.channels + fine.channels);
  meet("zero tap", node.kernel.includes(0));
  const matrix = convolutionMatrix({ ...node, kernel: node.kernel.map(() => 1) }, nodes[node.inputs[0]].size);
  const columns = matrix.length / node.size;
  const isEmpty = (i: number) => matrix.subarray(i * columns, (i + 1) * columns).every((entry) => entry === 0);
  meet("nothing but padding", Array.from({ length: node.size }, (_, i) => i).some(isEmpty));
}

Deno.test("neighbouringFactors() moves factors of two or more roundings by one step, and no others", () => {
  const factors = Float64Array.of(3, 0.1);
  const scale = { operator: "scale", inputs: [0], size: 2, name: "s", factors, inverse: false } as const;
  const graph = (roundings: number): Graph => ({
    nodes: [{ operator: "input", inputs: [], size: 2, name: "x" }, { ...scale, roundings }],
  });
  const moved = (roundings: number) => {
    const [, node] = neighbouringFactors(graph(roundings), new Random(SEED)).nodes;
    return (node as typeof scale).factors.map((f, i) => Math.abs(f / factors[i] - 1));
  };
  assert.deepEqual([...moved(1)], [0, 0]);
  assert.ok(moved(2).some((d) => d > 0) && moved(2).every((d) => d <= 2 ** -52));
});
