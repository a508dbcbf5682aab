/**
 * The benchmark networks of the reference collection against the best stored linear bounds: at most 1e-4 relative above
 * them, never below what is exact or was sampled. The largest at the smaller radius only; `deno task paper` runs the rest.
 */
import assert from "node:assert/strict";
import { createKernels } from "../../functions/kernels.ts";
import { certify, LipcertError, type Model, readModel } from "../../shared/mod.ts";
import { collectionTest } from "../models/collection.ts";
import { caseRecord, judge } from "../paper/record.ts";
import { modelNames, type OpenCase, outputsAsked, readModelCases } from "../paper/stored.ts";
import { boxOf, findingOf } from "./cases.ts";

/** Most activations of a network that takes no more than a moment at the larger radius too. */
const QUICK = 10_000;
const RADII = ["1/255", "8/255"];

async function judged(model: Model, one: OpenCase, cases: readonly OpenCase[]) {
  const outputs = outputsAsked(one, "stored", cases), region = boxOf(one, cases);
  const query = {
    model_digest: model.digest,
    output: model.description.outputs[0].name,
    region,
    property: { type: "lipschitz", outputs },
    options: { relaxation: "linear", preactivation: "crown", arithmetic: "f64" },
  } as const;
  const { outputs: found } = findingOf(
    (await certify(model, query, { kernels: createKernels(2 ** 30) })).finding,
    "lipschitz",
  );
  return judge(caseRecord(one, outputs, []), {
    ...{ status: "done", box: 0, method: "linear", seconds: 0, gflop: null, peakGflops: 0 },
    ...{ kernelBytes: null, residentBytes: null },
    uppers: found.map(({ upper }) => upper),
    lowers: found.map(({ lower }) => lower),
  });
}

collectionTest(
  "certify() bounds the benchmark networks as tightly as the best stored linear bounds and above what is exact",
  "zoo",
  async (folder) => {
    let compared = 0;
    for (const name of await modelNames(folder)) {
      const { file, cases } = await readModelCases(folder, name, { eps: RADII, inputs: [3] });
      let model: Model;
      try {
        model = await readModel(await Deno.readFile(file));
      } catch (error) {
        if (!(error instanceof LipcertError)) throw error;
        console.log(`SKIPPED: ${name}: ${error.message}`);
        continue;
      }
      const isQuick = model.description.activations <= QUICK;
      if (!isQuick) console.log(`SKIPPED: ${name} eps ${RADII[1]}: takes too long for a test`);
      for (const one of cases.filter(({ eps_text }) => isQuick || eps_text === RADII[0])) {
        const what = `${name} eps ${one.eps_text}`, { ratio, isLooser, mistakes } = await judged(model, one, cases);
        assert.deepEqual(mistakes, [], what);
        assert.ok(ratio !== null && !isLooser, `${what}: ${ratio} of the best stored bound`);
        compared++;
      }
    }
    assert.ok(compared >= 30, `${compared} cases were compared`);
  },
);
