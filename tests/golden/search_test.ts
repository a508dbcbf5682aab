/** Searches against exact constants that were enumerated elsewhere, region by region. */
import assert from "node:assert/strict";
import { boxOf, findingOf, type LipschitzCase, openModel, optionsOf, readCases } from "./cases.ts";

/** What the enumeration's own roundings may have moved a constant. */
const STATED = 1e-9;

/** The share of the root's distance to the exact constant that is left, at most, over all cases of a model. */
const LEFT: Readonly<Record<string, number>> = { synthetic_mlp16: 0.01, iris_mlp8: 1e-6, synthetic_w32_d2: 0.01 };

for (const [name, most] of Object.entries(LEFT)) {
  Deno.test(`certify() with 400 nodes closes all but ${most} of the gap of ${name}, never below what is exact`, async () => {
    const { ask, model } = await openModel(name);
    const { cases } = await readCases<LipschitzCase>("lipschitz", name);
    const { outputSize } = model.sizes(model.description.outputs[0].name);
    const outputs = Array.from({ length: outputSize }, (_, k) => k);
    let before = 0, after = 0;
    for (const one of cases) {
      if (!one.exact?.complete) continue;
      const exact = one.exact.max!, region = boxOf(one, cases), options = optionsOf("bp");
      const upperOf = async (search?: { max_nodes: number; gap: number }) => {
        const asked = search ? { ...options, search } : options;
        const finding = findingOf((await ask(region, { type: "lipschitz", outputs }, asked)).finding, "lipschitz");
        finding.outputs.forEach(({ upper, lower }, k) => {
          const known = one.exact!.per_output![k], what = `#${one.test_index} eps ${one.eps} output ${k}`;
          assert.ok(upper! >= known * (1 - STATED), `${what}: upper ${upper} below ${known}`);
          assert.ok(lower <= known * (1 + STATED), `${what}: lower ${lower} above ${known}`);
        });
        return finding.upper!;
      };
      before += await upperOf() / exact - 1;
      after += await upperOf({ max_nodes: 400, gap: 0 }) / exact - 1;
    }
    assert.ok(after <= most * before, `${after} of ${before} is left`);
  });
}
