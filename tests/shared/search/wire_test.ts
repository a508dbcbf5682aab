/** The option on its way from a request to the certificate and its checks. */
import assert from "node:assert/strict";
import { Certificate as Schema } from "../../../functions/schemas/certificate.ts";
import { inconsistency } from "../../../shared/consistency.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import {
  capabilities,
  certify,
  LipcertError,
  type OptionsRequest,
  type PropertyRequest,
  readModel,
  resolveQuery,
  verify,
} from "../../../shared/mod.ts";
import module from "../../../wasm/dist/kernels.js";

const kernels = wasmKernels(module);
const REGION = { center: Array.from({ length: 16 }, (_, i) => 0.2 + 0.04 * i), radius: 0.1, clip: [0, 1] } as const;
const model = await readModel(
  await Deno.readFile(new URL("../../models/reference/synthetic_mlp16.onnx", import.meta.url)),
);

const resolve = (options: OptionsRequest, property: PropertyRequest = { type: "lipschitz" }) =>
  resolveQuery({ region: REGION, property, options }, model, kernels);

Deno.test("options.search is resolved with its defaults, and absent where it was not asked for", async () => {
  assert.ok(!("search" in (await resolve({})).options));
  assert.deepEqual((await resolve({ search: {} })).options.search, { max_nodes: 10_000, gap: 0 });
  assert.deepEqual((await resolve({ search: { gap: 0.1 } })).options.search, { max_nodes: 10_000, gap: 0.1 });
  const timed = { max_nodes: 10_000, gap: 0, time_ms: 5 };
  assert.deepEqual((await resolve({ search: { time_ms: 5 } })).options.search, timed);
  assert.equal(capabilities().options.search.max_nodes.default, 10_000);
});

Deno.test("options.search is refused with limits that are none", async () => {
  const refusals: [search: OptionsRequest["search"], property: PropertyRequest, type: string, pointer: string][] = [
    [{ max_nodes: -1 }, { type: "lipschitz" }, "invalid-query", "/options/search/max_nodes"],
    [{ max_nodes: 1e9 }, { type: "lipschitz" }, "invalid-query", "/options/search/max_nodes"],
    [{ time_ms: -1 }, { type: "lipschitz" }, "invalid-query", "/options/search/time_ms"],
    [{ time_ms: 0.5 }, { type: "lipschitz" }, "invalid-query", "/options/search/time_ms"],
    [{ record: true, max_nodes: 10_001 }, { type: "lipschitz" }, "invalid-query", "/options/search/max_nodes"],
    [{ gap: NaN }, { type: "lipschitz" }, "invalid-query", "/options/search/gap"],
  ];
  for (const [search, property, type, pointer] of refusals) {
    await assert.rejects(resolve({ search }, property), (error) => {
      assert.ok(error instanceof LipcertError && error.type === type, String(error));
      return error.members.errors?.[0].pointer === pointer;
    });
  }
});

Deno.test("a certificate of a search fits its schema, is verified, and says what was done", async () => {
  const properties: PropertyRequest[] = [
    { type: "lipschitz", at_most: 20 },
    { type: "lipschitz", rows: [[1, -1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]] },
  ];
  for (const property of properties) {
    const root = await certify(model, await resolve({}, property), { kernels });
    assert.deepEqual(root.method.search, { nodes: 0, open: 0, stopped_by: "none" });
    for (const search of [{ max_nodes: 0 }, { max_nodes: 60 }, { gap: 0.05 }]) {
      const certificate = await certify(model, await resolve({ search }, property), { kernels });
      assert.notEqual(certificate.question, root.question);
      assert.deepEqual(Schema.parse(certificate), certificate);
      const { valid, checks } = await verify(certificate, model, { kernels });
      assert.ok(valid, JSON.stringify(checks));
      assert.notEqual(certificate.method.search.stopped_by, "none");
    }
  }
});

Deno.test("what a host ends is not reproducible, and fits its question all the same", async () => {
  let now = 0;
  const clock = { now: () => now, pause: () => (now++, Promise.resolve()) };
  const timed = await resolve({ search: { max_nodes: 400, time_ms: 2 } });
  await assert.rejects(certify(model, timed, { kernels }), { type: "unsupported-option" });
  await assert.rejects(certify(model, timed, { kernels, clock: null }), { type: "unsupported-option" });
  const query = await resolve({ search: { max_nodes: 400 } });
  const finish = new AbortController();
  const onSearch = () => finish.abort();
  const ended = {
    time: await certify(model, timed, { kernels, clock }),
    canceled: await certify(model, query, { kernels, finish: finish.signal, onSearch }),
    memory: await certify(model, query, { kernels, openBytes: 1 }),
  };
  const full = await certify(model, query, { kernels });
  for (const [by, certificate] of Object.entries(ended)) {
    assert.deepEqual([certificate.method.search.stopped_by, certificate.reproducible], [by, false]);
    assert.deepEqual(Schema.parse(certificate), certificate);
    assert.ok((await verify(certificate, model, { kernels })).valid);
    const [upper, least] = [certificate.finding, full.finding].map((finding) => (finding as { upper: number }).upper);
    assert.ok(upper > least, by);
    assert.match(inconsistency({ ...certificate, reproducible: true })!, /reproducible/);
  }
  assert.match(inconsistency({ ...ended.time, query })!, /time that was not asked for/);
  // A clock that is not run out of has no say: the answer is that of every host.
  const unhurried = { kernels, clock: { ...clock, now: () => 0 } };
  const [one, two] = [await certify(model, timed, unhurried), await certify(model, timed, unhurried)];
  assert.deepEqual([one.reproducible, one.id], [true, two.id]);
  assert.deepEqual(one.finding, full.finding);
});

Deno.test("inconsistency() names a search that is not the one that was asked for", async () => {
  const certificate = await certify(model, await resolve({ search: { max_nodes: 40, gap: 0.01 } }), { kernels });
  const root = await certify(model, await resolve({}), { kernels });
  assert.equal(inconsistency(certificate), null);
  const told = (search: typeof certificate.method.search, of = certificate) =>
    inconsistency({ ...of, method: { ...of.method, search } });
  assert.match(told({ nodes: 0, open: 0, stopped_by: "none" })!, /asked for/);
  assert.match(told({ nodes: 0, open: 0, stopped_by: "closed" }, root)!, /asked for/);
  assert.match(told({ nodes: 42, open: 0, stopped_by: "max_nodes" })!, /more nodes/);
  assert.match(told({ nodes: 40, open: 1, stopped_by: "closed" })!, /open/);
  const wide = { ...certificate, finding: { ...certificate.finding, gap: 0.5 } } as typeof certificate;
  assert.match(told({ nodes: 40, open: 1, stopped_by: "gap" }, wide)!, /gap/);
});

Deno.test("options.search.record: kept in the question where it is true, refused for a radius", async () => {
  assert.deepEqual((await resolve({ search: { record: false } })).options.search, { max_nodes: 10_000, gap: 0 });
  assert.equal((await resolve({ search: { record: true } })).options.search!.record, true);
  const of = { type: "lipschitz", at_most: 20 } as const, { center } = REGION;
  const options = { search: { record: true } };
  await assert.rejects(
    resolveQuery({ region: { center }, property: { type: "radius", of, max: 0.1 }, options }, model, kernels),
    (error) => error instanceof LipcertError && error.type === "unsupported-option",
  );
});

Deno.test("a record stands in the certificate where it was asked for, fits its schema, and carries its bounds", async () => {
  const properties: PropertyRequest[] = [
    { type: "lipschitz" },
    { type: "output_bounds", outputs: [0, 3] },
    { type: "jacobian_bounds", outputs: [1] },
    { type: "monotonicity", output: 0, features: [0, 1] },
    { type: "robustness" },
  ];
  for (const property of properties) {
    const plain = await certify(model, await resolve({ search: { max_nodes: 40 } }, property), { kernels });
    const query = await resolve({ search: { max_nodes: 40, record: true } }, property);
    const certificate = await certify(model, query, { kernels });
    assert.equal(plain.record, undefined);
    const { pieces, trees } = certificate.record!;
    const { nodes } = certificate.method.search;
    assert.equal(pieces.filter(({ parent }) => parent !== null).length, nodes, property.type);
    assert.ok(trees.length > 0 || nodes === 0, property.type);
    assert.deepEqual(Schema.parse(JSON.parse(JSON.stringify(certificate))), JSON.parse(JSON.stringify(certificate)));
    assert.equal((await verify(certificate, model, { kernels })).valid, true);
    const { record: _, ...without } = certificate;
    assert.match(inconsistency(without)!, /record/);
    assert.match(inconsistency({ ...plain, record: certificate.record })!, /record/);
    const last = pieces.findLastIndex(({ parent }) => parent !== null);
    if (last < 0) continue;
    const lacking = { ...certificate, record: { ...certificate.record!, pieces: pieces.slice(0, last) } };
    assert.match(inconsistency(lacking)!, /record/);
  }
});
