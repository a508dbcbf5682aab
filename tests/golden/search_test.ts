/** Searches against exact constants, enumerated elsewhere region by region or closed by other codes' searches. */
import assert from "node:assert/strict";
import { boxOf, findingOf, type LipschitzCase, modelsOf, openModel, optionsOf, readCases, statedOf } from "./cases.ts";

/** How near a closed search's bound is to a constant that is stated with seven digits. */
const STATED_DIGITS = 1e-5;

/** How near to an enumerated one. */
const RELATIVE = 1e-6;

interface Constant {
  readonly model: string;
  readonly test_index: number;
  readonly eps: number;
  /** Null: the maximum of all. */
  readonly output: number | null;
  readonly constant: number;
  /** A little more than is needed. */
  readonly nodes: number;
}

const CONSTANTS: readonly Constant[] = [
  { model: "synthetic_mlp16", test_index: 3, eps: 0.1, output: null, constant: 15.50696, nodes: 30 },
  { model: "diabetes_mlp", test_index: 3, eps: 0.05, output: null, constant: 8.3271, nodes: 1000 },
  { model: "synthetic_w32_d6", test_index: 3, eps: 0.05, output: null, constant: 29.49059, nodes: 500 },
  { model: "synthetic_w32_d6", test_index: 5, eps: 0.05, output: null, constant: 35.23341, nodes: 600 },
  { model: "mnist_mlp_20", test_index: 3, eps: 0.05, output: null, constant: 154.61673, nodes: 400 },
  { model: "synthetic_mlp64", test_index: 3, eps: 0.05, output: null, constant: 27.8662, nodes: 900 },
  { model: "mnist_mlp_256x3", test_index: 3, eps: 0.004, output: 6, constant: 186.026, nodes: 800 },
];

for (const { model: name, test_index, eps, output, constant, nodes } of CONSTANTS) {
  Deno.test(`certify() finds the exact constant of ${name} #${test_index}, radius ${eps}, in ${nodes} nodes`, async () => {
    const { ask, model } = await openModel(name), { cases } = await readCases<LipschitzCase>("lipschitz", name);
    const outputs = output === null ? all(model.sizes(model.description.outputs[0].name).outputSize) : [output];
    const region = boxOf({ test_index, eps, input: "the stored one" }, cases);
    const options = { ...optionsOf("bp"), search: { max_nodes: nodes, gap: 0 } };
    const { upper, lower, exact } = findingOf(
      (await ask(region, { type: "lipschitz", outputs }, options)).finding,
      "lipschitz",
    );
    assert.ok(exact, `${lower} to ${upper}`);
    assert.ok(Math.abs(upper! - constant) <= STATED_DIGITS * constant, `${upper}, is ${constant}`);
  });
}

/** Cases of each model whose constants were enumerated completely. */
const COMPLETE: Readonly<Record<string, number>> = {
  diabetes_mlp: 8,
  digits_leaky: 7,
  iris_mlp8: 12,
  mnist_cnn_small: 2,
  mnist_mlp_20: 15,
  mnist_mlp_256x3: 1,
  simple_mlp3_w16: 10,
  simple_mlp3_w64: 5,
  simple_w32_d2: 10,
  simple_w32_d6: 6,
  synthetic_mlp16: 12,
  synthetic_mlp64: 6,
  synthetic_w32_d2: 11,
  synthetic_w32_d4: 9,
  synthetic_w32_d6: 9,
};

/** Nodes within which all of them close. */
const ENOUGH = 2500;

Deno.test("modelsOf() finds the models whose complete cases are counted here", () => {
  assert.deepEqual(modelsOf("lipschitz"), Object.keys(COMPLETE));
});

for (const [name, count] of Object.entries(COMPLETE)) {
  Deno.test(`certify() with ${ENOUGH} nodes is exact on every enumerated case of ${name}`, async () => {
    const { ask, model } = await openModel(name), { cases } = await readCases<LipschitzCase>("lipschitz", name);
    const outputs = all(model.sizes(model.description.outputs[0].name).outputSize), stated = statedOf(name);
    const complete = cases.filter(({ exact }) => exact?.complete);
    assert.equal(complete.length, count);
    for (const one of complete) {
      const options = { ...optionsOf("bp"), search: { max_nodes: ENOUGH, gap: 0 } };
      const answer = await ask(boxOf(one, cases), { type: "lipschitz", outputs }, options);
      const finding = findingOf(answer.finding, "lipschitz"), known = one.exact!.max!;
      const what = `#${one.test_index} eps ${one.eps}`, { upper, lower, exact } = finding;
      assert.ok(exact, `${what}: ${lower} to ${upper}, is ${known}`);
      assert.ok(Math.abs(upper! - known) <= RELATIVE * known, `${what}: ${upper}, is ${known}`);
      finding.outputs.forEach(({ upper, lower }, k) => {
        const known = one.exact!.per_output![k];
        assert.ok(upper! >= known * (1 - stated), `${what} output ${k}: upper ${upper} below ${known}`);
        assert.ok(lower <= known * (1 + stated), `${what} output ${k}: lower ${lower} above ${known}`);
      });
    }
  });
}

function all(size: number): number[] {
  return Array.from({ length: size }, (_, k) => k);
}

Deno.test("certify() with a few nodes finds larger values than were sampled elsewhere, where nothing is exact", async () => {
  for (const name of ["mnist_mlp_256x3", "mnist_cnn_small"]) {
    const { ask, model } = await openModel(name), { cases } = await readCases<LipschitzCase>("lipschitz", name);
    const outputs = all(model.sizes(model.description.outputs[0].name).outputSize);
    const open = cases.filter(({ exact, eps }) => exact === null && eps <= 0.01);
    assert.ok(open.length > 0);
    for (const one of open) {
      const options = { ...optionsOf("bp"), search: { max_nodes: 40, gap: 0 } };
      const { lower } = findingOf(
        (await ask(boxOf(one, cases), { type: "lipschitz", outputs }, options)).finding,
        "lipschitz",
      );
      const met = one.sampled_lower!.max;
      assert.ok(lower >= met, `${name} #${one.test_index}, radius ${one.eps}: ${lower}, ${met} was met`);
    }
  }
});
