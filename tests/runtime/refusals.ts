/** Requests that are refused, on every host: each is the caller's problem, told in problem+json. */
import assert from "node:assert/strict";
import type { Host } from "./hosts.ts";
import { expectProblem, keepModel, MODEL, postForm, postJson, postModel, REGION } from "./requests.ts";
import type { Scene } from "./scenes.ts";

const LIPSCHITZ = { type: "lipschitz" };
const UNKNOWN = `sha256:${"0".repeat(64)}`;

/** Bodies by what is wrong with them; `digest` stands for the sample model's. */
function wrongQuestions(
  digest: string,
  hasJobs: boolean,
): [body: unknown, type: string, status: number, pointer?: string][] {
  const good = { model: { digest }, region: REGION, property: LIPSCHITZ };
  const wide = new Array(16).fill(1);
  return [
    ["", "malformed-body", 400],
    ["{", "malformed-body", 400],
    [JSON.stringify(good).replace("0.05", "NaN"), "malformed-body", 400],
    [JSON.stringify(good).replace("0.05", "Infinity"), "malformed-body", 400],
    [JSON.stringify(good).replace("0.05", "1e400"), "invalid-query", 422, "/region/radius"],
    [JSON.stringify(good).replace("0.1", "-1e400"), "invalid-query", 422, "/region/center/0"],
    [null, "invalid-query", 422, ""],
    ["[[[[[[[[[[", "malformed-body", 400],
    ["[".repeat(100_000) + "]".repeat(100_000), "invalid-query", 422, ""],
    [{ ...good, extra: 1 }, "invalid-query", 422, "/extra"],
    [{ ...good, model: { digest: UNKNOWN } }, "not-found", 404],
    [{ ...good, model: { digest, output: "z" } }, "invalid-query", 422, "/model/output"],
    [{ ...good, model: { onnx: "not base64!" } }, "invalid-query", 422, "/model/onnx"],
    [{ ...good, model: { onnx: "" } }, "unreadable-model", 422],
    [{ ...good, model: { onnx: "AAAA" } }, "unreadable-model", 422],
    [{ ...good, region: { center: [0], radius: 1 } }, "invalid-query", 422, "/region/center"],
    [{ ...good, region: { center: wide, radius: [1] } }, "invalid-query", 422, "/region/radius"],
    [{ ...good, region: { lower: wide, upper: new Array(16).fill(0) } }, "empty-region", 422],
    [{ ...good, region: { center: wide, radius: 0.1, clip: [5, 4] } }, "", 422],
    [{ ...good, region: { center: wide, radius: 0.1, clip: [2, 3] } }, "empty-region", 422],
    [{ ...good, region: { center: wide, radius: null } }, "invalid-query", 422, "/region/radius"],
    [{ ...good, property: { ...LIPSCHITZ, outputs: [10] } }, "invalid-query", 422, "/property/outputs/0"],
    [{ ...good, property: { ...LIPSCHITZ, outputs: [] } }, "invalid-query", 422, "/property/outputs"],
    [{ ...good, property: { ...LIPSCHITZ, rows: [[1]] } }, "invalid-query", 422, "/property/rows/0"],
    [{ ...good, property: { type: "robustness", label: 10 } }, "invalid-query", 422, "/property/label"],
    [{ ...good, property: { type: "monotonicity", output: 10 } }, "invalid-query", 422, "/property/output"],
    [{ ...good, property: { type: "monotonicity", output: 0, features: [16] } }, "invalid-query", 422],
    [{ ...good, options: { search: { time_ms: 0.5 } } }, "invalid-query", 422, "/options/search/time_ms"],
    [
      { ...good, options: { search: { record: true, max_nodes: 20_000 } } },
      "invalid-query",
      422,
      "/options/search/max_nodes",
    ],
    [{ ...good, options: { preactivation: "alpha_crown" } }, "unsupported-option", 422, "/options/preactivation"],
    [{ ...good, options: { arithmetic: "f16" } }, "invalid-query", 422, "/options/arithmetic"],
    hasJobs
      ? [{ ...good, callback_url: "mailto:a@a.test" }, "invalid-query", 422, "/callback_url"]
      : [{ ...good, callback_url: "https://a.test" }, "unsupported-option", 422, "/callback_url"],
    [{ ...good, callback_url: `https://a.test/${"a".repeat(1024)}` }, "invalid-query", 422, "/callback_url"],
  ];
}

async function expectMultipart(host: Host, parts: Record<string, string | Blob>, type: string, status: number) {
  await expectProblem(await host.fetch("/v1/certify", await postForm(parts)), type, status);
}

export const REFUSALS: Scene[] = [
  {
    fact: "POST /v1/certify refuses every wrong question and points at the place",
    async play(host) {
      const digest = await keepModel(host);
      for (const [body, type, status, pointer] of wrongQuestions(digest, host.hasJobs)) {
        const response = await host.fetch("/v1/certify", postJson(body));
        const text = await response.clone().text();
        const shown = `${JSON.stringify(body).slice(0, 200)} -> ${text}`;
        assert.equal(response.status, status, shown);
        if (type === "") continue;
        const problem = await expectProblem(response, type, status);
        if (pointer !== undefined) assert.deepEqual(problem.errors?.map((error) => error.pointer), [pointer], shown);
      }
    },
  },
  {
    fact: "POST /v1/certify refuses multipart bodies that lack a part, have one too many or are none",
    async play(host) {
      const query = JSON.stringify({ region: REGION, property: LIPSCHITZ });
      const model = new Blob([MODEL]);
      await expectMultipart(host, { query }, "invalid-query", 422);
      await expectMultipart(host, { model }, "invalid-query", 422);
      await expectMultipart(host, { model, query, more: "1" }, "invalid-query", 422);
      await expectMultipart(host, { model, query: "{" }, "malformed-body", 400);
      await expectMultipart(host, { model: new Blob([]), query }, "unreadable-model", 422);
      const headers = { "content-type": "multipart/form-data; boundary=b" };
      const none = { method: "POST", headers, body: "nothing" };
      await expectProblem(await host.fetch("/v1/certify", none), "malformed-body", 400);
    },
  },
  {
    fact: "a media type that is not read is 415 and names those that are",
    async play(host) {
      const headers = { "content-type": "text/plain" };
      for (const path of ["/v1/models", "/v1/certify", "/v1/certificates/verify"]) {
        const response = await host.fetch(path, { method: "POST", headers, body: "x" });
        const problem = await expectProblem(response, "unsupported-media-type", 415);
        assert.ok((problem as unknown as { supported: string[] }).supported.length > 0);
      }
    },
  },
  {
    fact: "a body over the limit is 413, with its length declared or in chunks",
    async play(host) {
      const large = new Uint8Array(host.bodyLimit + 1);
      await expectProblem(await host.fetch("/v1/models", postModel(large)), "model-too-large", 413);
      const chunked = new ReadableStream({
        start(controller) {
          for (let sent = 0; sent <= host.bodyLimit; sent += 65_536) controller.enqueue(new Uint8Array(65_536));
          controller.close();
        },
      });
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: chunked, duplex: "half" } as const;
      await expectProblem(await host.fetch("/v1/certify", init), "payload-too-large", 413);
    },
  },
  {
    fact: "a path that is not there is 404, a method that it lacks is 405 with Allow",
    async play(host) {
      await expectProblem(await host.fetch("/v2/certify"), "not-found", 404);
      await expectProblem(await host.fetch(`/v1/models/${UNKNOWN}`), "not-found", 404);
      await expectProblem(await host.fetch("/v1/models/x"), "not-found", 404);
      await expectProblem(await host.fetch(`/v1/certificates/${UNKNOWN}`), "not-found", 404);
      await expectProblem(await host.fetch("/v1/certificates/%00"), "not-found", 404);
      const wrong = await host.fetch("/v1/certify");
      assert.match(wrong.headers.get("allow") ?? "", /POST/);
      await expectProblem(wrong, "method-not-allowed", 405);
      const deleted = await host.fetch(`/v1/certificates/${UNKNOWN}`, { method: "DELETE" });
      assert.match(deleted.headers.get("allow") ?? "", /GET/);
      await expectProblem(deleted, "method-not-allowed", 405);
    },
  },
  {
    fact: "Prefer is ignored where there are no jobs, and unknown headers do no harm",
    async play(host) {
      const digest = await keepModel(host);
      const init = postJson({ model: { digest }, region: REGION, property: LIPSCHITZ });
      const prefer = host.hasJobs ? "handling=lenient" : "respond-async";
      const headers = { ...init.headers as Record<string, string>, prefer, "x-any": "1" };
      const response = await host.fetch("/v1/certify", { ...init, headers });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("preference-applied"), null);
      await response.body?.cancel();
    },
  },
  {
    fact: "a job that is not there is 404, an idempotency key that is too long 422",
    async play(host) {
      await expectProblem(await host.fetch(`/v1/jobs/${UNKNOWN}`), "not-found", 404);
      await expectProblem(await host.fetch(`/v1/jobs/${UNKNOWN}/events`), "not-found", 404);
      await expectProblem(await host.fetch(`/v1/jobs/${UNKNOWN}/cancel`, { method: "POST" }), "not-found", 404);
      const init = postJson({ model: { digest: UNKNOWN }, region: REGION, property: LIPSCHITZ });
      const headers = { ...init.headers as Record<string, string>, "idempotency-key": "k".repeat(256) };
      await expectProblem(await host.fetch("/v1/certify", { ...init, headers }), "invalid-query", 422);
    },
  },
];
