import assert from "node:assert/strict";
import type { Pass } from "../../../shared/bounds/pass.ts";
import { condenseNetwork, MOST_NUMBERS } from "../../../shared/condensed/condense_network.ts";
import { gradientOf, valuesAt } from "../../../shared/condensed/plain.ts";
import { evaluatePlain, gradientPlain } from "../../../shared/witness/plain_network.ts";
import { gamma } from "../../../shared/numeric/rounding.ts";
import { neighbouringFactors } from "../../exact/random_convolutional.ts";
import { Random } from "../../exact/random.ts";
import { center, samplePoints, unitRows } from "../../soundness/samples.ts";
import { type Bounded, chain, condensed, convolutional, dense, passOf } from "./networks.ts";
import { columnsOf, falseGradients, falseNumbers, falseUnits, falseValues } from "./violations.ts";

const SEED = 2301;
/** Columns that are checked of one network. */
const MOST_COLUMNS = 20;

async function checkAll(count: number, make: (seed: number, index: number) => Promise<Bounded>): Promise<number> {
  let units = 0;
  for (let index = 0; index < count; index++) {
    const { name, pass, box } = await make(SEED, index);
    const random = new Random(SEED, index);
    const network = condenseNetwork(pass);
    if (network === null) {
      assert.match(name, /wide|extreme/, `${name} overflows`);
      continue;
    }
    units += network.units.length;
    const columns = columnsOf(network);
    const some = columns.length <= MOST_COLUMNS
      ? columns
      : Array.from({ length: MOST_COLUMNS }, (_, k) => k === 0 ? columns[0] : random.pick(columns));
    const graphs = [pass.graph, neighbouringFactors(pass.graph, random)];
    const points = samplePoints(pass.graph, box, random, 4, []).map(({ point }) => point);
    const wrong = [
      ...falseUnits(pass, network),
      ...graphs.flatMap((graph) => falseNumbers({ ...pass, graph }, network, some)),
      ...points.flatMap((point) => graphs.flatMap((graph) => falseValues(graph, network, point))),
      ...falseGradients(pass, network, random.integer(0, network.outputs - 1), random),
      ...falseGradients(pass, network, random.integer(0, network.outputs - 1), random),
    ];
    assert.deepEqual(wrong, [], name);
  }
  return units;
}

Deno.test(`(23) condenseNetwork() of dense and branching networks is the network up to its radii (seed ${SEED})`, async () => {
  const units = await checkAll(312, dense);
  assert.ok(units > 700, `only ${units} units`);
});

Deno.test(`(23) condenseNetwork() of convolutional networks is the network up to its radii (seed ${SEED})`, async () => {
  const units = await checkAll(44, convolutional);
  assert.ok(units > 400, `only ${units} units`);
});

Deno.test(`plain values and gradients of the condensed network are those of the network (seed ${SEED})`, async () => {
  for (let index = 0; index < 44; index++) {
    const { name, pass, box } = await convolutional(SEED + 1, index);
    const network = condensed(pass);
    const x = center(box), trace = evaluatePlain(pass.graph, x);
    const seed = unitRows(pass.graph)[0];
    const { h, outputs } = valuesAt(network, x);
    const pattern = Array.from(h, (z) => z > 0 ? 1 : 0);
    const isClose = (a: Float64Array, b: Float64Array) => {
      const largest = Math.max(1e-300, ...b.map(Math.abs));
      a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) <= 1e-6 * largest, `${name}: ${value} for ${b[i]}`));
    };
    isClose(outputs, trace.values.at(-1)!);
    if (h.some((z) => Math.abs(z) < 1e-9)) continue; // near a kink each may take its side
    isClose(gradientOf(network, pattern, seed), gradientPlain(pass.graph, trace, Float64Array.from(seed)));
  }
});

Deno.test("the error counts every rounding of a chain, and those of stored factors", async () => {
  const weights = (count: number) => Float64Array.from({ length: count }, (_, i) => Math.sin(i + 1));
  const of = (roundings: number) =>
    chain(
      5,
      [{ operator: "affine", weights: weights(35), bias: weights(7) }, 7],
      [{ operator: "scale", factors: weights(7), inverse: false, roundings }, 7],
      [{ operator: "leaky_relu", slopes: weights(7) }, 7],
      [{ operator: "affine", weights: weights(21), bias: weights(3) }, 3],
    );
  const box = { lower: new Float64Array(5).fill(-1), upper: new Float64Array(5).fill(1) };
  const plain = condensed(await passOf(of(0), box));
  // Product and sum over 3 rows, a slope, a factor, product and sum over 7 rows or with the bias; then the constants' sum.
  assert.ok(plain.error >= gamma(1 + 3 + 1 + 1 + 1 + 7 + 1));
  assert.ok(plain.error <= gamma(80), "not careless");
  const rough = of(2 ** 20), network = condensed(await passOf(rough, box));
  assert.ok(network.error - plain.error >= gamma(2 ** 20) * (1 - 2 ** -20));
  // The largest factors that the stored ones may stand for.
  const pass = await passOf(rough, box);
  for (const d of [1, -1]) {
    const nodes = rough.nodes.map((node) =>
      node.operator === "scale" ? { ...node, factors: node.factors.map((f) => f * (1 + d * 2 ** -33)) } : node
    );
    assert.deepEqual(falseNumbers({ ...pass, graph: { nodes } }, network, columnsOf(network)), []);
    assert.notDeepEqual(falseNumbers({ ...pass, graph: { nodes } }, plain, columnsOf(plain)), []);
  }
});

Deno.test("the error counts long sums of constants, and additions where branches part", async () => {
  const box = { lower: Float64Array.of(-1), upper: Float64Array.of(1) };
  const ones = (count: number) => new Float64Array(count).fill(1);
  const sum = chain(
    1,
    [{ operator: "selection", map: new Int32Array(1000), transposed: false }, 1000],
    [{ operator: "shift", offsets: ones(1000) }, 1000],
    [{ operator: "affine", weights: ones(1000), bias: null }, 1],
  );
  assert.ok(condensed(await passOf(sum, box)).error >= gamma(1000));
  const offsets = { nodes: sum.nodes.slice(0, 1) };
  offsets.nodes[0] = { ...offsets.nodes[0], size: 1000 };
  offsets.nodes.push(...sum.nodes.slice(2).map((node, k) => ({ ...node, inputs: [k] })));
  const wide = { lower: ones(1000), upper: ones(1000) };
  assert.ok(condensed(await passOf(offsets, wide)).error >= gamma(1000));
  const doubled = chain(1);
  for (let k = 0; k < 40; k++) {
    doubled.nodes.push({ operator: "add", inputs: [k, k], signs: [1, 1], size: 1, name: `add${k}` });
  }
  assert.ok(condensed(await passOf(doubled, box)).error >= gamma(48)); // 8 of them the reserve of any radius
});

Deno.test("a divisor out of k roundings is charged for 2 k", async () => {
  const of = (roundings: number) =>
    chain(2, [{ operator: "scale", factors: Float64Array.of(3, 0.1), inverse: true, roundings }, 2]);
  const box = { lower: Float64Array.of(-1, -1), upper: Float64Array.of(1, 1) };
  const [none, many] = [condensed(await passOf(of(0), box)), condensed(await passOf(of(1000), box))];
  assert.ok(many.error - none.error >= gamma(2000) * (1 - 2 ** -20));
});

Deno.test("what underflows is inside the magnitudes, however large the numbers that follow", async () => {
  const one = (weight: number) => ({ operator: "affine", weights: Float64Array.of(weight), bias: null } as const);
  const graph = chain(1, [one(2 ** 900), 1], [one(2 ** -540), 1], [one(2 ** -540), 1]);
  const pass = await passOf(graph, { lower: Float64Array.of(-1), upper: Float64Array.of(1) });
  const network = condensed(pass);
  assert.equal(network.inputWeights[0], 0);
  assert.ok(network.error * network.inputMagnitudes[0] >= 2 ** -180);
  const slopes = chain(
    1,
    [one(2 ** 900), 1],
    [{ operator: "leaky_relu", slopes: Float64Array.of(2 ** -540) }, 1],
    [{ operator: "shift", offsets: Float64Array.of(-1) }, 1],
    [one(2 ** -540), 1],
  );
  const jump = chain(
    1,
    [{ operator: "leaky_relu", slopes: Float64Array.of(1 - 2 ** -53) }, 1],
    [one(2 ** -1030), 1],
  );
  for (const [graph, l, u] of [[slopes, -2, -1], [slopes, -1, 1], [jump, -1, 1]] as const) {
    const pass = await passOf(graph, { lower: Float64Array.of(l), upper: Float64Array.of(u) });
    const network = condensed(pass);
    assert.deepEqual(falseNumbers(pass, network, columnsOf(network)), []);
  }
});

Deno.test("equal neurons have rows equal in every bit, opposite ones opposite rows, and zero magnitudes are exact", async () => {
  const random = new Random(SEED), row = (length: number) => Array.from({ length }, () => random.normal());
  const twin = (columns: number) => {
    const [a, b] = [row(columns), row(columns)];
    return Float64Array.from([a, b, a, b.map((w) => -w), row(columns)].flat());
  };
  const bias = () => Float64Array.of(0.1, 0.2, 0.1, -0.2, 0.3);
  const graph = chain(
    7,
    [{ operator: "affine", weights: twin(7), bias: bias() }, 5],
    [{ operator: "leaky_relu", slopes: new Float64Array(5).fill(0.3) }, 5],
    [{ operator: "affine", weights: twin(5), bias: bias() }, 5],
    [{ operator: "relu" }, 5],
    [{ operator: "affine", weights: Float64Array.from(row(10)), bias: null }, 2],
  );
  const network = condensed(
    await passOf(graph, { lower: new Float64Array(7).fill(-9), upper: new Float64Array(7).fill(9) }),
  );
  const { units, inputWeights, unitWeights, bias: constants } = network;
  assert.equal(units.length, 10);
  const rowOf = (r: number, sign: 1 | -1) =>
    [...inputWeights.subarray(7 * r, 7 * r + 7), ...unitWeights.subarray(10 * r, 10 * r + 10), constants[r]]
      .map((w) => sign * w + 0);
  for (const from of [0, 5]) {
    assert.deepEqual(rowOf(from, 1), rowOf(from + 2, 1));
    assert.deepEqual(rowOf(from + 1, 1), rowOf(from + 3, -1));
  }
  assert.deepEqual([...network.rank], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
});

Deno.test("no condensed form where a number overflows or there are too many", async () => {
  const one = (weight: number) => ({ operator: "affine", weights: Float64Array.of(weight), bias: null } as const);
  const graph = chain(1, [one(2 ** 800), 1], [one(2 ** 800), 1]);
  const pass = await passOf(graph, { lower: Float64Array.of(0), upper: Float64Array.of(2 ** -1000) });
  assert.equal(condenseNetwork(pass), null);
  const size = MOST_NUMBERS / 2;
  const picks = (features: number) => {
    const graph = chain(features, [{ operator: "selection", map: Int32Array.of(0, 1), transposed: false }, 2]);
    const box = { lower: new Float64Array(features), upper: new Float64Array(features) };
    const state = { boxes: [box] };
    return { graph, groups: [{ box }], states: [state, state] } as unknown as Pass;
  };
  assert.equal(condenseNetwork(picks(size + 1)), null);
});

Deno.test("a decided phase is a line: closed, on the kink too", async () => {
  const graph = chain(1, [{ operator: "relu" }, 1]);
  const pass = await passOf(graph, { lower: Float64Array.of(0), upper: Float64Array.of(0) });
  for (const [phase, slope] of [[1, 1], [-1, 0]]) {
    const groups = [{ ...pass.groups[0], phases: new Map([[1, Int8Array.of(phase)]]) }];
    const network = condensed({ ...pass, groups });
    assert.deepEqual([network.units.length, network.inputWeights[0]], [0, slope]);
  }
  assert.equal(condensed(pass).units.length, 1);
});
