import assert from "node:assert/strict";
import type { Graph } from "../../shared/graph.ts";
import { isGraphInRange } from "../../shared/arithmetic.ts";
import { samplePoints } from "../soundness/samples.ts";
import { compare, type Exact, exact, sign, toNumber } from "./dyadic.ts";
import { outputAt, unitRow } from "./network.ts";
import { valueAt } from "./polytope.ts";
import { Random } from "./random.ts";
import { regionsOf } from "./regions.ts";
import { troubledNetwork, TROUBLES } from "./troubled_networks.ts";
import { rangeOf, truthOf } from "./truth.ts";
import { component, norm1 } from "./vector.ts";

const SEED = 7_301;

/** A chain of relus between matrices given row by row, the bias at the end of each row. */
function chain(...layers: readonly (readonly number[])[][]): Graph {
  const nodes: Graph["nodes"][number][] = [{ operator: "input", inputs: [], size: layers[0][0].length - 1, name: "x" }];
  layers.forEach((rows, layer) => {
    const weights = Float64Array.from(rows.flatMap((row) => row.slice(0, -1)));
    const bias = Float64Array.from(rows, (row) => row.at(-1)!), inputs = [nodes.length - 1];
    nodes.push({ operator: "affine", inputs, size: rows.length, name: `a${layer}`, weights, bias });
    if (layer === layers.length - 1) return;
    nodes.push({ operator: "relu", inputs: [nodes.length - 1], size: rows.length, name: `r${layer}` });
  });
  return { nodes };
}

function constant(graph: Graph, lower: readonly number[], upper: readonly number[]): number {
  return toNumber(truthOf(regionsOf(graph, { lower, upper }), [1]).constant);
}

Deno.test("regionsOf() counts the regions of hyperplanes in general position as the known sum of binomials", () => {
  const random = new Random(SEED, 1);
  for (const [planes, features, count] of [[5, 1, 6], [6, 2, 22], [7, 3, 64], [6, 4, 57]]) {
    const rows = Array.from({ length: planes }, () => Array.from({ length: features + 1 }, () => random.normal()));
    const graph = chain(rows, [[...new Array(planes).fill(1), 0]]);
    const box = { lower: new Array(features).fill(-(2 ** 40)), upper: new Array(features).fill(2 ** 40) };
    assert.equal(regionsOf(graph, box).length, count, `${planes} planes, ${features} inputs`);
  }
});

Deno.test("truthOf() of relu(x) - relu(x) is 0, of relu(x) - relu(-x) is 1, of relu where it is off or touches 0 is 0", () => {
  assert.equal(constant(chain([[1, 0], [1, 0]], [[1, -1, 0]]), [-1], [1]), 0);
  assert.equal(constant(chain([[1, 0], [-1, 0]], [[1, -1, 0]]), [-1], [1]), 1);
  assert.equal(constant(chain([[1, 0]], [[1, 0]]), [-1], [0]), 0);
  // A box that is one point on the kink has the Clarke derivative of both sides.
  assert.equal(constant(chain([[1, 0]], [[1, 0]]), [0], [0]), 1);
  assert.equal(constant(chain([[1, 0]], [[1, 0]]), [-1], [-1]), 0);
});

Deno.test("truthOf() sees a region that is thinner than any rounding, and none where two kinks are one", () => {
  // relu(x - t) - relu(x) with t = 2^-60: its slope is -1 for 0 < x < t only.
  const bump = (t: number) => chain([[1, -t], [1, 0]], [[1, -1, 0]]);
  assert.equal(constant(bump(2 ** -60), [-1], [1]), 1);
  assert.equal(constant(bump(0), [-1], [1]), 0);
});

Deno.test("rangeOf() attains the extremes of relu(x) + relu(y) - relu(x + y) inside and at corners", () => {
  const graph = chain([[1, 0, 0], [0, 1, 0], [1, 1, 0]], [[1, 1, -1, 0]]), box = { lower: [-1, -1], upper: [1, 0.5] };
  const { least, most } = rangeOf(regionsOf(graph, box), box, [1]);
  assert.deepEqual([toNumber(least), toNumber(most)], [0, 1]);
});

Deno.test(`regions hold what exact samples show of troubled networks, and their own points show it back (seed ${SEED})`, () => {
  let met = 0, regionsMet = 0;
  for (let index = 0; index < 6 * TROUBLES.length; index++) {
    const { graph, name, ...box } = troubledNetwork(SEED, index);
    assert.ok(isGraphInRange(graph), name);
    const regions = regionsOf(graph, box), outputs = graph.nodes.at(-1)!.size;
    const samples = samplePoints(graph, box, new Random(SEED, -index), 12);
    for (let k = 0; k < outputs; k++) {
      const row = unitRow(outputs, k), truth = truthOf(regions, row), range = rangeOf(regions, box, row);
      for (const { jacobians, output } of samples) {
        within(component(output, k), range.least, range.most, `${name}, output ${k}`);
        for (const rows of jacobians) {
          within(norm1(rows[k]), exact(0), truth.constant, `${name}, norm ${k}`);
          truth.derivatives.forEach(({ least, most }, i) =>
            within(component(rows[k], i), least, most, `${name}, derivative ${k} ${i}`)
          );
          met++;
        }
      }
    }
    // Every region's forms are the network at the region's own point, which no cut excludes.
    for (const { outputs: forms, cuts, point } of regions) {
      assert.ok(cuts.every((cut) => sign(valueAt(cut, point)) >= 0), name);
      const rounded = point.numerators.map((_, j) => toNumber(component(point, j)));
      if (rounded.some((x, j) => compare(exact(x), component(point, j)) !== 0)) continue;
      const output = outputAt(graph, rounded);
      forms.forEach((form, k) => assert.equal(compare(valueAt(form, point), component(output, k)), 0, name));
      regionsMet++;
    }
  }
  assert.ok(met > 1_500 && regionsMet > 700, `${met} Jacobians, ${regionsMet} regions`);
});

function within(value: Exact, least: Exact, most: Exact, what: string): void {
  const shown = () => `${what}: ${toNumber(value)} outside of ${toNumber(least)} to ${toNumber(most)}`;
  assert.ok(compare(least, value) <= 0 && compare(value, most) <= 0, shown());
}
