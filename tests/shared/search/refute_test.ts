/** Conjunctions of constraints on small networks: refuted exactly where no activation region holds a point of them all. */
import assert from "node:assert/strict";
import type { Graph, Node } from "../../../shared/graph.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { refute } from "../../../shared/search/refute.ts";
import { evaluatePlain } from "../../../shared/witness/plain_network.ts";
import { sign } from "../../exact/dyadic.ts";
import { outputAt } from "../../exact/network.ts";
import { maximise, valueAt } from "../../exact/polytope.ts";
import { Random } from "../../exact/random.ts";
import { randomNetwork } from "../../exact/random_networks.ts";
import { type Ends, type LinearRegion, regionsOf, sidesOf } from "../../exact/regions.ts";
import { exactVector } from "../../exact/vector.ts";
import module from "../../../wasm/dist/kernels.js";

const SEED = 271;
const kernels = wasmKernels(module);

/** The network followed by functionals that change sign somewhere among the points. */
function withSlacks(network: Graph, count: number, points: readonly Float64Array[], random: Random): Graph {
  const last = network.nodes.length - 1, { size } = network.nodes[last];
  const weights = Float64Array.from({ length: count * size }, () => random.integer(-8, 8) / 4);
  const bias = Float64Array.from({ length: count }, (_, r) => {
    const values = points.map((point) =>
      evaluatePlain(network, point).values[last].reduce((sum, y, k) => sum + weights[r * size + k] * y, 0)
    );
    const least = Math.min(...values), most = Math.max(...values);
    // Off the values themselves: a constant functional would be 0 everywhere.
    return -(least + random.between(0.3, 1.3) * (most - least) + random.between(-0.01, 0.01));
  });
  const node: Node = { operator: "affine", inputs: [last], size: count, name: "slacks", weights, bias };
  return { nodes: [...network.nodes, node] };
}

/** Whether all of these outputs are at least 0 somewhere on the box. */
function isMet(regions: readonly LinearRegion[], box: Ends, outputs: readonly number[]): boolean {
  const walls = sidesOf({ lower: exactVector(box.lower), upper: exactVector(box.upper) });
  return regions.some((region) => {
    let at = region.point;
    const cuts = [...walls, ...region.cuts];
    for (const k of outputs) {
      at = maximise(cuts, region.outputs[k], at, 0);
      if (sign(valueAt(region.outputs[k], at)) < 0) return false;
      cuts.push(region.outputs[k]);
    }
    return true;
  });
}

for (const [name, mostSplitInputs] of [["boxes", 16], ["neurons", 0]] as const) {
  Deno.test(`refute() by ${name}: a conjunction is refuted exactly where no region meets it`, async () => {
    const counts = { met: 0, refuted: 0, open: 0, skipped: 0 };
    for (let index = 0; index < 120; index++) {
      const { graph: network, lower, upper, recipe } = randomNetwork(SEED, index, 6);
      if (recipe === "extreme" || lower.length > 4) continue;
      const random = new Random(SEED + 1, index), box = { lower, upper };
      const points = Array.from({ length: 8 }, () => lower.map((l, j) => l + random.between(0, 1) * (upper[j] - l)));
      const graph = withSlacks(network, 3, points, random);
      let regions: LinearRegion[];
      try {
        regions = regionsOf(graph, box, 400);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        counts.skipped++;
        continue;
      }
      const alternatives = [[0, 1], [1, 2], [0, 1, 2]];
      const truth = alternatives.some((outputs) => isMet(regions, box, outputs));
      const holdsAt = (point: Float64Array) => {
        const { numerators } = outputAt(graph, point);
        return Promise.resolve(alternatives.some((outputs) => outputs.every((k) => numerators[k] >= 0n)));
      };
      const question = { graph, cases: [{ box, alternatives }], holdsAt, maxNodes: 4000, mostSplitInputs };
      const answer = await withRun([graph], { kernels }, (run) => refute({ ...question, run }));
      if (answer.isMet) assert.ok(truth, `network ${index} of seed ${SEED}: a point, and there is none`);
      if (answer.open === 0) assert.ok(!truth, `network ${index} of seed ${SEED}: refuted, and a region meets it`);
      counts[answer.isMet ? "met" : answer.open === 0 ? "refuted" : "open"]++;
    }
    console.log(`seed ${SEED}, ${name}: ${JSON.stringify(counts)}`);
    assert.ok(counts.met > 10 && counts.refuted > 10, JSON.stringify(counts));
    assert.ok(20 * counts.open <= counts.met + counts.refuted, JSON.stringify(counts));
  });
}
