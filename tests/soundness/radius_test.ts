import assert from "node:assert/strict";
import type { Graph, Node } from "../../shared/graph.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { rowSumRoundings, settleLower, settleUpper, underflowOf } from "../../shared/numeric/rounding.ts";
import {
  add,
  compare,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  multiply,
  subtract,
  toNumber,
  ZERO,
} from "../exact/dyadic.ts";
import { factorOf } from "../../shared/bounds/roundings.ts";
import { Random } from "../exact/random.ts";
import { boundEverything, RELAXATIONS } from "./bounds.ts";
import { falseOutputBounds } from "./findings.ts";
import { samplePoints } from "./samples.ts";
import { falseWalks } from "./walks.ts";

const SEED = 4104;
const SIZES = [1, 2, 3, 5, 64, 1000, 8192, 8193, 30_000];

/** gamma_n = n u / (1 - n u) as a number above and below by a division that is exact. */
function gammaTimes(roundings: number, magnitude: Exact): Exact {
  // n 2^-53 / (1 - n 2^-53) = n / (2^53 - n)
  return {
    ...multiply(exact(roundings), magnitude),
    denominator: (2n ** 53n - BigInt(roundings)) * magnitude.denominator,
  };
}

Deno.test(`settleLower() pays gamma of its roundings on the exact magnitude up to 30,000 terms (seed ${SEED})`, () => {
  for (const size of SIZES) {
    const random = new Random(SEED, size);
    for (const spread of [0, 12]) {
      let sum = 0, computed = 0, exactSum = ZERO, magnitude = ZERO;
      for (let k = 0; k < size; k++) {
        const x = random.normal() * 10 ** random.between(-spread, spread), y = random.normal();
        sum += x * y;
        computed += Math.abs(x * y);
        const term = multiply(exact(x), exact(y));
        exactSum = add(exactSum, term);
        magnitude = add(magnitude, term.numerator < 0n ? subtract(ZERO, term) : term);
      }
      const underflow = underflowOf(size);
      const lower = settleLower(sum, computed, size, underflow), upper = settleUpper(sum, computed, size, underflow);
      assert.ok(isAtLeast(exactSum, lower) && isAtMost(exactSum, upper), `${size} terms, spread ${spread}`);
      const radius = gammaTimes(size, magnitude);
      for (const paid of [subtract(exact(sum), exact(lower)), subtract(exact(upper), exact(sum))]) {
        assert.ok(compare(paid, radius) >= 0, `${size} terms: ${toNumber(paid)} below ${toNumber(radius)}`);
        // And not carelessly more: 0.1 per cent and the slack of a dozen roundings.
        assert.ok(
          compare(paid, multiply(exact(1.001), gammaTimes(size + 12, magnitude))) <= 0,
          `${size} terms: too much`,
        );
      }
    }
  }
});

Deno.test("settleLower() keeps an exact 0, never passes 0 with terms of one sign, and proves nothing from NaN or infinities", () => {
  assert.equal(settleLower(0, 0, 100, 0), 0);
  assert.ok(settleLower(1e-300, 1e-300, 30_000, 0) >= 0);
  assert.ok(settleUpper(-1e-300, 1e-300, 30_000, 0) <= 0);
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const [sum, magnitude, underflow] of [[bad, 1, 0], [0, bad, 0], [0, 1, bad]]) {
      if (magnitude === -Infinity || underflow === -Infinity) continue; // no magnitude
      assert.equal(settleLower(sum, magnitude, 3, underflow), -Infinity);
      assert.equal(settleUpper(sum, magnitude, 3, underflow), Infinity);
    }
  }
  assert.equal(underflowOf(0), 0);
  assert.ok(underflowOf(30_000) >= 30_000 * Number.MIN_VALUE);
});

Deno.test("rowSumRoundings() counts every rounding on the path of a term: its product and the additions after it", () => {
  for (const size of SIZES) assert.ok(rowSumRoundings(size) >= size, `${size} columns`);
});

/** Input of `inputs` numbers, one hidden layer of `hidden` neurons, one output. */
function oneHiddenLayer(inputs: number, hidden: number, scale = 1): Graph {
  const random = new Random(SEED, inputs + hidden);
  const weights = (rows: number, columns: number) =>
    Float64Array.from({ length: rows * columns }, () => random.normal() * scale / Math.sqrt(columns));
  const bias = (size: number) => Float64Array.from({ length: size }, () => 0.1 * random.normal());
  const nodes: Node[] = [
    { operator: "input", inputs: [], size: inputs, name: "x" },
    { operator: "affine", inputs: [0], size: hidden, name: "z", weights: weights(hidden, inputs), bias: bias(hidden) },
    { operator: "relu", inputs: [1], size: hidden, name: "h" },
    { operator: "affine", inputs: [2], size: 1, name: "y", weights: weights(1, hidden), bias: bias(1) },
  ];
  return { nodes };
}

Deno.test("lowerBounds() pays each layer's radius by its own formula with 30,000 inputs and with 30,000 neurons", async () => {
  for (const [inputs, hidden] of [[30_000, 3], [3, 30_000], [8193, 5]]) {
    const graph = oneHiddenLayer(inputs, hidden), random = new Random(SEED, 1);
    const centre = Float64Array.from({ length: inputs }, () => random.normal());
    const box = { lower: centre.map((x) => x - 2 ** -6), upper: centre.map((x) => x + 2 ** -6) };
    const { found, claims } = await falseWalks(referenceKernels(), graph, box, RELAXATIONS.linear);
    assert.deepEqual(found, [], `${inputs} inputs, ${hidden} neurons`);
    assert.ok(claims >= 7, `${claims} rows compared`);
  }
});

Deno.test("lowerBounds() in f32 pays each layer's radius by its own formula with 30,000 inputs and with 30,000 neurons", async () => {
  for (const [inputs, hidden] of [[30_000, 3], [3, 30_000]]) {
    const graph = oneHiddenLayer(inputs, hidden), random = new Random(SEED, 1);
    const centre = Float64Array.from({ length: inputs }, () => random.normal());
    const box = { lower: centre.map((x) => x - 2 ** -6), upper: centre.map((x) => x + 2 ** -6) };
    const { found, claims } = await falseWalks(referenceKernels().single, graph, box, RELAXATIONS.linear);
    assert.deepEqual(found, [], `${inputs} inputs, ${hidden} neurons`);
    assert.ok(claims >= 7, `${claims} rows compared`);
  }
});

Deno.test("factorOf() is at least gamma of f64 with its reserve and gamma of f32, and hardly more", () => {
  for (const sum of [1, 17, 1000, 30_000, 2 ** 26]) {
    for (const single of [1, 3, 50, 1000, 2 ** 20]) {
      const wide = gammaTimes(sum + 8, exact(1));
      const narrow = { ...exact(single), denominator: 2n ** 24n - BigInt(single) };
      const least = add(wide, narrow), factor = exact(factorOf({ sum, single }));
      assert.ok(compare(factor, least) >= 0, `${sum}, ${single}`);
      assert.ok(compare(factor, multiply(exact(1.00001), least)) <= 0, `${sum}, ${single}: too much`);
    }
  }
});

Deno.test("lowerBounds() in f32 charges rows whose own coefficients are no f32", async () => {
  const graph = oneHiddenLayer(5, 7), random = new Random(SEED, 3), point = Float64Array.from([1, 2, 3, 4, 5]);
  const box = { lower: point, upper: point };
  for (let trial = 0; trial < 40; trial++) {
    const rows = [[10 ** random.between(-60, 30) * (1 + 2 ** -25 + 2 ** -40 * random.unit())]];
    const samples = samplePoints(graph, box, random, 1, rows);
    const { outputs } = await boundEverything(
      referenceKernels().single,
      graph,
      box,
      RELAXATIONS.linear,
      "linear",
      rows,
    );
    assert.deepEqual(falseOutputBounds(samples, outputs), [], `trial ${trial} of seed ${SEED}`);
  }
});

Deno.test("lowerBounds() in f32 stays sound where products of coefficients underflow f32 and inputs are large", async () => {
  const nodes: Node[] = [
    { operator: "input", inputs: [], size: 1, name: "x" },
    {
      operator: "affine",
      inputs: [0],
      size: 3,
      name: "z",
      weights: Float64Array.of(1.1, -1.3, 0.7).map((w) => w * 2 ** -80),
      bias: null,
    },
    {
      operator: "affine",
      inputs: [1],
      size: 2,
      name: "y",
      weights: Float64Array.of(1.7, -0.9, 1.9, 0.3, 1.1, -0.6).map((w) => w * 2 ** -68),
      bias: null,
    },
  ];
  const graph = { nodes }, random = new Random(SEED, 4);
  for (let trial = 0; trial < 20; trial++) {
    const x = 2 ** 160 * random.between(1, 2), box = { lower: [x], upper: [x] }, rows = [[1, 0], [0.5, -1]];
    const samples = samplePoints(graph, box, random, 1, rows);
    const { outputs } = await boundEverything(
      referenceKernels().single,
      graph,
      box,
      RELAXATIONS.linear,
      "linear",
      rows,
    );
    assert.deepEqual(falseOutputBounds(samples, outputs), [], `trial ${trial} of seed ${SEED}`);
  }
});

Deno.test("lowerBounds() stays sound where the products of weights and inputs underflow and a row is large", async () => {
  // w x is 1e-350 and vanishes, but 1e200 w x does not: its rounding must be charged all the same.
  const weights = Float64Array.of(1.1e-200, 1.1e-200 * (1 + 2 ** -50), 1.3e-200, 1.3e-200 * (1 - 2 ** -51));
  const nodes: Node[] = [
    { operator: "input", inputs: [], size: 1, name: "x" },
    { operator: "affine", inputs: [0], size: 4, name: "y", weights, bias: null },
  ];
  const graph = { nodes }, random = new Random(SEED, 2);
  for (let trial = 0; trial < 50; trial++) {
    const x = 1e-150 * random.between(1, 2), box = { lower: [x], upper: [x] };
    const rows = [[1, -1, 1, -1].map((sign) => sign * 1e200 * (1 + 1e-14 * random.unit()))];
    const samples = samplePoints(graph, box, random, 1, rows);
    const { outputs } = await boundEverything(referenceKernels(), graph, box, RELAXATIONS.linear, "linear", rows);
    assert.deepEqual(falseOutputBounds(samples, outputs), [], `trial ${trial} of seed ${SEED}`);
  }
});
