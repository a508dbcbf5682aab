import assert from "node:assert/strict";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import { lowerBounds } from "../../shared/bounds/walk.ts";
import { certify } from "../../shared/certify.ts";
import type { Graph, Node } from "../../shared/graph.ts";
import { jacobianGroups } from "../../shared/jacobian/jacobian_bounds.ts";
import { differentiate, withAbs } from "../../shared/jacobian/differentiate.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { unitRow } from "../exact/network.ts";
import { Random } from "../exact/random.ts";
import { boundNetwork, RELAXATIONS, runOn } from "./bounds.ts";
import { modelOf, OPTIONS } from "./certificates.ts";
import { PoisonedKernels, type Table, TABLES } from "./poison.ts";
import type { Region } from "./samples.ts";

const VALUES = [NaN, Infinity, -Infinity];
const random = new Random(4106);
const numbers = (size: number, scale = 1) => Float64Array.from({ length: size }, () => scale * random.normal());

/** Division, product, shift, two hidden layers: every kind of table is read on the way. All neurons are unstable on the box. */
const NODES: readonly Node[] = [
  { operator: "input", inputs: [], size: 5, name: "x" },
  { operator: "scale", inputs: [0], size: 5, name: "s", factors: Float64Array.of(0.3, 3, -0.7, 0.1, 7), inverse: true },
  { operator: "scale", inputs: [1], size: 5, name: "m", factors: Float64Array.of(0.2, 1, -2, 0.3, 5), inverse: false },
  { operator: "affine", inputs: [2], size: 6, name: "z1", weights: numbers(30), bias: numbers(6, 0.01) },
  { operator: "relu", inputs: [3], size: 6, name: "h1" },
  { operator: "shift", inputs: [4], size: 6, name: "t", offsets: numbers(6, 0.1) },
  { operator: "affine", inputs: [5], size: 4, name: "z2", weights: numbers(24), bias: numbers(4, 0.01) },
  { operator: "relu", inputs: [6], size: 4, name: "h2" },
  { operator: "affine", inputs: [7], size: 3, name: "y", weights: numbers(12), bias: numbers(3) },
];
const GRAPH: Graph = { nodes: NODES };
const BOX: Region = { lower: new Float64Array(5).fill(-2), upper: new Float64Array(5).fill(2) };

/** Lower bounds of both signs of the outputs and of minus the norms, walked on poisoned tables over sound boxes. */
async function walks(table: Table | null, value: number, place: number, sound: Kernels = referenceKernels()) {
  const kernels = new PoisonedKernels(sound, table, value, place);
  return await kernels.scope(async () => {
    // The boxes are sound: only what the walk itself reads is poisoned.
    const clean = new PoisonedKernels(sound, null, value, place);
    const run = runOn(clean, GRAPH);
    const seeds = [0, 1, 2].map((k) => Float64Array.from(unitRow(3, k)));
    const forward = await boundNetwork(GRAPH, BOX, "linear", run);
    const gradient = withAbs(differentiate(GRAPH));
    const backward = await boundGraph(gradient, jacobianGroups(forward, gradient, seeds), RELAXATIONS.linear, run);
    const poisonedRun = { ...runOn(kernels, GRAPH), kernels };
    const rows = seeds.flatMap((seed) => [...seed, ...seed.map((c) => -c)]);
    // Steps are built anew, through the poisoned kernels.
    const anew = <P extends typeof forward>(pass: P) => ({
      ...pass,
      run: poisonedRun,
      states: pass.states.map((state) => ({ ...state, openStep: null, closedStep: null })),
    });
    const outputs = await lowerBounds(anew(forward), NODES.length - 1, {
      groups: new Int32Array(6),
      start: { layout: "dense", coefficients: Float64Array.from(rows) },
    });
    const norms = await lowerBounds(anew(backward), gradient.nodes.length - 1, {
      groups: Int32Array.of(0, 1, 2),
      start: { layout: "dense", coefficients: new Float64Array(15).fill(-1) },
    });
    return { outputs, norms, poisoned: kernels.poisoned };
  });
}

for (const precision of ["f64", "f32"] as const) {
  Deno.test(`lowerBounds() in ${precision} proves nothing where one number of any table is not finite`, () => {
    return poisonAll(() => (precision === "f64" ? referenceKernels() : referenceKernels().single));
  });
}

async function poisonAll(make: () => Kernels): Promise<void> {
  const clean = await walks(null, 0, 0, make());
  assert.ok([...clean.outputs, ...clean.norms].every(Number.isFinite));
  for (const table of TABLES.filter((table) => !table.startsWith("image"))) {
    for (const value of VALUES) {
      for (const place of [0, 2, 3]) {
        const { outputs, norms, poisoned } = await walks(table, value, place, make());
        const what = `${value} at ${place} of ${table}`;
        assert.ok(poisoned > 0, what);
        assert.ok(outputs.every((bound) => bound === -Infinity), `${what}: outputs ${outputs}`);
        // The graph of the Jacobian has no bias.
        if (table !== "bias") assert.ok(norms.every((bound) => bound === -Infinity), `${what}: norms ${norms}`);
      }
    }
  }
}

Deno.test("certify() with interval bounds claims nothing where one number of every image is not finite", async () => {
  const model = modelOf(GRAPH, "poison"), region = { lower: Array.from(BOX.lower), upper: Array.from(BOX.upper) };
  const interval = OPTIONS[0], outputs = [0, 1, 2];
  for (const table of ["image box", "image matrix"] as const) {
    for (const value of VALUES) {
      const kernels = new PoisonedKernels(referenceKernels(), table, value, 1);
      const ask = (property: Parameters<typeof certify>[1]["property"]) =>
        certify(model, { model_digest: model.digest, output: "y", region, property, options: interval }, { kernels });
      const { finding, verdict } = await ask({ type: "output_bounds", outputs });
      assert.ok(finding.type === "output_bounds" && verdict === "unknown", `${value} in ${table}: ${verdict}`);
      assert.deepEqual([...finding.lower, ...finding.upper], Array(6).fill(null), `${value} in ${table}`);
      const lipschitz = await ask({ type: "lipschitz", outputs });
      assert.ok(lipschitz.finding.type === "lipschitz");
      assert.equal(lipschitz.finding.upper, null, `${value} in ${table}`);
      assert.equal(lipschitz.finding.lower, 0, `${value} in ${table}`);
      assert.equal((await ask({ type: "robustness", label: 0 })).verdict, "unknown");
      const monotone = await ask({ type: "monotonicity", output: 0, features: [0, 1, 2, 3, 4] });
      assert.equal(monotone.verdict, "unknown", `${value} in ${table}`);
      assert.ok(kernels.poisoned > 0);
    }
  }
});

Deno.test("certify() of poisoned tables is never certified by any relaxation", async () => {
  const model = modelOf(GRAPH, "poison"), region = { lower: Array.from(BOX.lower), upper: Array.from(BOX.upper) };
  for (const table of ["image box", "image matrix"] as const) {
    for (const value of VALUES) {
      for (const options of OPTIONS) {
        const kernels = new PoisonedKernels(referenceKernels(), table, value, 1);
        for (const property of [{ type: "lipschitz", outputs: [0, 1] }, { type: "robustness", label: 1 }] as const) {
          const query = { model_digest: model.digest, output: "y", region, property, options };
          const { verdict } = await certify(model, query, { kernels });
          assert.equal(verdict, "unknown", `${value} in ${table}, ${options.relaxation}`);
        }
      }
    }
  }
});
