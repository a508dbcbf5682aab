import assert from "node:assert/strict";
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import { Random } from "../../exact/random.ts";
import { type Bounded, condensed, convolutional, dense } from "./networks.ts";
import { columnsOf, falseGradients, falseNumbers, falseUnits, falseValues } from "./violations.ts";
import { center } from "../../soundness/samples.ts";

const SEED = 2302;

const changed = (numbers: Float64Array, change: (x: number) => number) => {
  const at = numbers.findLastIndex((x) => x !== 0);
  return numbers.map((x, i) => (i === at ? change(x) : x));
};

/** Wrong condensed networks, and whether the rows' values at a point must show it, too. */
const MUTANTS: Readonly<Record<string, (network: CondensedNetwork) => CondensedNetwork>> = {
  "a radius of nothing": (network) => ({ ...network, error: network.error * 1e-6 }),
  "a path to an input left out": (network) => ({ ...network, inputWeights: changed(network.inputWeights, () => 0) }),
  "a path to a unit left out": (network) => ({ ...network, unitWeights: changed(network.unitWeights, () => 0) }),
  "a path in a magnitude left out": (network) => ({
    ...network,
    inputMagnitudes: network.inputMagnitudes.map((_, at) => Math.abs(network.inputWeights[at]) * (1 + 2 ** -20)),
  }),
  "a weight one part in 2^30 off": (network) => ({
    ...network,
    unitWeights: changed(network.unitWeights, (w) => w * (1 + 2 ** -30)),
  }),
  "a constant left out": (network) => ({ ...network, bias: changed(network.bias, () => 0) }),
  "a unit left out": (network) => ({ ...network, units: network.units.slice(1) }),
  "one rank for all": (network) => ({ ...network, rank: network.rank.map(() => 0) }),
  "outputs bounded too tightly": (network) => ({
    ...network,
    lower: network.lower.map((l, r) => (network.upper[r] + l) / 2 + (network.upper[r] - l) / 4),
  }),
};

function violations({ pass, box }: Bounded, network: CondensedNetwork): string[] {
  const units = falseUnits(pass, network);
  // Without its units the columns of a network mean nothing.
  if (network.units.length ** 2 + network.outputs * network.units.length !== network.unitWeights.length) return units;
  const random = new Random(SEED);
  return [
    ...units,
    ...falseNumbers(pass, network, columnsOf(network)),
    ...falseValues(pass.graph, network, center(box)),
    ...falseGradients(pass, network, 0, random),
  ];
}

Deno.test(`wrong condensed networks are caught (seed ${SEED})`, async () => {
  const plan: (readonly [typeof dense, number])[] = [
    ...[64, 65, 67, 74, 75, 77].map((index) => [dense, index] as const),
    ...[4, 16, 29].map((index) => [convolutional, index] as const),
  ];
  const caught = new Map<string, number>();
  for (const [make, index] of plan) {
    const bounded = await make(SEED, index);
    const network = condensed(bounded.pass);
    assert.deepEqual(violations(bounded, network), [], bounded.name);
    for (const [name, mutate] of Object.entries(MUTANTS)) {
      if (violations(bounded, mutate(network)).length > 0) caught.set(name, (caught.get(name) ?? 0) + 1);
    }
  }
  for (const name of Object.keys(MUTANTS)) assert.ok((caught.get(name) ?? 0) >= 2, `${name}: ${caught.get(name)}`);
});
