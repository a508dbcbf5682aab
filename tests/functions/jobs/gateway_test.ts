/** Messages that a node takes no job from, and those that it does. */
import assert from "node:assert/strict";
import { createApp } from "../../../functions/app.ts";
import { gateway } from "../../../functions/jobs/gateway.ts";
import { SUBMIT_PATH, writeSubmission } from "../../../functions/jobs/submission.ts";
import type { JobSubmission, Services } from "../../../functions/services.ts";
import { signedHeaders } from "../../../functions/webhooks/sign.ts";
import { TOLERANCE_S } from "../../../functions/webhooks/verify.ts";
import { type Query, questionOf } from "../../../shared/mod.ts";
import { fakeStore } from "./fake_records.ts";

const KEY = `whsec_${new Uint8Array(32).fill(1).toBase64()}`;
const WRONG_KEY = `whsec_${new Uint8Array(32).fill(2).toBase64()}`;
const NOW_S = 1_800_000_000;
const MODEL = "sha256:model";
const QUERY = { model_digest: MODEL } as unknown as Query;
const SUBMISSION: JobSubmission = {
  question: await questionOf(QUERY),
  query: QUERY,
  estimated: { flops: 1e9, bytes: 1e6 },
  callback: null,
  restart: false,
};

interface Node {
  readonly taken: JobSubmission[];
  send(
    body: Uint8Array<ArrayBuffer>,
    headers: Record<string, string>,
  ): Promise<{ status: number; body: { type: string } }>;
}

function node(): Node {
  const { records } = fakeStore(), taken: JobSubmission[] = [];
  const app = createApp({
    models: { describe: (digest: string) => Promise.resolve(digest === MODEL ? {} : null) },
    limits: { body_bytes: 10_000, gflop: 10, memory_bytes: 1e9 },
    log: { request() {}, note() {}, failure() {} },
    notifier: { refusal: (url: string) => url === "https://inside" ? "it is inside" : null },
    jobs: {
      submit(submission: JobSubmission) {
        taken.push(submission);
        return Promise.resolve({ id: submission.question });
      },
    },
    gateway: gateway({ keys: [KEY], records, now: () => NOW_S * 1000 }),
  } as unknown as Services);
  return {
    taken,
    async send(body, headers) {
      const response = await app.request(SUBMIT_PATH, { method: "POST", headers, body });
      return { status: response.status, body: await response.json() };
    },
  };
}

const write = (more: Partial<JobSubmission> = {}) => writeSubmission({ ...SUBMISSION, ...more }, NOW_S * 1000);

async function sign(body: Uint8Array, { key = KEY, at = NOW_S, id = crypto.randomUUID() as string } = {}) {
  return { ...await signedHeaders(id, at, body, [key]) };
}

Deno.test("a node takes a signed job once, and the same job under another name again", async () => {
  const { send, taken } = node(), body = write(), headers = await sign(body);
  assert.equal((await send(body, headers)).status, 200);
  const replay = await send(body, headers);
  assert.deepEqual([replay.status, replay.body.type], [401, "/problems/unauthorized"]);
  assert.equal((await send(body, await sign(body))).status, 200);
  assert.deepEqual(taken, [SUBMISSION, SUBMISSION]);
});

Deno.test("a node takes no job that is unsigned, signed by another key, too old, too new or changed", async () => {
  const { send, taken } = node(), body = write();
  const changed = write({ restart: true });
  for (
    const [bytes, headers] of [
      [body, {}],
      [body, await sign(body, { key: WRONG_KEY })],
      [body, await sign(body, { at: NOW_S - TOLERANCE_S - 1 })],
      [body, await sign(body, { at: NOW_S + TOLERANCE_S + 1 })],
      [changed, await sign(body)],
      [body, { ...await sign(body), "webhook-id": crypto.randomUUID() }],
      [body, { ...await sign(body), "webhook-timestamp": String(NOW_S + 1) }],
      [body, await sign(body, { id: "short" })],
    ] as const
  ) {
    const { status, body: problem } = await send(bytes, headers);
    assert.deepEqual([status, problem.type], [401, "/problems/unauthorized"]);
  }
  assert.deepEqual(taken, []);
});

Deno.test("a node takes no job of another engine, another store, too large, or whose end it may not tell of", async () => {
  const { send, taken } = node(), other = { model_digest: "sha256:other" } as unknown as Query;
  const encoder = new TextEncoder();
  for (
    const [body, status, type] of [
      [write({ question: "sha256:another" }), 503, "queue-unavailable"],
      [write({ query: other, question: await questionOf(other) }), 503, "queue-unavailable"],
      [write({ estimated: { flops: 1e12, bytes: 1 } }), 422, "over-budget"],
      [write({ estimated: { flops: 1, bytes: 1e10 } }), 422, "over-budget"],
      [write({ callback: "https://inside" }), 422, "invalid-query"],
      [encoder.encode(JSON.stringify({ type: "certificate.issued", data: SUBMISSION })), 422, "invalid-query"],
      [encoder.encode(JSON.stringify({ type: "job.submit" })), 422, "invalid-query"],
      [encoder.encode("null"), 422, "invalid-query"],
      [encoder.encode("{"), 400, "malformed-body"],
      [new Uint8Array(10_001), 413, "payload-too-large"],
    ] as const
  ) {
    const got = await send(body, await sign(body));
    assert.deepEqual([got.status, got.body.type], [status, `/problems/${type}`]);
  }
  assert.deepEqual(taken, []);
});
