/** What a host makes of what its node answers. */
import assert from "node:assert/strict";
import { forwardedJobs } from "../../../functions/jobs/forwarding.ts";
import { Wakes } from "../../../functions/jobs/wakes.ts";
import type { JobSubmission } from "../../../functions/services.ts";
import { verifySigned } from "../../../functions/webhooks/verify.ts";
import { LipcertError, type Query } from "../../../shared/mod.ts";
import { fakeStore } from "./fake_records.ts";

const KEYS = [1, 2].map((byte) => `whsec_${new Uint8Array(32).fill(byte).toBase64()}`);
const SUBMISSION: JobSubmission = {
  question: "sha256:q",
  query: { model_digest: "m" } as unknown as Query,
  estimated: { flops: 1, bytes: 1 },
  callback: "https://a.example/",
  restart: true,
};

/** Submits to a node that answers so; tells what it was sent. */
async function submitTo(answer: (count: number) => Response | Promise<Response>) {
  const ids: string[] = [], failures: unknown[] = [];
  let body: unknown = null;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const bytes = new Uint8Array(await request.arrayBuffer());
    const verified = await verifySigned(request.headers, bytes, [KEYS[0]], Date.now() / 1000);
    if (!verified.ok || request.method !== "POST") return new Response(null, { status: 401 });
    ids.push(verified.id);
    body = JSON.parse(new TextDecoder().decode(bytes));
    return await answer(ids.length);
  });
  const node = { url: `http://127.0.0.1:${server.addr.port}`, keys: KEYS };
  const log = { failure: (_: string, error: unknown) => void failures.push(error) };
  const { jobs } = forwardedJobs({ node, ...fakeStore(), log, wakes: new Wakes() });
  try {
    return { job: await jobs.submit(SUBMISSION), error: null, ids, body };
  } catch (error) {
    assert.ok(error instanceof LipcertError, String(error));
    return { job: null, error, ids, body };
  } finally {
    await server.shutdown();
  }
}

const problem = (type: string, status: number, more = {}) =>
  Response.json({
    type: `/problems/${type}`,
    title: "t",
    status,
    detail: "d",
    instance: "/i",
    request_id: "r",
    ...more,
  }, {
    status,
  });

Deno.test("forwardedJobs() hands a question over, signed under the first key, and has the job", async () => {
  const { job, ids, body } = await submitTo(() => Response.json({ id: "sha256:q", status: "queued" }));
  assert.equal(job?.id, "sha256:q");
  assert.equal(ids.length, 1);
  assert.deepEqual((body as { data: unknown }).data, SUBMISSION);
});

Deno.test("forwardedJobs() passes on what is the caller's to mend, with its members", async () => {
  const { error } = await submitTo(() => problem("too-many-requests", 429, { retry_after: 60 }));
  assert.deepEqual([error?.type, error?.message, error?.members], ["too-many-requests", "d", { retry_after: 60 }]);
});

Deno.test("forwardedJobs() tells callers nothing of what is between hosts", async () => {
  for (
    const answer of [
      () => problem("unauthorized", 401),
      () => problem("not-found", 404),
      () => problem("internal", 500),
      () => problem("constructor", 422),
      () => new Response("<html>", { status: 502 }),
      () => new Response("not json", { status: 200 }),
      () => Response.json({ id: "sha256:another" }),
      () => Response.redirect("http://127.0.0.1:1/"),
    ]
  ) {
    const { error } = await submitTo(answer);
    assert.deepEqual([error?.type, error?.members], ["queue-unavailable", { retry_after: 5 }]);
    assert.equal(error?.message, "Cannot hand the job over: its node does not take it");
  }
});

Deno.test("forwardedJobs() sends again under another name what was not answered", async () => {
  const { job, ids } = await submitTo((count) =>
    count === 1 ? new Response("{", { status: 200 }) : Response.json({ id: "sha256:q" })
  );
  assert.equal(job?.id, "sha256:q");
  assert.equal(new Set(ids).size, 2);
});
