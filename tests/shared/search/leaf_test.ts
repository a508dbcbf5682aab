import assert from "node:assert/strict";
import { decide, exactRows, leafForms } from "../../../shared/search/leaf.ts";
import { regionOf } from "../../../shared/search/region.ts";
import { chain, condensed, passOf } from "../condensed/networks.ts";

Deno.test("exactRows() pass a clip between equal ends whose input lies on both sides of them", async () => {
  // h = relu's input: 4 (the clip of x_0 to [1/4, 1/4]) + x_1 - 1 = x_1.
  const graph = chain(
    2,
    [{ operator: "clip", lower: Float64Array.of(0.25, -9), upper: Float64Array.of(0.25, 9) }, 2],
    [{ operator: "affine", weights: Float64Array.of(4, 1), bias: Float64Array.of(-1) }, 1],
    [{ operator: "relu" }, 1],
    [{ operator: "affine", weights: Float64Array.of(1), bias: null }, 1],
  );
  const box = { lower: Float64Array.of(-1, -1), upper: Float64Array.of(1, 0) };
  const pass = await passOf(graph, box), region = regionOf(condensed(pass), box);
  const original = { graph, inputs: new Map(pass.states.map(({ boxes: [one] }, id) => [id, one])) };
  assert.equal(region.width, 1);
  const phases = Int8Array.of(1), form = exactRows(region, original, phases)(0)!;
  const [first, second] = form.coefficients;
  assert.deepEqual([first, second > 0n, form.constant], [0n, true, 0n]);
  // x_1 >= 0 on [-1, 0]: without interior, which only exact rows tell.
  const heights = { lower: region.network.lower.slice(0, 1), upper: region.network.upper.slice(0, 1) };
  const piece = { box, phases, heights, gradients: heights };
  assert.equal(decide(region, original, piece, leafForms(region, piece)).kind, "thin");
});
