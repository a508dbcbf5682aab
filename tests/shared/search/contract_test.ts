import assert from "node:assert/strict";
import type { Graph } from "../../../shared/graph.ts";
import type { Box } from "../../../shared/numeric/box.ts";
import { contract } from "../../../shared/search/contract.ts";
import { compare, exact } from "../../exact/dyadic.ts";
import { isActivation, kinksOf } from "../../exact/pieces.ts";
import { Random } from "../../exact/random.ts";
import { component, type ExactVector } from "../../exact/vector.ts";
import type { AskedNetwork } from "../../soundness/certificates.ts";
import { samplePoints } from "../../soundness/samples.ts";
import { cornerCase, smallNetwork } from "./networks.ts";

const SEED = 20_261_127;

/** For every activation the closed pieces that its neurons are on at a point, one each; some neurons stay free. */
function phasesHere(graph: Graph, values: readonly ExactVector[], random: Random): Map<number, Int8Array> {
  const phases = new Map<number, Int8Array>();
  graph.nodes.forEach((node, id) => {
    if (!isActivation(node)) return;
    const decided = Int8Array.from({ length: node.size }, (_, i) => {
      if (random.chance(0.3)) return 0;
      const z = component(values[node.inputs[0]], i);
      if (node.operator !== "clip") return compare(z, exact(0)) >= 0 ? 1 : -1;
      const [lower, upper] = [node.lower[i], node.upper[i]];
      if (lower > -Infinity && compare(z, exact(lower)) <= 0) return -1;
      return upper < Infinity && compare(z, exact(upper)) >= 0 ? 2 : 1;
    });
    assert.ok(decided.every((_, i) => kinksOf(node, i).length < 3));
    phases.set(id, decided);
  });
  return phases;
}

const boxOf = ({ lower, upper }: AskedNetwork): Box => ({
  lower: Float64Array.from(lower),
  upper: Float64Array.from(upper),
});

Deno.test(`contract() keeps every point that has the phases, and cuts often (seed ${SEED})`, () => {
  let cuts = 0, points = 0;
  for (let index = 0; index < 130; index++) {
    for (const network of [smallNetwork(SEED, index), cornerCase(SEED, index)]) {
      const random = new Random(SEED, index), box = boxOf(network);
      for (const { point, values } of samplePoints(network.graph, box, random, 6)) {
        const kept = contract(network.graph, box, phasesHere(network.graph, values, random));
        assert.ok(kept !== null, `${network.name}: ${point} was called empty`);
        point.forEach((x, j) => {
          assert.ok(kept.lower[j] <= x && x <= kept.upper[j], `${network.name}: ${x} is cut off at input ${j}`);
          if (kept.lower[j] > box.lower[j] || kept.upper[j] < box.upper[j]) cuts++;
        });
        points++;
      }
    }
  }
  assert.ok(cuts > points / 5, `${cuts} cuts at ${points} points`);
});

Deno.test("contract() cuts at the plane, and proves the other side of it empty", () => {
  const graph: Graph = {
    nodes: [
      { operator: "input", inputs: [], size: 2, name: "x" },
      {
        operator: "affine",
        inputs: [0],
        size: 1,
        name: "z",
        weights: Float64Array.of(1, 2),
        bias: Float64Array.of(-1),
      },
      { operator: "relu", inputs: [1], size: 1, name: "h" },
    ],
  };
  const cut = (lower: number[], upper: number[], phase: number) =>
    contract(
      graph,
      { lower: Float64Array.from(lower), upper: Float64Array.from(upper) },
      new Map([[2, Int8Array.of(phase)]]),
    );
  // x + 2 y >= 1 over [0, 1] x [0, 0.25]: x >= 0.5.
  const active = cut([0, 0], [1, 0.25], 1)!;
  assert.ok(active.lower[0] <= 0.5 && active.lower[0] > 0.5 - 1e-12 && active.lower[1] === 0);
  // x + 2 y <= 1 over [0.5, 1] x [0, 1]: y <= 0.25.
  const inactive = cut([0.5, 0], [1, 1], -1)!;
  assert.ok(inactive.upper[1] >= 0.25 && inactive.upper[1] < 0.25 + 1e-12 && inactive.upper[0] === 1);
  assert.equal(cut([0, 0], [0.25, 0.25], 1), null);
  assert.equal(cut([1, 1], [2, 2], -1), null);
  // The plane itself belongs to both sides.
  assert.ok(cut([1, 0], [1, 0], 1) && cut([1, 0], [1, 0], -1));
});
