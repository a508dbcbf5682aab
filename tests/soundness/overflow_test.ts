import assert from "node:assert/strict";
import { certify } from "../../shared/certify.ts";
import type { Graph } from "../../shared/graph.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { addDown, addUp } from "../../shared/numeric/rounding.ts";
import type { Property } from "../../shared/query.ts";
import { modelOf, OPTIONS } from "./certificates.ts";

const HUGE = 1.5e308;

/** y = (h x_1 + h x_2, x_1): one sum that leaves the doubles, one that does not. */
const GRAPH: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 2, name: "x" },
    { operator: "affine", inputs: [0], size: 2, name: "y", weights: Float64Array.of(HUGE, HUGE, 1, 0), bias: null },
  ],
};

Deno.test("certify() answers with null and lower 0 where a norm is no double, and stays sound", async () => {
  const model = modelOf(GRAPH, "overflow"), region = { lower: [1, 1], upper: [2, 2] };
  for (const options of OPTIONS) {
    const ask = async (property: Property) => {
      const query = { model_digest: model.digest, output: "y", region, property, options };
      return await certify(model, query, { kernels: referenceKernels() });
    };
    const { finding, verdict, reason } = await ask({ type: "lipschitz", outputs: [0, 1] });
    assert.ok(finding.type === "lipschitz");
    assert.deepEqual([finding.upper, verdict, reason], [null, "unknown", "overflow"]);
    const [overflown, plain] = finding.outputs;
    assert.deepEqual([overflown.upper, overflown.lower], [null, 0]);
    assert.ok(
      plain.upper !== null && plain.upper >= 1 && plain.upper < 1 + 1e-9 && plain.lower <= 1 && plain.lower > 0.9,
    );
    const bounds = await ask({ type: "output_bounds", outputs: [0, 1] });
    assert.ok(bounds.finding.type === "output_bounds");
    assert.equal(bounds.finding.upper[0], null);
    assert.ok(bounds.finding.upper[1]! >= 2 && bounds.finding.lower[1]! <= 1);
  }
});

Deno.test("addDown() and addUp() of a sum that is no double bound it from the right side", () => {
  // The real sum is 2.7e308: above every double, below infinity.
  assert.ok(addDown(HUGE, HUGE * 0.8) < Infinity);
  assert.equal(addUp(HUGE, HUGE * 0.8), Infinity);
  assert.ok(addUp(-HUGE, -HUGE * 0.8) > -Infinity);
  assert.equal(addDown(-HUGE, -HUGE * 0.8), -Infinity);
});
