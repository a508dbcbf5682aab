import assert from "node:assert/strict";
import type { Graph } from "../../../shared/graph.ts";
import { type AllPhases, type ExactForm, exactForm, onBox } from "../../../shared/linear/exact_form.ts";
import { add, compare, divide, type Exact, exact, multiply, powerOfTwo, sign } from "../../exact/dyadic.ts";
import { evaluate } from "../../exact/network.ts";
import { isActivation } from "../../exact/pieces.ts";
import { Random } from "../../exact/random.ts";
import { randomConvolutional } from "../../exact/random_convolutional.ts";
import { randomNetwork } from "../../exact/random_networks.ts";
import { component, type ExactVector } from "../../exact/vector.ts";

const SEED = 20_261_203;
const PLENTY = 1e7;

const integer = (numerator: bigint): Exact => ({ numerator, exponent: 0, denominator: 1n });

function valueAt({ coefficients, constant, exponent, denominator }: ExactForm, point: Float64Array): Exact {
  const sum = coefficients.reduce((sum, c, j) => add(sum, multiply(integer(c), exact(point[j]))), integer(constant));
  return divide(multiply(sum, powerOfTwo(exponent)), integer(denominator));
}

/** The pieces that hold the point, of every neuron. */
function phasesAt(graph: Graph, values: readonly ExactVector[]): AllPhases {
  return new Map(graph.nodes.flatMap((node, id) => {
    if (!isActivation(node)) return [];
    const phases = Int8Array.from({ length: node.size }, (_, i) => {
      const z = component(values[node.inputs[0]], i);
      if (node.operator !== "clip") return sign(z) >= 0 ? 1 : -1;
      if (node.lower[i] > -Infinity && compare(z, exact(node.lower[i])) <= 0) return -1;
      return node.upper[i] < Infinity && compare(z, exact(node.upper[i])) >= 0 ? 2 : 1;
    });
    return [[id, phases] as const];
  }));
}

function compareEverywhere(graph: Graph, point: Float64Array, random: Random): number {
  const values = evaluate(graph, point), phases = phasesAt(graph, values);
  let compared = 0;
  graph.nodes.forEach((node) => {
    if (!isActivation(node)) return;
    const below = node.inputs[0];
    for (let k = 0; k < 4; k++) {
      const i = random.integer(0, node.size - 1);
      const form = exactForm(graph, phases, below, i, { products: PLENTY });
      if (form === null) continue;
      compared++;
      assert.equal(compare(valueAt(form, point), component(values[below], i)), 0, `${node.name}, ${i}`);
      const folded = onBox(form, { lower: point, upper: point.map((x, j) => (j % 2 === 0 ? x : x + 1)) });
      assert.ok(folded.coefficients.every((c, j) => j % 2 === 1 || c === 0n));
      assert.equal(compare(valueAt(folded, point), component(values[below], i)), 0, `${node.name}, ${i}, folded`);
    }
  });
  return compared;
}

Deno.test(`exactForm() is the preactivation itself, on dense networks (seed ${SEED})`, () => {
  let compared = 0;
  for (let index = 0; index < 60; index++) {
    const { graph, lower, upper } = randomNetwork(SEED, index, 10), random = new Random(SEED, index);
    compared += compareEverywhere(graph, Float64Array.from(lower, (l, j) => random.between(l, upper[j])), random);
  }
  assert.ok(compared > 200, `${compared}`);
});

Deno.test(`exactForm() is the preactivation itself, with windows, branches and selections (seed ${SEED})`, () => {
  let compared = 0;
  for (let index = 0; index < 60; index++) {
    const { graph, lower, upper } = randomConvolutional(SEED, index), random = new Random(SEED, index);
    compared += compareEverywhere(graph, Float64Array.from(lower, (l, j) => random.between(l, upper[j])), random);
  }
  assert.ok(compared > 200, `${compared}`);
});

const input = { operator: "input", inputs: [], size: 1, name: "x" } as const;

Deno.test("exactForm() is null where it cannot be exact, and above its work", () => {
  const relu = { operator: "relu", inputs: [1], size: 1, name: "relu" } as const;
  const scale = (roundings: number, inverse = false) => ({
    nodes: [
      input,
      { operator: "scale", inputs: [0], size: 1, name: "s", factors: Float64Array.of(3), inverse, roundings } as const,
      relu,
      {
        operator: "affine",
        inputs: [2],
        size: 1,
        name: "a",
        weights: Float64Array.of(2),
        bias: Float64Array.of(1),
      } as const,
    ],
  });
  const active: AllPhases = new Map([[2, Int8Array.of(1)]]),
    ask = (graph: Graph, phases: AllPhases, products = PLENTY) => exactForm(graph, phases, 3, 0, { products });
  assert.equal(ask(scale(1), active), null);
  assert.equal(ask(scale(0), new Map()), null);
  assert.equal(ask(scale(0), active, 1), null);
  const form = ask(scale(0, true), active)!;
  assert.equal(compare(valueAt(form, Float64Array.of(4)), divide(exact(11), exact(3))), 0);
});
