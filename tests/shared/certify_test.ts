import assert from "node:assert/strict";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import {
  certify,
  costOf,
  LipcertError,
  type Model,
  type QuestionRequest,
  readModel,
  resolveQuery,
} from "../../shared/mod.ts";
import module from "../../wasm/dist/kernels.js";
import { add, compare, exact, subtract } from "../exact/dyadic.ts";
import { Random } from "../exact/random.ts";

const SEED = 77;
const kernels = wasmKernels(module);

async function load(name: string): Promise<Model> {
  return await readModel(await Deno.readFile(new URL(`../models/reference/${name}.onnx`, import.meta.url)));
}

const around = (size: number, radius: number): QuestionRequest => ({
  region: { center: Array.from({ length: size }, (_, i) => (i % 7) / 8), radius },
  property: { type: "lipschitz" },
});

Deno.test("certify() tells its progress, and an abort stops it with the signal's reason and frees its memory", async () => {
  const model = await load("synthetic_w32_d6");
  const query = await resolveQuery(around(16, 0.05), model, kernels);
  const told: number[] = [];
  await certify(model, query, { kernels, onProgress: ({ rows }) => told.push(rows) });
  assert.ok(told.length > 5 && told.every((rows, i) => i === 0 || rows > told[i - 1]));
  const before = kernels.memory().bytes;
  const stop = new AbortController();
  const reason = new Error("the caller left");
  await assert.rejects(
    certify(model, query, { kernels, signal: stop.signal, onProgress: () => stop.abort(reason) }),
    (error) => error === reason,
  );
  assert.equal(kernels.memory().bytes, before);
});

Deno.test("certify() over the budget is refused with the figures before anything runs", async () => {
  const model = await load("synthetic_mlp16");
  const query = await resolveQuery(around(16, 0.05), model, kernels);
  const cost = costOf(model.graph(query.output), query);
  assert.ok(await certify(model, query, { kernels, budget: cost }));
  for (const budget of [{ ...cost, flops: cost.flops - 1 }, { ...cost, bytes: cost.bytes - 1 }]) {
    const refused = certify(model, query, { kernels, budget, onProgress: () => assert.fail("it ran") });
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof LipcertError && error.type === "over-budget");
      assert.deepEqual(error.members, { estimated: cost, allowed: budget });
      return true;
    });
  }
});

Deno.test(`resolveQuery() rounds center and radius outward, and exact ends not at all (seed ${SEED})`, async () => {
  const model = await load("iris_mlp8");
  const random = new Random(SEED);
  for (let i = 0; i < 200; i++) {
    const center = Array.from({ length: 4 }, () => random.normal());
    const radius = random.unit();
    const { region } = await resolveQuery(
      { region: { center, radius }, property: { type: "output_bounds" } },
      model,
      kernels,
    );
    center.forEach((c, j) => {
      const low = subtract(exact(c), exact(radius)), high = add(exact(c), exact(radius));
      assert.ok(compare(exact(region.lower[j]), low) <= 0 && compare(exact(region.upper[j]), high) >= 0);
      if (compare(exact(c - radius), low) === 0) assert.equal(region.lower[j], c - radius);
      if (compare(exact(c + radius), high) === 0) assert.equal(region.upper[j], c + radius);
    });
  }
});

Deno.test("a label that is not given is the output proved largest at the center; another one is refused", async () => {
  const model = await load("synthetic_mlp16");
  const question = around(16, 0.01);
  const { property } = await resolveQuery({ ...question, property: { type: "robustness" } }, model, kernels);
  assert.ok(property.type === "robustness");
  const other = (property.label + 1) % 10;
  await assert.rejects(
    resolveQuery({ ...question, property: { type: "robustness", label: other } }, model, kernels),
    (error) => error instanceof LipcertError && error.members.errors?.[0].pointer === "/property/label",
  );
});
