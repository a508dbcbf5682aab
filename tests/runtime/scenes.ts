/** What a caller meets, the same on every host. */
import assert from "node:assert/strict";
import { PROBLEMS } from "../../shared/errors.ts";
import type { Host } from "./hosts.ts";
import {
  ask,
  CONVOLUTIONAL,
  type Description,
  expectProblem,
  IMAGE,
  keepModel,
  MODEL,
  postForm,
  postJson,
  postModel,
  REGION,
  verify,
} from "./requests.ts";

interface Bounds {
  readonly upper: number;
  readonly lower: number;
}

export interface Scene {
  readonly fact: string;
  readonly play: (host: Host) => Promise<void>;
}

export const SCENES: Scene[] = [
  {
    fact: "POST /v1/models keeps a model once and describes it",
    async play(host) {
      const first = await host.fetch("/v1/models", postModel(MODEL));
      const description = await first.json() as Description & Record<string, unknown>;
      assert.equal(first.status, 201);
      assert.match(description.digest, /^sha256:[0-9a-f]{64}$/);
      assert.deepEqual(
        [description.inputs, description.outputs],
        [[{ name: "x", shape: [16] }], [{ name: "y", shape: [10] }]],
      );
      assert.equal(first.headers.get("location"), `/v1/models/${description.digest}`);
      const second = await host.fetch("/v1/models", postModel(MODEL));
      assert.equal(second.status, 200);
      assert.deepEqual(await second.json(), description);
      const got = await host.fetch(`/v1/models/${description.digest}`);
      assert.deepEqual(await got.json(), description);
      const etag = got.headers.get("etag") ?? "";
      const again = await host.fetch(`/v1/models/${description.digest}`, { headers: { "if-none-match": etag } });
      assert.equal(again.status, 304);
    },
  },
  {
    fact: "POST /v1/certify gives the same bytes by digest, in base64, as multipart and by certificate id",
    async play(host) {
      const digest = await keepModel(host);
      const question = { region: REGION, property: { type: "lipschitz" } };
      const { text, certificate, response } = await ask(host, { model: { digest }, ...question });
      assert.equal(response.headers.get("etag"), `"${certificate.id}"`);
      const location = response.headers.get("content-location") ?? "";
      assert.equal(location, `/v1/certificates/${certificate.id}`);
      assert.equal((await ask(host, { model: { digest }, ...question })).text, text);
      assert.equal((await ask(host, { model: { onnx: MODEL.toBase64() }, ...question })).text, text);
      const form = await postForm({ model: new Blob([MODEL]), query: JSON.stringify(question) });
      const multipart = await host.fetch("/v1/certify", form);
      assert.equal(await multipart.text(), text);
      const kept = await host.fetch(location);
      assert.equal(await kept.text(), text);
      assert.match(kept.headers.get("cache-control") ?? "", /public.*immutable/);
      const etag = kept.headers.get("etag") ?? "";
      const unchanged = await host.fetch(location, { headers: { "if-none-match": etag } });
      assert.equal(unchanged.status, 304);
      assert.equal(await unchanged.text(), "");
    },
  },
  {
    fact: "POST /v1/certify answers a model that was not seen before",
    async play(host) {
      // A producer name that no other scene has makes a file with another digest and the same network.
      const bytes = new Uint8Array([...MODEL, 0x12, 4, ...new TextEncoder().encode(host.name.slice(0, 4).padEnd(4))]);
      const question = { region: REGION, property: { type: "output_bounds" } };
      const { certificate } = await ask(host, { model: { onnx: bytes.toBase64() }, ...question });
      const by = await ask(host, { model: { onnx: MODEL.toBase64() }, ...question });
      assert.notEqual(certificate.id, by.certificate.id);
      assert.deepEqual(certificate.finding, by.certificate.finding);
    },
  },
  {
    fact: "POST /v1/certify resolves defaults: what is said and what is meant are one question",
    async play(host) {
      const digest = await keepModel(host);
      const short = await ask(host, { model: { digest }, region: REGION, property: { type: "lipschitz" } });
      const long = await ask(host, {
        model: { digest, output: "y" },
        region: { center: REGION.center, radius: new Array(16).fill(REGION.radius) },
        property: { type: "lipschitz", outputs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
        options: { relaxation: "linear", preactivation: "crown", arithmetic: "auto" },
      });
      assert.equal(long.text, short.text);
      const other = await ask(host, {
        model: { digest },
        region: REGION,
        property: { type: "lipschitz" },
        options: { relaxation: "interval" },
      });
      assert.notEqual(other.certificate.id, short.certificate.id);
    },
  },
  {
    fact: "POST /v1/certify searches where it is asked to, and the certificate says how far",
    async play(host) {
      const digest = await keepModel(host);
      const about = { model: { digest }, region: { ...REGION, radius: 0.1 }, property: { type: "lipschitz" } };
      const root = await ask(host, about);
      const { certificate } = await ask(host, { ...about, options: { search: { max_nodes: 100 } } });
      assert.deepEqual(root.certificate.method.search, { nodes: 0, open: 0, stopped_by: "none" });
      assert.deepEqual(certificate.query.options.search, { max_nodes: 100, gap: 0 });
      assert.ok(Number(certificate.finding.upper) < Number(root.certificate.finding.upper));
      assert.ok(Number(certificate.finding.lower) >= Number(root.certificate.finding.lower));
      const report = await verify(host, { certificate, model: { digest } });
      assert.equal(report.valid, true, JSON.stringify(report));
    },
  },
  {
    fact: "POST /v1/certify records a search where it is asked to, until the record is full",
    async play(host) {
      const digest = await keepModel(host), search = { record: true, max_nodes: 10_000 };
      const about = { model: { digest }, region: { ...REGION, radius: 0.5 }, property: { type: "lipschitz" } };
      const { certificate, text } = await ask(host, { ...about, options: { search } });
      const { nodes, stopped_by } = (certificate.method as { search: { nodes: number; stopped_by: string } }).search;
      const { pieces } = (certificate as unknown as { record: { pieces: { parent: number | null }[] } }).record;
      assert.deepEqual([stopped_by, certificate.reproducible], ["record", true]);
      assert.equal(pieces.filter(({ parent }) => parent !== null).length, nodes);
      assert.ok(text.length > 1e6 && text.length < 7e6, `${text.length} bytes`);
      const short = await ask(host, { ...about, options: { search: { ...search, max_nodes: 100 } } });
      const report = await verify(host, { certificate: short.certificate, model: { digest } });
      assert.equal(report.valid, true, JSON.stringify(report));
      const plain = await ask(host, { ...about, options: { search: { max_nodes: nodes } } });
      // Other steps, over few inputs; both hold.
      const [one, other] = [plain, { certificate }].map((answer) => answer.certificate.finding as unknown as Bounds);
      assert.ok(one.upper >= other.lower && other.upper >= one.lower);
      assert.notEqual(plain.certificate.question, certificate.question);
    },
  },
  {
    fact: "POST /v1/certify stops a search in time; such a certificate is found by its id, never by its question",
    async play(host) {
      const digest = await keepModel(host);
      const about = { model: { digest }, region: { ...REGION, radius: 0.5 }, property: { type: "lipschitz" } };
      const timed = { ...about, options: { search: { max_nodes: 5000, time_ms: 40 } } };
      const first = await ask(host, timed);
      const { search } = first.certificate.method as { search: { nodes: number; stopped_by: string } };
      assert.equal(search.stopped_by, "time");
      assert.ok(search.nodes < 5000);
      assert.equal(first.certificate.reproducible, false);
      const kept = await host.fetch(`/v1/certificates/${first.certificate.id}`);
      assert.equal(await kept.text(), first.text);
      const again = await ask(host, timed);
      assert.match(again.response.headers.get("server-timing") ?? "", /desc="new"/);
      const report = await verify(host, { certificate: first.certificate, model: { digest } });
      assert.equal(report.valid, true, JSON.stringify(report));
      // A limit that is not reached has no say.
      const short = { ...about, options: { search: { max_nodes: 20, time_ms: 600_000 } } };
      const done = await ask(host, short);
      assert.equal(done.certificate.reproducible, true);
      assert.match((await ask(host, short)).response.headers.get("server-timing") ?? "", /desc="known"/);
    },
  },
  {
    fact: "POST /v1/certify answers in f32 where it is asked to, and keeps what it was asked",
    async play(host) {
      const digest = await keepModel(host);
      const about = { model: { digest }, region: REGION, property: { type: "lipschitz" } };
      const [single, wide, auto] = await Promise.all(
        ["f32", "f64", "auto"].map((arithmetic) => ask(host, { ...about, options: { arithmetic } })),
      );
      assert.equal(single.certificate.arithmetic.kind, "f32-outward");
      assert.equal(wide.certificate.arithmetic.kind, "f64-outward");
      assert.deepEqual(auto.certificate.finding, wide.certificate.finding);
      assert.deepEqual([single, wide, auto].map(({ certificate }) => certificate.query.options.arithmetic), [
        "f32",
        "f64",
        "auto",
      ]);
      const upper = Number(single.certificate.finding.upper), least = Number(wide.certificate.finding.lower);
      assert.ok(upper > least && upper < Number(wide.certificate.finding.upper) * 1.001);
      const report = await verify(host, { certificate: single.certificate, model: { digest } });
      assert.equal(report.valid, true, JSON.stringify(report));
    },
  },
  {
    fact: "POST /v1/certify answers every property, by outputs and by rows",
    async play(host) {
      const digest = await keepModel(host);
      const row = [1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
      const properties = [
        { type: "lipschitz", at_most: 1000 },
        { type: "lipschitz", rows: [row] },
        { type: "jacobian_bounds", outputs: [2] },
        { type: "output_bounds", rows: [row] },
        { type: "robustness" },
        { type: "monotonicity", output: 1, features: [0, 3] },
      ];
      for (const property of properties) {
        const { certificate } = await ask(host, { model: { digest }, region: REGION, property });
        assert.equal(certificate.finding.type, property.type);
        assert.equal(certificate.query.property.type, property.type);
        assert.ok(["certified", "refuted", "unknown"].includes(certificate.verdict));
      }
      const { radius: _, ...region } = REGION;
      const property = { type: "radius", of: { type: "robustness" }, max: 0.5, gap: 0.01 };
      const { certificate } = await ask(host, { model: { digest }, region, property });
      const { certified, refuted } = certificate.finding;
      assert.ok(Number(certified) > 0 && Number(refuted) > Number(certified), JSON.stringify(certificate.finding));
      const report = await verify(host, { certificate, model: { digest } });
      assert.equal(report.valid, true, JSON.stringify(report));
    },
  },
  {
    fact: "a convolutional model is described, kept and asked within the host's budget",
    async play(host) {
      const kept = await host.fetch("/v1/models", postModel(CONVOLUTIONAL));
      const description = await kept.json() as Description & Record<string, unknown>;
      assert.equal(kept.status, 201);
      assert.deepEqual(description.inputs, [{ name: "x", shape: [1, 28, 28] }]);
      assert.deepEqual(description.outputs, [{ name: "y", shape: [10] }]);
      assert.deepEqual(description.operators, ["Conv", "Flatten", "Gemm", "Relu"]);
      const model = { digest: description.digest };
      const region = { center: IMAGE, radius: 0.004, clip: [0, 1] };
      for (const property of [{ type: "lipschitz" }, { type: "robustness" }]) {
        const { certificate } = await ask(host, { model, region, property });
        assert.equal(certificate.verdict, "certified", JSON.stringify(property));
        const report = await verify(host, { certificate, model });
        assert.equal(report.valid, true, JSON.stringify(report));
      }
    },
  },
  {
    fact: "POST /v1/certificates/verify accepts what was issued and refuses what was changed",
    async play(host) {
      const digest = await keepModel(host);
      for (const property of [{ type: "lipschitz" }, { type: "robustness" }, { type: "monotonicity", output: 0 }]) {
        const { certificate } = await ask(host, { model: { digest }, region: REGION, property });
        for (const model of [undefined, { digest }, { onnx: MODEL.toBase64() }]) {
          const body = model === undefined ? { certificate } : { certificate, model };
          const report = await verify(host, body);
          assert.equal(report.valid, true, JSON.stringify(report));
        }
        const changed = { ...certificate, verdict: certificate.verdict === "unknown" ? "certified" : "unknown" };
        const report = await verify(host, { certificate: changed });
        assert.equal(report.valid, false);
        assert.equal(report.checks.find(({ name }) => name === "id")?.ok, false);
      }
    },
  },
  {
    fact: "POST /v1/certificates/verify answers a certificate of a question that the model cannot be asked",
    async play(host) {
      const digest = await keepModel(host);
      const { certificate } = await ask(host, { model: { digest }, region: REGION, property: { type: "lipschitz" } });
      const { query } = certificate as unknown as { query: Record<string, unknown> };
      const queries = [
        { ...query, region: { lower: [0], upper: [1] } },
        { ...query, output: "nowhere" },
        { ...query, property: { type: "lipschitz", outputs: [99] } },
      ];
      for (const changed of queries) {
        const report = await verify(host, { certificate: { ...certificate, query: changed }, model: { digest } });
        assert.equal(report.valid, false);
        assert.ok(report.checks.some(({ name, ok }) => name === "query" && !ok), JSON.stringify(report));
      }
      const strange = { certificate: { ...certificate, finding: { type: "lipschitz" } } };
      await expectProblem(await host.fetch("/v1/certificates/verify", postJson(strange)), "invalid-query", 422);
    },
  },
  {
    fact: "GET /v1/capabilities and /healthz say what is there",
    async play(host) {
      const capabilities = await (await host.fetch("/v1/capabilities")).json() as {
        onnx: { operators: unknown };
        limits: Record<string, number>;
      };
      assert.match(JSON.stringify(capabilities.onnx.operators), /Gemm/);
      assert.equal(capabilities.limits.body_bytes, host.bodyLimit);
      assert.deepEqual(await (await host.fetch("/healthz")).json(), { status: "ok" });
    },
  },
  {
    fact: "the pages and /docs ask no other host for anything",
    async play(host) {
      for (const path of ["/", "/problems", "/docs", "/docs/start.js"]) {
        const response = await host.fetch(path);
        const text = await response.text();
        assert.equal(response.status, 200, path);
        assert.doesNotMatch(text, /(?:src|href)="(?!\/)|https?:\/\//, path);
        assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
      }
      for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
        const response = await host.fetch(`/docs/${name}`);
        assert.equal(response.status, 200);
        assert.ok((await response.text()).length > 100_000);
      }
    },
  },
  {
    fact: "every problem has a page",
    async play(host) {
      for (const [type, { title }] of Object.entries(PROBLEMS)) {
        const response = await host.fetch(`/problems/${type}`);
        assert.equal(response.status, 200, type);
        assert.ok((await response.text()).includes(title));
      }
      await expectProblem(await host.fetch("/problems/none-such"), "not-found", 404);
    },
  },
  {
    fact: "a request has an id, headers for browsers, and any origin may ask",
    async play(host) {
      const response = await host.fetch("/healthz", {
        headers: { "x-request-id": "mine-1", "origin": "http://a.test" },
      });
      await response.body?.cancel();
      assert.equal(response.headers.get("x-request-id"), "mine-1");
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      const preflight = await host.fetch("/v1/certify", {
        method: "OPTIONS",
        headers: {
          "origin": "http://a.test",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      });
      await preflight.body?.cancel();
      assert.equal(preflight.status, 204);
      assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /POST/);
    },
  },
  {
    fact: "HEAD answers as GET without a body",
    async play(host) {
      const response = await host.fetch("/healthz", { method: "HEAD" });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), "");
    },
  },
];
