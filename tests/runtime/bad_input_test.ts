/** Whatever is sent: the caller's problem, nothing kept, memory bounded, the service alive. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { buildModel, declare, floats, node, type TensorInit } from "../models/build.ts";
import { denoHost, type ServedDeno } from "./hosts.ts";
import { ask, MODEL, postJson, postModel, REGION } from "./requests.ts";

const SEED = 1;
const GROWTH_BYTES = 200e6;

/** A question that no model of 16 inputs can be asked: a model that can be read is refused with it. */
const WRONG = { region: { center: [0, 0, 0], radius: 1 }, property: { type: "lipschitz" } };

/** x [1, 2] -> MatMul w -> y, with a part replaced. */
function small(weights: Partial<TensorInit>, inputs: readonly (number | string)[] = [1, 2]): Uint8Array<ArrayBuffer> {
  return buildModel({
    node: [node("MatMul", ["x", "w"], ["y"])],
    initializer: [{ ...floats("w", [2, 2], [1, 2, 3, 4], "float32"), ...weights }],
    input: [declare("x", inputs, "float32")],
    output: [declare("y", [1, 2], "float32")],
  });
}

const BROKEN_MODELS: readonly (readonly [what: string, bytes: Uint8Array<ArrayBuffer>])[] = [
  ["empty", new Uint8Array(0)],
  ["text", new TextEncoder().encode("<!doctype html><p>no model")],
  ["zeros", new Uint8Array(100_000)],
  ["a field that claims 2 GB", new Uint8Array([0x3a, 0xff, 0xff, 0xff, 0xff, 0x07])],
  ["huge declared dims", small({ dims: [2n ** 31n, 2n ** 31n] })],
  ["negative dims", small({ dims: [-2n, -2n] })],
  ["dims that do not fit the data", small({ dims: [2n, 3n] })],
  ["a huge declared input", small({}, [1, 2 ** 40])],
  ["an input of another size", small({}, [1, 3])],
  ["external data", small({ dataLocation: 1, externalData: [{ key: "location", value: "../../etc/passwd" }] })],
  ["not a number in the weights", small({ rawData: new Uint8Array(new Float32Array([NaN, 1, 1, 1]).buffer) })],
  ["infinity in the weights", small({ rawData: new Uint8Array(new Float32Array([Infinity, 1, 1, 1]).buffer) })],
  ["a missing initialiser", small({ name: "other" })],
  [
    "a cycle",
    buildModel({
      node: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])],
      input: [declare("x", [1, 2], "float32")],
      output: [declare("b", [1, 2], "float32")],
    }),
  ],
  [
    "an operator that is not supported",
    buildModel({
      node: [node("Det", ["x"], ["y"])],
      input: [declare("x", [2, 2], "float32")],
      output: [declare("y", [], "float32")],
    }),
  ],
];

/** Runs a suite against a store on disk; then the store must be empty, memory near where it was, the service alive. */
async function leavesNothing(suite: (host: ServedDeno) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.sqlite3`;
  const host = await denoHost({ LIPCERT_KV: path });
  try {
    await host.fetch("/v1/certify", postJson({ model: { onnx: MODEL.toBase64() }, ...WRONG })); // warms what is lazy
    await suite(host); // and what the collector has not yet taken back is there before it is measured
    const before = Deno.memoryUsage().rss;
    await suite(host);
    const growth = Deno.memoryUsage().rss - before;
    assert.ok(growth < GROWTH_BYTES, `memory grew by ${(growth / 1e6).toFixed(0)} MB`);
    const kv = await Deno.openKv(path);
    const keys: string[] = [];
    for await (const { key } of kv.list({ prefix: [] })) keys.push(key.slice(0, 2).join("/"));
    kv.close();
    assert.deepEqual(keys, []);
    assert.equal((await host.fetch("/healthz").then((response) => response.json()) as { status: string }).status, "ok");
    await ask(host, { model: { onnx: MODEL.toBase64() }, region: REGION, property: { type: "lipschitz" } });
  } finally {
    await host.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The answer must be a problem of the caller's. */
async function refused(response: Response, what: string): Promise<void> {
  const text = await response.text();
  assert.ok(response.status >= 400 && response.status < 500, `${what}: ${response.status} ${text}`);
  assert.equal(response.headers.get("content-type"), "application/problem+json", what);
}

Deno.test("entry_deno refuses broken models by themselves and in questions, and keeps nothing", async () => {
  await leavesNothing(async (host) => {
    for (const [what, bytes] of BROKEN_MODELS) {
      await refused(await host.fetch("/v1/models", postModel(bytes)), what);
      const body = { model: { onnx: bytes.toBase64() }, region: REGION, property: { type: "lipschitz" } };
      await refused(await host.fetch("/v1/certify", postJson(body)), what);
    }
    for (let length = 0; length < MODEL.length; length += 100) {
      await refused(await host.fetch("/v1/models", postModel(MODEL.slice(0, length))), `the first ${length} bytes`);
    }
  });
});

Deno.test(`entry_deno refuses 1000 damaged models with a wrong question, and keeps nothing (seed ${SEED})`, async () => {
  await leavesNothing(async (host) => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.boolean(), async (flips, early) => {
        const bytes = MODEL.slice();
        for (const flip of flips) bytes[(flip >> 3) % (early ? 400 : bytes.length)] ^= 1 << (flip & 7);
        const response = await host.fetch("/v1/certify", postJson({ model: { onnx: bytes.toBase64() }, ...WRONG }));
        seen.add(JSON.parse(await response.clone().text()).type);
        await refused(response, flips.join());
      }),
      { seed: SEED, numRuns: 1000 },
    );
    assert.ok(seen.size >= 4, [...seen].join());
  });
});

Deno.test("entry_deno refuses bodies that are large, deep or of many members, and keeps nothing", async () => {
  await leavesNothing(async (host) => {
    const digest = `sha256:${"0".repeat(64)}`;
    const bodies = [
      "[".repeat(host.bodyLimit - 1),
      `{"a":`.repeat(200_000) + "1" + "}".repeat(200_000),
      `{${Array.from({ length: 100_000 }, (_, i) => `"m${i}":0`).join()}}`,
      `"${"x".repeat(host.bodyLimit - 2)}"`,
      JSON.stringify({ model: { digest }, region: { center: new Array(300_000).fill(1), radius: 1 }, property: {} }),
      JSON.stringify({ model: { onnx: "A".repeat(host.bodyLimit - 200) }, ...WRONG }),
      "x".repeat(host.bodyLimit + 1),
    ];
    for (const body of bodies) {
      for (const path of ["/v1/certify", "/v1/certificates/verify"]) {
        await refused(await host.fetch(path, postJson(body)), `${body.slice(0, 40)} to ${path}`);
      }
    }
  });
});
