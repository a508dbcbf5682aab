/** Our searches against the paper's own branch and bound, at its own count of subproblems: see README.md in this folder. */
import assert from "node:assert/strict";
import { babAnswers, babRows, falseBab, FEW } from "./bab.ts";
import { modelsOf } from "./cases.ts";

/** Rows of each model that are asked here: comparable, and of at most {@link FEW} nodes. */
const ROWS: Readonly<Record<string, number>> = {
  diabetes_mlp: 2,
  iris_mlp8: 18,
  mnist_mlp_20: 4,
  mnist_mlp_256x3: 0,
  synthetic_mlp16: 6,
  synthetic_mlp64: 2,
  synthetic_w32_d4: 4,
  synthetic_w32_d6: 0,
};

Deno.test("modelsOf() finds the models whose rows are counted here", () => {
  assert.deepEqual(modelsOf("bab"), Object.keys(ROWS));
});

for (const [model, count] of Object.entries(ROWS).filter(([, count]) => count > 0)) {
  Deno.test(`certify() with a search is as tight on ${model} as the paper's branch and bound with as many nodes`, async () => {
    const rows = (await babRows(model)).filter(({ comparable, subproblems }) => comparable && subproblems <= FEW);
    assert.equal(rows.length, count);
    for await (const answer of babAnswers(model, rows)) assert.deepEqual(falseBab(answer), []);
  });
}
