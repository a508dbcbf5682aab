/** Gradients at points, on kinks and off them, against all regions that meet there; and versions that are wrong in one place. */
import assert from "node:assert/strict";
import { withRun } from "../../../shared/bounds/run.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import type { Graph } from "../../../shared/graph.ts";
import type { ExactForm } from "../../../shared/linear/exact_form.ts";
import { exactGradientsAt, mostEntryAt, mostNormAt, signsAt } from "../../../shared/witness/exact_gradients.ts";
import { divide, type Exact, exact, multiply, powerOfTwo, sign } from "../../exact/dyadic.ts";
import { valueAt } from "../../exact/polytope.ts";
import { Random } from "../../exact/random.ts";
import { combined, type LinearRegion, regionsOf } from "../../exact/regions.ts";
import { type TroubledNetwork, troubledNetwork } from "../../exact/troubled_networks.ts";
import { component, exactVector } from "../../exact/vector.ts";

const SEED = 20_261_212, NETWORKS = 130;
const context = { kernels: referenceKernels() };

/** Values of the reals, as text that is equal for equal ones. */
function shown(values: readonly Exact[]): string {
  return values.map((value) => {
    let { numerator, exponent, denominator } = value;
    if (numerator === 0n) return "0";
    while (numerator % 2n === 0n) [numerator, exponent] = [numerator / 2n, exponent + 1];
    while (denominator % 2n === 0n) [denominator, exponent] = [denominator / 2n, exponent - 1];
    return `${numerator}*2^${exponent}/${denominator}`;
  }).join();
}

function ofForm({ coefficients, exponent, denominator }: ExactForm): string {
  const whole = (numerator: bigint): Exact => ({ numerator, exponent: 0, denominator: 1n });
  return shown(coefficients.map((c) => divide(multiply(whole(c), powerOfTwo(exponent)), whole(denominator))));
}

interface Case extends TroubledNetwork {
  readonly regions: readonly LinearRegion[];
  readonly points: readonly Float64Array[];
  readonly row: Float64Array;
}

/** Corners, the middle, eighths between the ends: where the kinks of most of these networks are. */
function drawCase(index: number): Case {
  const network = troubledNetwork(SEED, index), random = new Random(SEED, index), { graph, lower, upper } = network;
  const points = Array.from(
    { length: 12 },
    () =>
      lower.map((l, j) => l + (random.chance(0.5) ? random.integer(0, 1) : random.integer(1, 7) / 8) * (upper[j] - l)),
  );
  const row = Float64Array.from({ length: graph.nodes.at(-1)!.size }, () => random.pick([1, -1, 0.5, 0.3]));
  return { ...network, regions: regionsOf(graph, network), points, row };
}

/** The gradients of the regions whose closure holds the point. */
function gradientsNear({ regions, row }: Case, point: Float64Array): Set<string> {
  const at = exactVector(point);
  const near = regions.filter(({ cuts }) => cuts.every((cut) => sign(valueAt(cut, at)) >= 0));
  return new Set(near.map(({ outputs }) => {
    const form = combined(outputs, Array.from(row, exact));
    return shown(Array.from(point, (_, j) => component(form, j)));
  }));
}

type Find = typeof exactGradientsAt;

interface Told {
  readonly wrong: string[];
  /** Points, those on kinks, and those where every gradient was found. */
  points: number;
  kinks: number;
  complete: number;
}

async function compareAll(find: Find, cases: readonly Case[]): Promise<Told> {
  const told: Told = { wrong: [], points: 0, kinks: 0, complete: 0 };
  for (const one of cases) {
    await withRun([one.graph], context, async (run) => {
      for (const point of one.points) {
        const near = gradientsNear(one, point), found = await find(one.graph, one, point, one.row, run);
        const shownFound = new Set(found.map(ofForm));
        for (const gradient of shownFound) if (!near.has(gradient)) told.wrong.push(`${one.name}: ${gradient}`);
        told.points++;
        if (near.size > 1) told.kinks++;
        if (near.size === shownFound.size) told.complete++;
        for (const gradient of (await find(one.graph, null, point, one.row, run)).map(ofForm)) {
          // It holds in every box around, so there is no other.
          if (near.size !== 1 || !near.has(gradient)) told.wrong.push(`${one.name}: ${gradient} in every box`);
        }
      }
    });
  }
  return told;
}

const cases = Array.from({ length: NETWORKS }, (_, index) => drawCase(index));

Deno.test(`(27) exactGradientsAt() are the gradients of all regions that meet at a point, and no others (seed ${SEED})`, async () => {
  const { wrong, points, kinks, complete } = await compareAll(exactGradientsAt, cases);
  assert.deepEqual(wrong, []);
  assert.ok(kinks > 80, `${kinks} of ${points} points on kinks`);
  assert.equal(complete, points);
});

const MUTANTS: Readonly<Record<string, readonly [string, string]>> = {
  "cells without interior": ["if (!hasOpenCone(cut, directions, POINT_LIMITS)) continue;", ""],
  "the other side of a kink": ["side > 0n ? passed + 1 : passed", "side > 0n ? passed : passed + 1"],
  "directions out of the box": ["isSolid && x <= lower[j] ? 0 : -1", "false ? 0 : -1"],
  "one side of a kink": ["for (const side of [1n, -1n])", "for (const side of [1n])"],
  "bounds that touch a kink": [
    "lower[index] > kink || upper[index] < kink",
    "lower[index] >= kink || upper[index] < kink",
  ],
  "kinks that hold in every box": [
    "box && directionsAt(box, point)",
    "directionsAt(box ?? { lower: point, upper: point }, point)",
  ],
};

for (const [what, [from, to]] of Object.entries(MUTANTS)) {
  Deno.test(`exactGradientsAt(): ${what} would be noticed`, async () => {
    const source = new URL("../../../shared/witness/exact_gradients.ts", import.meta.url);
    const text = await Deno.readTextFile(source);
    assert.equal(text.split(from).length, 2, `one place to change: ${from}`);
    const folder = await Deno.makeTempDir();
    try {
      const changed = text.replace(from, () => to).replace(
        /from "(\.\.?\/[\w/]+\.ts)"/g,
        (_, path: string) => `from "${new URL(path, source)}"`,
      );
      await Deno.writeTextFile(`${folder}/mutant.ts`, changed);
      const mutant: { exactGradientsAt: Find } = await import(`file://${folder}/mutant.ts`);
      const { wrong, points, complete } = await compareAll(mutant.exactGradientsAt, cases);
      assert.ok(wrong.length > 0 || complete < points);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** above relu(x) - below relu(-x). */
function slopes(below: number, above: number): Graph {
  return {
    nodes: [
      { operator: "input", inputs: [], size: 1, name: "x" },
      { operator: "affine", inputs: [0], size: 2, name: "h", weights: Float64Array.of(1, -1), bias: null },
      { operator: "relu", inputs: [1], size: 2, name: "a" },
      { operator: "affine", inputs: [2], size: 1, name: "y", weights: Float64Array.of(above, -below), bias: null },
    ],
  };
}

Deno.test("mostNormAt(), mostEntryAt(), signsAt(): on a kink both sides count that the box has", async () => {
  const graph = slopes(-2, 5), point = Float64Array.of(0), seed = Float64Array.of(1);
  const box = (lower: number, upper: number) => ({ lower: Float64Array.of(lower), upper: Float64Array.of(upper) });
  await withRun([graph], context, async (run) => {
    const facts = async (within: ReturnType<typeof box> | null) => [
      await mostNormAt(graph, within, point, seed, run),
      await mostEntryAt(graph, within, { point, seed, feature: 0 }, run),
      ...await signsAt(graph, within, [{ point, seed, feature: 0 }], run),
    ];
    assert.deepEqual(await facts(box(-1, 1)), [5, 5, { falls: true, rises: true }]);
    assert.deepEqual(await facts(box(-1, 0)), [2, -2, { falls: true, rises: false }]);
    assert.deepEqual(await facts(box(0, 1)), [5, 5, { falls: false, rises: true }]);
    // A box that is this point has the Clarke Jacobian of the space around.
    assert.deepEqual(await facts(box(0, 0)), [5, 5, { falls: true, rises: true }]);
    assert.deepEqual(await facts(null), [-Infinity, -Infinity, { falls: false, rises: false }]);
  });
});
