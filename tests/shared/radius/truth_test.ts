/** Radii on small random networks against exact values and Jacobians on a grid: no claim is contradicted. */
import assert from "node:assert/strict";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { around, distanceAbove } from "../../../shared/numeric/around.ts";
import type { Claim } from "../../../shared/query.ts";
import module from "../../../wasm/dist/kernels.js";
import { compare, exact, sign } from "../../exact/dyadic.ts";
import { Random } from "../../exact/random.ts";
import { component, norm1 } from "../../exact/vector.ts";
import { modelOf } from "../../soundness/certificates.ts";
import { center as middle, type Sample, sampleAt } from "../../soundness/samples.ts";
import { samplesOf, smallNetwork } from "../search/networks.ts";
import { askRadius } from "./networks.ts";

const SEED = 5107;
const MAX = 2;
const kernels = wasmKernels(module);

/** Signs of the derivative by a feature among the exact Jacobians at a point. */
function signsAt({ jacobians }: Sample, output: number, feature: number): number[] {
  return jacobians.map((rows) => sign(component(rows[output], feature)));
}

/** Whether a claim is seen to fail at points, by exact values alone. */
function failsAt(claim: Claim, samples: readonly Sample[]): boolean {
  switch (claim.type) {
    case "robustness":
      return samples.some(({ output }) =>
        output.numerators.some((_, k) =>
          k !== claim.label && compare(component(output, k), component(output, claim.label)) >= 0
        )
      );
    case "lipschitz": {
      assert.ok("outputs" in claim);
      return samples.some(({ jacobians }) =>
        jacobians.some((rows) => claim.outputs.some((k) => compare(norm1(rows[k]), exact(claim.at_most)) > 0))
      );
    }
    case "monotonicity":
      return claim.features.some((feature) => {
        const signs = samples.flatMap((sample) => signsAt(sample, claim.output, feature));
        const falls = signs.includes(-1), rises = signs.includes(1);
        return claim.direction === undefined ? falls && rises : claim.direction === "increasing" ? falls : rises;
      });
  }
}

/** What is asked of a network with two outputs or one, around the middle of its box. */
function claimsOf(index: number, outputs: number, inputs: number, label: number | null, random: Random): Claim[] {
  const output = random.integer(0, outputs - 1), features = Array.from({ length: inputs }, (_, i) => i);
  return [
    { type: "lipschitz", outputs: [output], at_most: random.pick([1, 3, 6, 12]) },
    { type: "monotonicity", output, features: [features[index % inputs]] },
    { type: "monotonicity", output, features, direction: random.pick(["increasing", "decreasing"]) },
    ...(label === null ? [] : [{ type: "robustness", label } as const]),
  ];
}

/** The output that is largest at a point, exactly and alone. */
function largestAt({ output }: Sample): number | null {
  const count = output.numerators.length;
  const best = output.numerators.findIndex((n, k) => output.numerators.every((other, o) => o === k || other < n));
  return count < 2 || best < 0 ? null : best;
}

Deno.test(`radius: nothing exact contradicts what is proved or refuted on small networks (seed ${SEED})`, async () => {
  const seen = { whole: 0, inner: 0, refuted: 0 };
  for (let index = 0; index < 40; index++) {
    const network = smallNetwork(SEED, index), random = new Random(SEED, index), from = middle(network);
    const at = (point: ArrayLike<number>) => sampleAt(network.graph, network, Float64Array.from(point), random);
    const { size } = network.graph.nodes.at(-1)!,
      clip: [number, number] = [Math.min(...from) - 1, Math.max(...from) + 1.5];
    for (const of of claimsOf(index, size, from.length, largestAt(at(from)), random)) {
      const told = `${network.name}, ${of.type}`, model = modelOf(network.graph, network.name);
      const asked = { type: "radius", of, max: MAX, gap: 0.02 } as const;
      const { finding, query } = await askRadius(model, { center: Array.from(from), clip }, asked, kernels);
      const { certified, refuted, witness } = finding;
      const limits = { lower: Float64Array.from(query.region.lower), upper: Float64Array.from(query.region.upper) };
      if (certified !== null && certified > 0) {
        const box = around(from, [certified], limits);
        assert.ok(!failsAt(of, samplesOf({ ...network, ...box }, index)), `${told}: fails inside ${certified}`);
        seen[certified === MAX ? "whole" : "inner"]++;
      }
      if (witness) {
        assert.ok(failsAt(of, witness.points.map(at)), `${told}: holds at its witness`);
        assert.equal(refuted, distanceAbove(from, witness.points), told);
        seen.refuted++;
      }
    }
  }
  assert.ok(seen.whole > 10 && seen.inner > 20 && seen.refuted > 20, JSON.stringify(seen));
});
