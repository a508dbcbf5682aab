import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import type { Pass } from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import type { AffineNode, Graph } from "../../../shared/graph.ts";
import { differentiate, withAbs } from "../../../shared/jacobian/differentiate.ts";
import { entryBounds, jacobianGroups, normBounds } from "../../../shared/jacobian/jacobian_bounds.ts";
import { paddedLength } from "../../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { gamma } from "../../../shared/numeric/rounding.ts";
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
      const before = run.work.flops;
      const norms = await normBounds(forward, seeds, PLAIN, run);
      const between = run.work.flops;
      const others = await normBounds(forward, seeds, CONDENSED, run);
      if (run.work.flops - between !== between - before) condensed++;
      const largest = Math.max(...norms.filter(Number.isFinite));
      norms.forEach((norm, k) => {
        if (!Number.isFinite(norm)) return;
        assert.ok(Math.abs(norm - others[k]) <= 1e-8 * largest, `${name}: ${norm} and ${others[k]} of ${largest}`);
      });
      const entries = await entryBounds(forward, seeds, features, PLAIN, run);
      const condensedEntries = await entryBounds(forward, seeds, features, CONDENSED, run);
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
    const below = values[id - 1];
    if (node.operator === "affine") {
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

function weightAt(node: AffineNode, inputs: number, r: number, c: number): number {
  return node.transposed ? node.weights[c * node.size + r] : node.weights[r * inputs + c];
}

Deno.test(`(14) M G is within gamma mass of the exact value, and mass covers |M| |G| (seed ${SEED})`, async () => {
  let checked = 0;
  for (let index = 0; index < 54; index++) {
    const { graph, lower, upper, name } = randomNetwork(SEED, index, 12);
    const random = new Random(SEED, index);
    await withRun([graph], { kernels: referenceKernels() }, async (run) => {
      const forward = await boundGraph(graph, [{ box: { lower, upper } }], PLAIN, run);
      const jacobian = withAbs(differentiate(graph));
      const seeds = seedsOf(graph);
      const pass = await boundGraph(jacobian, jacobianGroups(forward, jacobian, seeds), CONDENSED, run);
      if (!pass.isCondensed) return;
      for (const seed of seeds.slice(0, 2)) {
        const values = exactValues(pass, seed, random);
        for (let id = 1; id < jacobian.nodes.length; id += 2) {
          const condensed = pass.states[id]?.condensed;
          if (!condensed) continue;
          const gated: Exact[] = [];
          for (let product = id - 1; product > 0; product -= 2) {
            const range = pass.groups[0].ranges!.get(product)!;
            values[product].forEach((g, i) => {
              if (range.lower[i] < range.upper[i]) gated.push(g);
            });
          }
          gated.push(...values[0]);
          assert.equal(gated.length, condensed.width);
          const rows = pass.states[id].demand?.indices ?? values[id].map((_, i) => i);
          for (const i of rows) {
            const r = condensed.position(i);
            let sum = ZERO, magnitude = ZERO;
            gated.forEach((g, j) => {
              const term = multiply(exact(condensed.host[r * paddedLength(condensed.width) + j]), g);
              sum = add(sum, term);
              magnitude = add(magnitude, absolute(term));
            });
            if (!Number.isFinite(condensed.mass[r])) continue;
            const mass = exact(condensed.mass[r]);
            const radius = multiply(exact(gamma(condensed.roundings)), mass);
            assert.ok(compare(absolute(subtract(values[id][i], sum)), radius) <= 0, `${name}: row ${i} of node ${id}`);
            assert.ok(compare(magnitude, mass) <= 0, `${name}: mass of row ${i} of node ${id}`);
            checked++;
          }
        }
      }
    });
  }
  assert.ok(checked > 500, `only ${checked} rows`);
});

Deno.test("condensation is chosen where it saves multiplications, and only there", async () => {
  const layers = (width: number, radius: number) => {
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
      const jacobian = withAbs(differentiate(graph));
      const groups = jacobianGroups(forward, jacobian, seedsOf(graph));
      return (await boundGraph(jacobian, groups, { ...PLAIN, condense: "cheaper" }, run)).isCondensed;
    });
  };
  assert.equal(await layers(300, 0.01), true);
  assert.equal(await layers(300, 3), false, "all neurons unstable");
  assert.equal(await layers(8, 0.01), false, "too small to gain");
});
