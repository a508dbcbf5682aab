import assert from "node:assert/strict";
import fc from "fast-check";
import { dyadic } from "../../../shared/onnx/exact.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { floats, node } from "../../models/build.ts";
import { smallNetwork } from "./networks.ts";

const SEED = 8;

/** v 2^2200, an integer for every double. */
function scaled(value: number): bigint {
  const { mantissa, exponent } = dyadic(value);
  return mantissa << BigInt(exponent + 2200);
}

Deno.test(`readModel() states an error of a normalization's factor that holds over the reals (seed ${SEED})`, () => {
  const size = fc.tuple(fc.double({ min: 1, max: 2, noNaN: true }), fc.integer({ min: -200, max: 200 }))
    .map(([mantissa, exponent]) => mantissa * 2 ** exponent);
  let inexact = 0;
  fc.assert(
    fc.property(size, size, size.map(Math.fround), fc.boolean(), (s, v, e, negative) => {
      const epsilon = Math.min(e, 2 ** 100);
      const bytes = smallNetwork({
        input: [1, 1],
        nodes: [node("BatchNormalization", ["x", "s", "b", "b", "v"], ["y"], { epsilon: { float: epsilon } })],
        tensors: [
          floats("s", [1], [negative ? -s : s], "float64"),
          floats("b", [1], [0], "float64"),
          floats("v", [1], [v], "float64"),
        ],
      });
      const factor = readModel(bytes).graph("y").nodes.find(({ operator }) => operator === "scale");
      assert.ok(factor?.operator === "scale");
      const { roundings = 0, factors: [f] } = factor;
      assert.equal(Math.sign(f), negative ? -1 : 1);
      // s = f (1 + d) sqrt(v + epsilon) with |d| <= gamma = k u / (1 - k u): squared, over whole numbers.
      const unit = 2n ** 53n;
      const k = BigInt(roundings);
      const real = scaled(s) ** 2n << 2200n;
      const stored = scaled(f) ** 2n * (scaled(v) + scaled(Math.fround(epsilon)));
      const gamma = { over: k, under: unit - k };
      assert.ok(real * gamma.under ** 2n <= stored * (gamma.under + gamma.over) ** 2n);
      assert.ok(real * gamma.under ** 2n >= stored * (gamma.under - gamma.over) ** 2n);
      if (real !== stored) inexact++;
    }),
    { seed: SEED, numRuns: 300 },
  );
  assert.ok(inexact > 200, `${inexact} factors round`);
});

Deno.test("readModel() keeps the factor of a normalization apart from the matrix before it, and its mean in the bias", () => {
  const bytes = smallNetwork({
    input: [1, 2],
    nodes: [node("Gemm", ["x", "w"], ["z"]), node("BatchNormalization", ["z", "s", "b", "m", "s"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]], s: [[2], [1, 2]], b: [[2], [0, 1]], m: [[2], [3, 4]] },
  });
  const { nodes } = readModel(bytes).graph("y");
  assert.deepEqual(nodes.map(({ operator }) => operator), ["input", "affine", "scale", "shift"]);
  assert.ok(nodes[1].operator === "affine" && nodes[2].operator === "scale");
  assert.deepEqual(nodes[1].bias, new Float64Array([-3, -4]));
  assert.equal(nodes[2].roundings, 4);
});
