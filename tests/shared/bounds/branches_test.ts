import assert from "node:assert/strict";
import { boundGraph, refine } from "../../../shared/bounds/bound_graph.ts";
import { componentsOf } from "../../../shared/bounds/components.ts";
import type { BoundOptions } from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import type { AffineNode, Graph, Node } from "../../../shared/graph.ts";
import { differentiate } from "../../../shared/jacobian/differentiate.ts";
import { entryBounds, normBounds } from "../../../shared/jacobian/jacobian_bounds.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { evaluatePlain, gradientPlain } from "../../../shared/witness/plain_network.ts";
import { unitRow } from "../../../shared/properties/analysis.ts";
import module from "../../../wasm/dist/kernels.js";
import { Random } from "../../exact/random.ts";

const SEED = 515;
const LINEAR = { refine: "linear", rule: "chord" } as const;

function affine(random: Random, size: number, inputs: number, input: number): AffineNode {
  return {
    operator: "affine",
    inputs: [input],
    size,
    name: `affine of ${input}`,
    // Multiples of 2^-20: adding the identity to them is exact.
    weights: Float64Array.from({ length: size * inputs }, () => Math.round(random.normal() * 2 ** 20) / 2 ** 20),
    bias: Float64Array.from({ length: size }, () => random.normal() / 4),
  };
}

const relu = (input: number, size: number): Node => ({
  operator: "relu",
  inputs: [input],
  size,
  name: `relu of ${input}`,
});

/** x, h = relu(A x), y = C relu(sign h + B h): once with a branch, once with B + sign I folded. */
function twins(random: Random, inputs: number, width: number, outputs: number, sign: 1 | -1): [Graph, Graph] {
  const input: Node = { operator: "input", inputs: [], size: inputs, name: "x" };
  const [a, b] = [affine(random, width, inputs, 0), affine(random, width, width, 2)];
  const folded = b.weights.map((w, at) => (at % width === Math.floor(at / width) ? w + sign : w));
  const last = affine(random, outputs, width, 0);
  const add: Node = { operator: "add", inputs: [3, 2], signs: [1, sign], size: width, name: "branches meet" };
  return [
    { nodes: [input, a, relu(1, width), b, add, relu(4, width), { ...last, inputs: [5] }] },
    { nodes: [input, a, relu(1, width), { ...b, weights: folded }, relu(3, width), { ...last, inputs: [4] }] },
  ];
}

function everything(graph: Graph, radius: number, options: BoundOptions, kernels = referenceKernels()) {
  const [{ size: inputs }] = graph.nodes;
  const last = graph.nodes.length - 1;
  const outputs = graph.nodes[last].size;
  const box = {
    lower: Float64Array.from({ length: inputs }, (_, i) => i / 8 - radius),
    upper: Float64Array.from({ length: inputs }, (_, i) => i / 8 + radius),
  };
  return withRun([graph], { kernels }, async (run) => {
    const pass = await boundGraph(graph, [{ box }], options, run);
    if (options.refine === "linear") await refine(pass, last, [Array.from({ length: outputs }, (_, k) => k)]);
    const seeds = Array.from({ length: outputs }, (_, k) => unitRow(outputs, k));
    const features = Array.from({ length: inputs }, (_, i) => i);
    const entries = await entryBounds(pass, seeds, features, options, run);
    return [
      ...pass.states[last].boxes[0].lower,
      ...pass.states[last].boxes[0].upper,
      ...await normBounds(pass, seeds, options, run),
      ...entries.flatMap(({ lower, upper }) => [...lower, ...upper]),
    ];
  });
}

Deno.test(`a branch that meets its sum again: bounds of the folded twin at a point, and never against it (seed ${SEED})`, async () => {
  for (let i = 0; i < 40; i++) {
    const random = new Random(SEED, i);
    const [branched, folded] = twins(random, random.integer(1, 6), random.integer(1, 12), OUTPUTS, random.sign());
    for (const radius of [0, 0.01, 0.1, 1]) {
      for (const rule of ["chord", "constant"] as const) {
        const options = { refine: "linear", rule } as const;
        const [one, other] = [await everything(branched, radius, options), await everything(folded, radius, options)];
        const scale = Math.max(...other.map(Math.abs));
        if (radius === 0) one.forEach((value, at) => assert.ok(Math.abs(value - other[at]) <= 1e-9 * scale, `${i}`));
        // Looser intervals may choose other slopes, so neither is always the tighter; both hold the same function.
        const inputs = branched.nodes[0].size;
        for (const [lower, upper] of pairsOf(one.length, inputs)) {
          assert.ok(one[lower] <= other[upper] && other[lower] <= one[upper], `${i}, radius ${radius}: ${lower}`);
        }
        for (let sample = 0; sample < 5; sample++) {
          const point = Float64Array.from({ length: inputs }, (_, j) => j / 8 + radius * random.between(-1, 1));
          const trace = evaluatePlain(folded, point);
          const values = trace.values[trace.values.length - 1];
          values.forEach((y, k) => {
            assert.ok(y >= one[k] - 1e-9 * scale && y <= one[OUTPUTS + k] + 1e-9 * scale, `${i}: output ${k}`);
            const gradient = gradientPlain(folded, trace, unitRow(OUTPUTS, k));
            const norm = gradient.reduce((sum, entry) => sum + Math.abs(entry), 0);
            assert.ok(norm <= one[2 * OUTPUTS + k] + 1e-9 * scale, `${i}: norm ${k}`);
          });
        }
        assert.deepEqual(
          await everything(branched, radius, options, wasmKernels(module)),
          one,
          "wasm gives the same bits",
        );
      }
    }
  }
});

const OUTPUTS = 3;

/** Positions of lower and upper ends in the list of everything. */
function pairsOf(length: number, inputs: number): [number, number][] {
  const pairs = Array.from({ length: OUTPUTS }, (_, k): [number, number] => [k, OUTPUTS + k]);
  for (let at = 3 * OUTPUTS; at < length; at += 2 * inputs) {
    for (let i = 0; i < inputs; i++) pairs.push([at + i, at + inputs + i]);
  }
  return pairs;
}

Deno.test("differentiate() adds what several consumers send back, with signs", () => {
  const [graph] = twins(new Random(SEED), 2, 3, 1, -1);
  const jacobian = differentiate(graph);
  assert.equal(
    jacobian.nodes.map(({ operator }) => operator).join(" "),
    "input affine derivative_product affine add derivative_product affine",
  );
  const add = jacobian.nodes[4];
  assert.ok(add.operator === "add" && add.signs.includes(-1) && add.signs.includes(1));
});

Deno.test("x - x has the derivative 0 and x + x twice that of x", async () => {
  for (const sign of [1, -1] as const) {
    const graph: Graph = {
      nodes: [
        { operator: "input", inputs: [], size: 1, name: "x" },
        { operator: "scale", inputs: [0], size: 1, factors: Float64Array.of(3), inverse: false, name: "3 x" },
        { operator: "scale", inputs: [0], size: 1, factors: Float64Array.of(3), inverse: false, name: "3 x again" },
        { operator: "add", inputs: [1, 2], signs: [1, sign], size: 1, name: "sum" },
      ],
    };
    const [lower, upper, norm] = await everything(graph, 1, LINEAR);
    assert.ok(Math.abs(norm - (sign === 1 ? 6 : 0)) < 1e-12, `${norm}`);
    const expected = sign === 1 ? [-6, 6] : [0, 0];
    assert.ok(Math.abs(lower - expected[0]) < 1e-12 && Math.abs(upper - expected[1]) < 1e-12, `${lower} ${upper}`);
  }
});

Deno.test("componentsOf() joins nodes that keep their indices, and drops none where branches are", () => {
  const [graph, folded] = twins(new Random(SEED), 2, 3, 1, 1);
  const { of, droppable } = componentsOf(graph);
  assert.deepEqual([of[1], of[2], of[4], of[5]].map((one) => one === of[3]), [true, true, true, true]);
  assert.equal(droppable[of[3]], false);
  const chain = componentsOf(folded);
  assert.equal(chain.droppable[chain.of[1]], true);
  assert.equal(chain.droppable[chain.of[5]], false, "the last component stays whole");
});
