/** The OpenAPI document: whole, and kept by every answer. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { contractOf, documentOf } from "./contract.ts";
import { denoHost } from "./hosts.ts";
import { endOf, events, longQuestion, openQuestion, submitted } from "./job_requests.ts";
import { ask, keepModel, MODEL, postJson, REGION } from "./requests.ts";

const SEED = 4;

function* references(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "$ref" && typeof inner === "string") yield inner;
    else yield* references(inner);
  }
}

Deno.test("/openapi.json is a whole OpenAPI 3.1 document", async () => {
  const host = await denoHost();
  try {
    const document = await documentOf(host);
    assert.match(document.openapi, /^3\.1\./);
    assert.ok(document.info.title !== "" && document.info.version !== "");
    for (const reference of references(document)) {
      const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
      assert.ok(name !== undefined && name in document.components.schemas, reference);
    }
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation }))
    );
    assert.ok(operations.length >= 7);
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      assert.deepEqual(declared.map(({ name }) => name), named, path);
      assert.ok(declared.every(({ required }) => required === true), path);
      assert.ok(Object.values(operation.responses).every(({ description }) => description !== ""), path);
    }
  } finally {
    await host.close();
  }
});

const number = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, 1e-300),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const vector = fc.oneof({ weight: 6, arbitrary: fc.array(number, { minLength: 16, maxLength: 16 }) }, fc.array(number));
const output = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }) }, fc.integer());
const selection = {
  outputs: fc.array(output, { maxLength: 4 }),
  rows: fc.array(fc.array(number, { minLength: 10, maxLength: 10 }), { maxLength: 3 }),
};

/** Questions that are nearly right, with a strange value somewhere now and then. */
function questions(digest: string): fc.Arbitrary<unknown> {
  const nearly = (record: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: record }, fc.jsonValue());
  const region = fc.oneof(
    fc.record({ center: vector, radius: fc.oneof(number, vector), clip: fc.tuple(number, number) }, {
      requiredKeys: ["center", "radius"],
    }),
    fc.record({ lower: vector, upper: vector }),
  );
  const property = fc.oneof(
    fc.record({ type: fc.constantFrom("lipschitz", "jacobian_bounds", "output_bounds"), ...selection }, {
      requiredKeys: ["type"],
    }),
    fc.record({ type: fc.constant("robustness"), label: output }, { requiredKeys: ["type"] }),
    fc.record({
      type: fc.constant("monotonicity"),
      output,
      features: fc.array(fc.integer({ min: -1, max: 16 }), { maxLength: 3 }),
      direction: fc.constantFrom("increasing", "decreasing", "up"),
    }, { requiredKeys: ["type", "output"] }),
  );
  const options = fc.record({
    relaxation: fc.constantFrom("interval", "recurjac", "linear", "other"),
    preactivation: fc.constantFrom("interval", "crown", "alpha_crown"),
    arithmetic: fc.constantFrom("auto", "f64", "f32"),
  }, { requiredKeys: [] });
  const model = fc.oneof(
    { weight: 9, arbitrary: fc.constant({ digest }) },
    { weight: 1, arbitrary: fc.constant({ onnx: MODEL.toBase64() }) },
    fc.record({ onnx: fc.base64String() }),
  );
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({
        model: nearly(model),
        region: nearly(region),
        property: nearly(property),
        options: nearly(options),
      }, { requiredKeys: ["model", "region", "property"] }),
    },
    fc.jsonValue(),
  );
}

Deno.test(`POST /v1/certify answers any JSON as the document says (seed ${SEED})`, async () => {
  const host = await denoHost();
  try {
    const digest = await keepModel(host);
    const document = await documentOf(host);
    const check = contractOf(document, document.paths["/v1/certify"].post);
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(questions(digest), async (body) => {
        const response = await host.fetch("/v1/certify", postJson(body));
        const text = await response.text();
        seen.add(response.status);
        assert.ok(response.status < 500, text);
        check(response, text);
      }),
      { seed: SEED, numRuns: 800 },
    );
    assert.ok(seen.has(200) && seen.has(422), [...seen].join());
  } finally {
    await host.close();
  }
});

Deno.test("every kind of certificate, whatever its verdict, fits the document", async () => {
  const host = await denoHost();
  try {
    const digest = await keepModel(host);
    const document = await documentOf(host);
    const check = contractOf(document, document.paths["/v1/certify"].post);
    const properties = [
      { type: "lipschitz" },
      { type: "lipschitz", rows: [[1, -1, 0, 0, 0, 0, 0, 0, 0, 0]], at_most: 0 },
      { type: "jacobian_bounds" },
      { type: "output_bounds" },
      { type: "robustness" },
      { type: "monotonicity", output: 0 },
    ];
    const verdicts = new Set<string>();
    for (const property of properties) {
      for (const radius of [1e-6, 0.05, 0.3, 1.7e308]) {
        const region = { center: Array.from({ length: 16 }, (_, i) => i / 16), radius };
        const response = await host.fetch("/v1/certify", postJson({ model: { digest }, region, property }));
        const text = await response.text();
        assert.equal(response.status, 200, text);
        check(response, text);
        verdicts.add(`${property.type} ${JSON.parse(text).verdict}`);
      }
    }
    for (const wanted of ["robustness certified", "robustness refuted", "lipschitz refuted", "output_bounds unknown"]) {
      assert.ok(verdicts.has(wanted), `${wanted}: ${[...verdicts].join(", ")}`);
    }
  } finally {
    await host.close();
  }
});

Deno.test(`POST /v1/certificates/verify answers damaged certificates as the document says (seed ${SEED})`, async () => {
  const host = await denoHost();
  try {
    const digest = await keepModel(host);
    const document = await documentOf(host);
    const check = contractOf(document, document.paths["/v1/certificates/verify"].post);
    const properties = [{ type: "lipschitz" }, { type: "robustness" }, { type: "monotonicity", output: 0 }];
    for (const property of properties) {
      const { certificate } = await ask(host, { model: { digest }, region: REGION, property });
      const places = [...placesOf(certificate)];
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue(), async (place, value) => {
          const damaged = replaced(certificate, place, value);
          const response = await host.fetch("/v1/certificates/verify", postJson({ certificate: damaged }));
          const text = await response.text();
          assert.ok(response.status < 500, text);
          check(response, text);
          const same = JSON.stringify(damaged) === JSON.stringify(certificate);
          if (response.status === 200 && !same) assert.equal(JSON.parse(text).valid, false, `${place}: ${text}`);
        }),
        { seed: SEED, numRuns: 100 },
      );
    }
  } finally {
    await host.close();
  }
});

Deno.test("a job fits the document while it waits, while it runs and when it has ended", async () => {
  const host = await denoHost();
  try {
    const document = await documentOf(host), check = contractOf(document, document.paths["/v1/jobs/{id}"].get);
    const checkCancel = contractOf(document, document.paths["/v1/jobs/{id}/cancel"].post);
    const statuses = new Set<string>();
    const isDocumented = async (id: string) => {
      const response = await host.fetch(`/v1/jobs/${id}`), text = await response.text();
      check(response, text);
      statuses.add(JSON.parse(text).status);
    };
    const question = await longQuestion(host, 40) as Record<string, unknown>;
    const checkAsked = contractOf(document, document.paths["/v1/certify"].post);
    const asked = await host.fetch("/v1/certify", {
      ...postJson(question),
      headers: { "content-type": "application/json", "prefer": "respond-async" },
    });
    const text = await asked.text();
    assert.equal(asked.status, 202);
    checkAsked(asked, text);
    const short = JSON.parse(text);
    await isDocumented((await endOf(host, short.id)).id);
    const running = await submitted(host, await openQuestion(host));
    for await (const { data } of events(host, running.id)) if (data.status === "running") break;
    await isDocumented(running.id);
    const waiting = await submitted(host, await openQuestion(host, 999_999));
    await isDocumented(waiting.id);
    for (const { id } of [waiting, running, running]) {
      const response = await host.fetch(`/v1/jobs/${id}/cancel`, { method: "POST" });
      checkCancel(response, await response.text());
      await endOf(host, id);
      await isDocumented(id);
    }
    assert.deepEqual(statuses, new Set(["queued", "running", "canceled", "succeeded"]));
  } finally {
    await host.close();
  }
});

/** Every path into a JSON value, by member names. */
function* placesOf(value: unknown, path: string[] = []): Generator<string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* placesOf(inner, [...path, key]);
}

function replaced(value: unknown, [name, ...rest]: string[], by: unknown): unknown {
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value as object };
  const at = copy as Record<string, unknown>;
  at[name] = rest.length === 0 ? by : replaced(at[name], rest, by);
  return copy;
}
