import assert from "node:assert/strict";
import { type Certificate, idOf } from "../../shared/certificate/certificate.ts";
import type { LipschitzFinding } from "../../shared/certificate/finding.ts";
import { certify, type Model, type QuestionRequest, readModel, resolveQuery, verify } from "../../shared/mod.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import module from "../../wasm/dist/kernels.js";

const kernels = wasmKernels(module);
const REGION = { center: Array.from({ length: 16 }, (_, i) => 0.2 + 0.04 * i), radius: 0.05, clip: [0, 1] } as const;

const QUESTIONS: readonly QuestionRequest["property"][] = [
  { type: "lipschitz" },
  { type: "lipschitz", rows: [[1, -1, 0, 0, 0, 0, 0, 0, 0, 0]], at_most: 100 },
  { type: "jacobian_bounds", outputs: [2] },
  { type: "output_bounds" },
  { type: "robustness" },
  { type: "monotonicity", output: 1 },
  { type: "monotonicity", output: 1, features: [3, 4], direction: "increasing" },
];

async function sample(): Promise<Model> {
  return await readModel(await Deno.readFile(new URL("../models/reference/synthetic_mlp16.onnx", import.meta.url)));
}

async function issueAll(model: Model): Promise<Certificate[]> {
  const issued: Certificate[] = [];
  for (const property of QUESTIONS) {
    const query = await resolveQuery({ region: REGION, property }, model, kernels);
    issued.push(await certify(model, query, { kernels }));
  }
  return issued;
}

/** The certificate with values set at JSON pointers and the id made to fit. */
async function forged(certificate: Certificate, edits: Readonly<Record<string, unknown>>): Promise<Certificate> {
  const copy = structuredClone(certificate);
  for (const [pointer, value] of Object.entries(edits)) {
    const keys = pointer.slice(1).split("/");
    const last = keys.pop()!;
    let at: unknown = copy;
    for (const key of keys) at = Reflect.get(at as object, key);
    assert.ok(Reflect.has(at as object, last), pointer);
    Reflect.set(at as object, last, value);
  }
  return { ...copy, id: await idOf(copy) };
}

Deno.test("verify() accepts every certificate the engine issues, with the model and without", async () => {
  const model = await sample();
  for (const certificate of await issueAll(model)) {
    for (const given of [model, null]) {
      const { valid, checks } = await verify(certificate, given, { kernels });
      assert.ok(valid, JSON.stringify(checks.filter(({ ok }) => !ok)));
      assert.ok(checks.some(({ name, detail }) => name === "bounds" && detail.includes("not re-derived")));
    }
  }
});

interface Forgery {
  readonly what: string;
  readonly question: number;
  readonly edits: (certificate: Certificate) => Readonly<Record<string, unknown>>;
  /** The check that must catch it. */
  readonly check: string;
}

function lipschitzOf({ finding }: Certificate): LipschitzFinding & { upper: number } {
  assert.ok(finding.type === "lipschitz" && finding.upper !== null);
  return { ...finding, upper: finding.upper };
}

/** A larger lower bound everywhere it stands. */
function raised(certificate: Certificate): Record<string, unknown> {
  const { outputs, lower, upper } = lipschitzOf(certificate);
  const at = outputs.findIndex((one) => one.lower === lower);
  const larger = lower * 1.001;
  return {
    [`/finding/outputs/${at}/lower`]: larger,
    "/finding/lower": larger,
    "/finding/gap": (upper - larger) / upper,
  };
}

const FORGERIES: readonly Forgery[] = [
  {
    what: "a larger lower bound",
    question: 0,
    edits: (c) => ({ "/finding/lower": lipschitzOf(c).upper, "/finding/gap": 0 }),
    check: "finding",
  },
  { what: "a larger lower bound in all its places", question: 0, edits: raised, check: "witness" },
  {
    what: "a witness outside the region",
    question: 0,
    edits: () => ({ "/finding/witness/point/3": 5 }),
    check: "witness",
  },
  { what: "another verdict", question: 1, edits: () => ({ "/verdict": "refuted" }), check: "finding" },
  { what: "a stronger claim", question: 1, edits: () => ({ "/query/property/at_most": 0 }), check: "question" },
  {
    what: "another finding's type",
    question: 2,
    edits: () => ({ "/finding/type": "output_bounds" }),
    check: "finding",
  },
  { what: "crossed bounds", question: 3, edits: () => ({ "/finding/lower/0": 1e9 }), check: "finding" },
  { what: "another label", question: 4, edits: () => ({ "/finding/label": 11 }), check: "finding" },
  {
    what: "a proved direction",
    question: 5,
    edits: () => ({ "/finding/features/0/direction": "constant" }),
    check: "finding",
  },
  {
    what: "a verdict beyond the directions",
    question: 6,
    edits: () => ({ "/verdict": "certified" }),
    check: "finding",
  },
];

Deno.test("verify() names the check that a forged certificate fails", async () => {
  const model = await sample();
  const issued = await issueAll(model);
  for (const { what, question, edits, check } of FORGERIES) {
    const report = await verify(await forged(issued[question], edits(issued[question])), model, { kernels });
    assert.ok(!report.valid, what);
    const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    assert.ok(failed.includes(check), `${what}: failed ${failed}`);
  }
  const [certificate] = issued;
  const { checks } = await verify({ ...certificate, id: certificate.question }, null, { kernels });
  assert.deepEqual(checks.filter(({ ok }) => !ok).map(({ name }) => name), ["id"]);
});

Deno.test("certify() gives the same id the first and the hundredth time, whatever was asked between", async () => {
  const model = await sample();
  const [first, ...others] = await issueAll(model);
  for (let i = 0; i < 100; i++) {
    const asked = i % 2 === 0 ? first : others[i % others.length];
    assert.equal((await certify(model, asked.query, { kernels })).id, asked.id);
  }
});
