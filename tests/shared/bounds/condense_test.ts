import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import type { Pass } from "../../../shared/bounds/pass.ts";
import { canCondense, condense } from "../../../shared/bounds/condense.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { sharedPass } from "../../../shared/bounds/shared_pass.ts";
import type { AffineNode, Graph, Node, ScaleNode } from "../../../shared/graph.ts";
import { differentiate, withAbs } from "../../../shared/jacobian/differentiate.ts";
import { entryBounds, jacobianGroups, normBounds } from "../../../shared/jacobian/jacobian_bounds.ts";
import { paddedLength, type Precision } from "../../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { factorOf } from "../../../shared/bounds/roundings.ts";
import { unitRow } from "../../../shared/properties/analysis.ts";
import module from "../../../wasm/dist/kernels.js";
import { absolute, add, compare, type Exact, exact, multiply, subtract, ZERO } from "../../exact/dyadic.ts";
import { Random } from "../../exact/random.ts";
import { randomNetwork } from "../../exact/random_networks.ts";

const SEED = 1414;
const PLAIN = { refine: "linear", rule: "chord" } as const;
const CONDENSED = { ...PLAIN, condense: "always" } as const;

function seedsOf(graph: Graph): Float64Array[] {
  const { size } = graph.nodes[graph.nodes.length - 1];
  return Array.from({ length: size }, (_, k) => unitRow(size, k));
}

Deno.test(`(14) condensed and plain walks give the same bounds up to rounding (seed ${SEED})`, async () => {
  let condensed = 0;
  for (let index = 0; index < 108; index++) {
    const { graph, lower, upper, name } = randomNetwork(SEED, index, 24);
    const seeds = seedsOf(graph);
    const features = Array.from({ length: graph.nodes[0].size }, (_, i) => i);
    await withRun([graph], { kernels: wasmKernels(module) }, async (run) => {
      const forward = await boundGraph(graph, [{ box: { lower, upper } }], PLAIN, run);
      const norms = await normBounds(forward, seeds, PLAIN, run);
      const others = await normBounds(forward, seeds, CONDENSED, run);
      const largest = Math.max(...norms.filter(Number.isFinite));
      norms.forEach((norm, k) => {
        if (!Number.isFinite(norm)) return;
        assert.ok(Math.abs(norm - others[k]) <= 1e-8 * largest, `${name}: ${norm} and ${others[k]} of ${largest}`);
      });
      const start = run.work.flops;
      const entries = await entryBounds(forward, seeds, features, PLAIN, run);
      const middle = run.work.flops;
      const condensedEntries = await entryBounds(forward, seeds, features, CONDENSED, run);
      if (run.work.flops - middle !== middle - start) condensed++;
      entries.forEach((box, k) =>
        box.lower.forEach((l, i) => {
          if (!Number.isFinite(l)) return;
          assert.ok(Math.abs(l - condensedEntries[k].lower[i]) <= 1e-8 * largest, `${name}: entry ${i} of row ${k}`);
        })
      );
    });
  }
  assert.ok(condensed > 40, `only ${condensed} networks had a condensed form`);
});

/** Exact values of every node of a Jacobian graph for one seed and one choice of the free derivatives. */
function exactValues(pass: Pass, seed: Float64Array, random: Random): Exact[][] {
  const values: Exact[][] = [[...seed].map(exact)];
  for (let id = 1; id < pass.graph.nodes.length; id++) {
    const node = pass.graph.nodes[id];
    const below = values[node.inputs[0]];
    if (node.operator === "scale") {
      values.push(below.map((x, i) => multiply(x, exact(node.factors[i]))));
    } else if (node.operator === "add") {
      const [s, t] = node.signs.map(exact);
      values.push(below.map((x, i) => add(multiply(s, x), multiply(t, values[node.inputs[1]][i]))));
    } else if (node.operator === "affine") {
      values.push(
        Array.from(
          { length: node.size },
          (_, r) => below.reduce((sum, x, c) => add(sum, multiply(exact(weightAt(node, below.length, r, c)), x)), ZERO),
        ),
      );
    } else if (node.operator === "derivative_product") {
      const { lower, upper } = pass.groups[0].ranges!.get(id)!;
      values.push(
        below.map((p, i) =>
          multiply(
            p,
            exact(random.chance(0.5) ? lower[i] : random.chance(0.5) ? upper[i] : lower[i] + (upper[i] - lower[i]) / 4),
          )
        ),
      );
    } else values.push(below.map(absolute));
  }
  return values;
}

/** Activations on activations, at the end too: unstable neurons whose p is a gated value, or the seed itself. */
function stackedActivations(index: number): { graph: Graph; lower: Float64Array; upper: Float64Array; name: string } {
  const random = new Random(SEED, index);
  const numbers = (length: number) => Float64Array.from({ length }, () => random.normal());
  const leaky = (input: number, size: number) => {
    return { operator: "leaky_relu", inputs: [input], size, name: `h${input}`, slopes: numbers(size) } as const;
  };
  const nodes: Node[] = [
    { operator: "input", inputs: [], size: 3, name: "x" },
    { operator: "affine", inputs: [0], size: 5, name: "z1", weights: numbers(15), bias: null },
    { operator: "relu", inputs: [1], size: 5, name: "h1" },
    leaky(2, 5),
    { operator: "affine", inputs: [3], size: 4, name: "z2", weights: numbers(20), bias: null },
    leaky(4, 4),
    { operator: "relu", inputs: [5], size: 4, name: "h2" },
  ];
  return {
    graph: { nodes },
    lower: new Float64Array(3).fill(-1),
    upper: new Float64Array(3).fill(1),
    name: `stacked ${index}`,
  };
}

function isExact({ inverse, roundings }: ScaleNode): boolean {
  return !inverse && !roundings;
}

function weightAt(node: AffineNode, inputs: number, r: number, c: number): number {
  return node.transposed ? node.weights[c * node.size + r] : node.weights[r * inputs + c];
}

async function checkCondensed(precision: Precision): Promise<void> {
  let checked = 0;
  for (let index = 0; index < 66; index++) {
    const { graph, lower, upper, name } = index < 54 ? randomNetwork(SEED, index, 12) : stackedActivations(index);
    const random = new Random(SEED, index);
    await withRun([graph], { kernels: referenceKernels(), precision }, async (run) => {
      const forward = await boundGraph(graph, [{ box: { lower, upper } }], PLAIN, run);
      const jacobian = withAbs(differentiate(graph));
      const seeds = seedsOf(graph);
      const pass = await boundGraph(jacobian, jacobianGroups(forward, jacobian, seeds), CONDENSED, run);
      if (!canCondense(pass) || jacobian.nodes.some((node) => node.operator === "scale" && !isExact(node))) return;
      for (const seed of seeds.slice(0, 2)) {
        const values = exactValues(pass, seed, random);
        for (const id of jacobian.nodes.keys()) {
          if (jacobian.nodes[id].operator !== "affine" && jacobian.nodes[id].operator !== "add") continue;
          // As the pass was when the node's rows were walked.
          const then: Pass = { ...pass, states: pass.states.slice(0, id + 1) };
          const rows = pass.states[id].demand?.indices ?? Int32Array.from(values[id].keys());
          const { layers, matrix, width, seeds, outputs, mass, size, roundings } = await condense(
            then,
            sharedPass(then),
            id,
            rows,
          );
          const stride = paddedLength(outputs);
          const gated = layers.flatMap(({ product, neurons }) => Array.from(neurons, (i) => values[product][i]));
          assert.equal(gated.length, width);
          const isTrue = (r: number, value: Exact, what: string) => {
            // In f32 coefficients overflow earlier than masses: what is not finite proves nothing (13).
            const row = [
              ...matrix.subarray(r * width, (r + 1) * width),
              ...seeds.subarray(r * stride, (r + 1) * stride),
            ];
            if (![mass[r], size[r], ...row].every(Number.isFinite)) return;
            let sum = ZERO, magnitude = ZERO;
            const add2 = (coefficient: number, g: Exact) => {
              const term = multiply(exact(coefficient), g);
              sum = add(sum, term);
              magnitude = add(magnitude, absolute(term));
            };
            gated.forEach((g, j) => add2(matrix[r * width + j], g));
            values[0].forEach((c, k) => add2(seeds[r * stride + k], c));
            const radius = multiply(exact(factorOf(roundings)), exact(mass[r]));
            assert.ok(compare(absolute(subtract(value, sum)), radius) <= 0, `${name}: ${what}`);
            assert.ok(compare(magnitude, exact(size[r])) <= 0, `${name}: size of ${what}`);
            checked++;
          };
          rows.forEach((i, r) => isTrue(r, values[id][i], `value ${i} of node ${id}`));
          for (const { product, neurons, from } of layers) {
            neurons.forEach((i, u) => {
              isTrue(
                rows.length + from + u,
                values[jacobian.nodes[product].inputs[0]][i],
                `neuron ${i} of node ${product} under node ${id}`,
              );
            });
          }
        }
      }
    });
  }
  assert.ok(checked > 500, `only ${checked} rows`);
}

for (const precision of ["f64", "f32"] as const) {
  Deno.test(`(14) M G is within gamma mass of the exact value, and mass covers |M| |G| in ${precision} (seed ${SEED})`, () => {
    return checkCondensed(precision);
  });
}

Deno.test("condensation is chosen where it saves multiplications, and only there", async () => {
  const flops = (width: number, radius: number, condense?: "cheaper") => {
    const random = new Random(SEED, width);
    const affine = (size: number, inputs: number, input: number): AffineNode => ({
      operator: "affine",
      inputs: [input],
      size,
      name: `layer ${input}`,
      weights: Float64Array.from({ length: size * inputs }, () => random.normal() / Math.sqrt(inputs)),
      bias: null,
    });
    const graph: Graph = {
      nodes: [
        { operator: "input", inputs: [], size: 200, name: "x" },
        affine(width, 200, 0),
        { operator: "relu", inputs: [1], size: width, name: "h1" },
        affine(width, width, 2),
        { operator: "relu", inputs: [3], size: width, name: "h2" },
        affine(5, width, 4),
      ],
    };
    const center = Float64Array.from({ length: 200 }, () => random.normal());
    return withRun([graph], { kernels: wasmKernels(module) }, async (run) => {
      const box = { lower: center.map((x) => x - radius), upper: center.map((x) => x + radius) };
      const forward = await boundGraph(graph, [{ box }], PLAIN, run);
      const before = run.work.flops;
      await normBounds(forward, seedsOf(graph), { ...PLAIN, condense }, run);
      return run.work.flops - before;
    });
  };
  assert.ok(await flops(300, 0.01, "cheaper") < 0.5 * await flops(300, 0.01));
  assert.ok(await flops(300, 3, "cheaper") <= await flops(300, 3), "all neurons unstable");
  assert.ok(await flops(8, 0.01, "cheaper") <= await flops(8, 0.01), "too small to gain");
});
