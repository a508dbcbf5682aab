import assert from "node:assert/strict";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import module from "../../../wasm/dist/kernels.js";
import { compare, isAtMost } from "../../exact/dyadic.ts";
import { randomConvolutional } from "../../exact/random_convolutional.ts";
import { norm1 } from "../../exact/vector.ts";
import type { AskedNetwork } from "../../soundness/certificates.ts";
import { falseLipschitz } from "../../soundness/findings.ts";
import type { Sample } from "../../soundness/samples.ts";
import { type Answered, ask, cornerCase, samplesOf, smallNetwork } from "./networks.ts";

const SEED = 20_261_125;
const kernels = wasmKernels(module);
const COUNTS = [null, 0, 2, 3, 5, 16, 60, 400];

/** Every count of nodes in turn, each answer compared with exact values and with the one before. */
async function growing(
  network: AskedNetwork,
  samples: readonly Sample[],
  counts: readonly (number | null)[] = COUNTS,
): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (const count of counts) {
    const answer = await ask(network, kernels, count);
    const what = `${network.name}, ${count} nodes`;
    assert.deepEqual(falseLipschitz(samples, answer), [], what);
    const before = answers.at(-1);
    answer.outputs.forEach(({ upper, lower }, k) => {
      const known = before?.outputs[k];
      assert.ok((upper ?? Infinity) <= (known?.upper ?? Infinity), `${what}, output ${k}: upper rose to ${upper}`);
      assert.ok(lower >= (known?.lower ?? 0), `${what}, output ${k}: lower fell to ${lower}`);
    });
    assert.ok(answer.search.nodes <= (count ?? 0), what);
    answers.push(answer);
  }
  return answers;
}

Deno.test(`search: exact constant <= upper(n), which never rises; lower(n) never falls (small, seed ${SEED})`, async () => {
  let closed = 0, attained = 0, lowered = 0;
  for (let index = 0; index < 40; index++) {
    const network = smallNetwork(SEED, index);
    const samples = samplesOf(network, SEED);
    const answers = await growing(network, samples);
    const [root, none] = answers, last = answers.at(-1)!;
    const { search: _, json: __, ...same } = root, { search: ___, json: ____, ...zero } = none;
    assert.deepEqual(zero, same, "no nodes: the answer of one pass");
    if (last.search.stopped_by === "closed") closed++;
    if (last.upper! < root.upper! * (1 - 1e-6)) lowered++;
    const most = samples.flatMap(({ jacobians }) => jacobians.flatMap((rows) => rows.map(norm1)))
      .reduce((a, b) => (compare(a, b) < 0 ? b : a));
    assert.ok(isAtMost(most, last.upper!), network.name);
    // Every region of these networks is met by a sample, or nearly.
    if (!isAtMost(most, last.upper! * (1 - 1e-6))) attained++;
  }
  assert.ok(
    closed >= 36 && attained >= 32 && lowered >= 10,
    `closed ${closed}, attained ${attained}, lowered ${lowered}`,
  );
});

Deno.test(`search: the same laws on every recipe of corner cases (seed ${SEED})`, async () => {
  for (let index = 0; index < 65; index++) {
    const network = cornerCase(SEED, index);
    const answers = await growing(network, samplesOf(network, SEED));
    const { witness, lower } = answers.at(-1)!;
    assert.ok(lower <= (answers.at(-1)!.upper ?? Infinity) && witness.point.length === network.lower.length);
  }
});

Deno.test(`search: the same laws on convolutions, branches and selections (seed ${SEED})`, async () => {
  let lowered = 0;
  for (let index = 0; index < 44; index++) {
    const network = { recipe: "", ...randomConvolutional(SEED, index) };
    const answers = await growing(network, samplesOf(network, SEED), [null, 2, 5, 30]);
    if ((answers.at(-1)!.upper ?? Infinity) < (answers[0].upper ?? Infinity) * (1 - 1e-6)) lowered++;
  }
  assert.ok(lowered >= 8, `${lowered} lowered`);
});

Deno.test(`search: the same bytes on the reference and WebAssembly, and of any arithmetic a sound bound (seed ${SEED})`, async () => {
  const reference = referenceKernels();
  for (let index = 0; index < 26; index++) {
    for (const network of [smallNetwork(SEED, index), cornerCase(SEED, index)]) {
      const { json } = await ask(network, kernels, 40);
      assert.equal((await ask(network, reference, 40)).json, json, network.name);
    }
    const network = cornerCase(SEED, index), samples = samplesOf(network, SEED);
    for (const relaxation of ["interval", "recurjac", "linear"] as const) {
      const options = { relaxation, preactivation: index % 2 === 0 ? "interval" : "crown", arithmetic: "f32" } as const;
      assert.deepEqual(falseLipschitz(samples, await ask(network, kernels, 40, options)), [], network.name);
    }
  }
});

Deno.test("search: stops at the gap that was asked for, and not before", async () => {
  let stopped = 0;
  for (let index = 0; index < 40; index++) {
    const network = smallNetwork(SEED, index);
    const { search, gap } = await ask(network, kernels, null, { search: { max_nodes: 400, gap: 0.1 } });
    const full = await ask(network, kernels, 400);
    assert.ok(search.nodes <= full.search.nodes, network.name);
    if (search.stopped_by === "gap") assert.ok(gap! <= 0.1, network.name);
    else if (search.stopped_by === "max_nodes") assert.ok(gap! > 0.1, network.name);
    if (search.stopped_by === "gap" && search.nodes < full.search.nodes) stopped++;
  }
  assert.ok(stopped >= 3, `${stopped} searches stopped early`);
});

Deno.test("search: ends with the signal's reason when aborted between rounds", async () => {
  for (let index = 0;; index++) {
    const network = smallNetwork(SEED, index);
    const { search } = await ask(network, kernels, 400);
    if (search.nodes < 20) continue;
    const reason = new Error("enough"), controller = new AbortController();
    const onSearch = () => controller.abort(reason);
    await assert.rejects(ask(network, kernels, 400, {}, { signal: controller.signal, onSearch }), reason);
    return;
  }
});
