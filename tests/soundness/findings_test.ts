import assert from "node:assert/strict";
import { neighbour, roundDown, roundUp } from "../exact/dyadic.ts";
import { component, norm1 } from "../exact/vector.ts";
import { Random } from "../exact/random.ts";
import { randomNetwork, RECIPES } from "../exact/random_networks.ts";
import {
  falseJacobianBounds,
  falseLipschitz,
  falseMonotonicity,
  falseOutputBounds,
  falseRobustness,
  falseWitness,
} from "./findings.ts";
import { type Sample, sampleAt, samplePoints } from "./samples.ts";

const SEED = 4102;

/** The tightest claims that hold at one point, and the point: any step inward is false. */
function tightest(index: number) {
  const network = randomNetwork(SEED, index, 12);
  const random = new Random(SEED, index);
  const sample = samplePoints(network.graph, network, random, 1)[0];
  const size = sample.output.numerators.length;
  const output = Array.from({ length: size }, (_, k) => component(sample.output, k));
  const rows = sample.jacobians[0];
  return { network, random, sample, size, output, rows, samples: [sample] as Sample[] };
}

/** An index whose network is plain and has a Jacobian and at least two outputs. */
const INDEX = [...Array(200).keys()].map((i) => i * RECIPES.length).find((i) => {
  const { size, rows } = tightest(i);
  return size >= 2 && rows !== undefined && rows[0].numerators.some((n) => n !== 0n);
})!;

Deno.test("falseOutputBounds() accepts the tightest doubles and refuses one step further", () => {
  const { samples, output } = tightest(INDEX);
  const claim = { lower: output.map(roundDown), upper: output.map(roundUp) };
  assert.deepEqual(falseOutputBounds(samples, claim), []);
  assert.equal(
    falseOutputBounds(samples, { ...claim, lower: claim.lower.with(0, neighbour(claim.upper[0], 1)) }).length,
    1,
  );
  assert.equal(
    falseOutputBounds(samples, { ...claim, upper: claim.upper.with(1, neighbour(claim.lower[1], -1)) }).length,
    1,
  );
  assert.equal(falseOutputBounds(samples, { ...claim, upper: claim.upper.with(1, NaN) }).length, 1);
  assert.deepEqual(
    falseOutputBounds(samples, { lower: output.map(() => null), upper: output.map(() => Infinity) }),
    [],
  );
});

Deno.test("falseJacobianBounds() accepts the tightest doubles and refuses one step further", () => {
  const { samples, rows } = tightest(INDEX);
  const claims = rows.map((row) => ({
    lower: row.numerators.map((_, i) => roundDown(component(row, i))),
    upper: row.numerators.map((_, i) => roundUp(component(row, i))),
  }));
  assert.deepEqual(falseJacobianBounds(samples, claims), []);
  const wrong = { ...claims[1], upper: claims[1].upper.with(0, neighbour(claims[1].lower[0], -1)) };
  assert.equal(falseJacobianBounds(samples, claims.with(1, wrong)).length, 1);
  const features = claims[1].lower.map((lower, feature) => ({
    feature,
    direction: "unknown",
    lower,
    upper: claims[1].upper[feature],
  }));
  const column = samples.map((sample) => ({ ...sample, jacobians: sample.jacobians.map((j) => [j[1]]) }));
  assert.deepEqual(falseMonotonicity(column, 0, features), []);
  const moving = rows[1].numerators.findIndex((n) => n !== 0n);
  const opposite = rows[1].numerators[moving] > 0n ? "decreasing" : "increasing";
  const lies = features.with(moving, { ...features[moving], direction: opposite });
  assert.deepEqual(falseMonotonicity(column, 0, lies), [`${moving} is not ${opposite}`]);
  assert.deepEqual(
    falseMonotonicity(column, 0, features.with(moving, { ...features[moving], direction: "constant" })),
    [
      `${moving} is not constant`,
    ],
  );
});

Deno.test("falseLipschitz() and falseWitness() refuse a norm one step above what they are told", () => {
  const { network, samples, sample, rows, random } = tightest(INDEX);
  const outputs = rows.map((row, output) => ({ output, upper: roundUp(norm1(row)), lower: roundDown(norm1(row)) }));
  const largest = Math.max(...outputs.map(({ upper }) => upper));
  const at = outputs.findIndex(({ upper }) => upper === largest);
  const claim = {
    upper: largest,
    lower: outputs[at].lower,
    outputs,
    witness: { output: at, point: Array.from(sample.point) },
  };
  assert.deepEqual(falseLipschitz(samples, claim), []);
  assert.deepEqual(falseWitness(network, claim, sample), []);
  const low = outputs.with(at, { ...outputs[at], upper: neighbour(outputs[at].lower, -1) });
  assert.equal(falseLipschitz(samples, { ...claim, outputs: low }).length, 2);
  assert.equal(falseWitness(network, { ...claim, lower: neighbour(largest, 1) }, sample).length, 1);
  const outside = { output: at, point: Array.from(sample.point).with(0, network.upper[0] + 1) };
  assert.equal(falseWitness(network, { ...claim, witness: outside }, sample).length, 1);
  // A second point makes a difference quotient; a constant of 0 contradicts it.
  const other = sampleAt(network.graph, network, network.upper, random);
  const zero = { ...claim, upper: null, outputs: outputs.map((o) => ({ ...o, lower: 0, upper: 0 })) };
  const without = [{ ...sample, jacobians: [] }, { ...other, jacobians: [] }];
  assert.ok(falseLipschitz(without, zero).some((found) => found.startsWith("difference quotient")));
});

Deno.test("falseRobustness() refuses a margin one step above the exact one and a counterexample that is none", () => {
  const { network, samples, sample, output } = tightest(INDEX);
  const label = output[0].numerator > output[1].numerator ? 0 : 1, k = 1 - label;
  const holds = { label, margins: [{ output: k, lower: 0 }], counterexample: null };
  assert.deepEqual(falseRobustness(network, samples, holds), []);
  assert.equal(falseRobustness(network, samples, { ...holds, margins: [{ output: k, lower: 1e9 }] }).length, 1);
  assert.equal(falseRobustness(network, samples, { ...holds, counterexample: sample }).length, 1);
  const reversed = { label: k, margins: [{ output: label, lower: null }], counterexample: sample };
  assert.deepEqual(falseRobustness(network, samples, reversed), []);
});
