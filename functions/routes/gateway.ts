/** `POST /v1/node/jobs`: jobs of the hosts before a node. Between hosts of one operator, so in no document. */
import { invalidQuery, LipcertError, questionOf } from "../../shared/mod.ts";
import { parseJson, readBytes } from "../http/body.ts";
import type { App } from "../http/operation.ts";
import { readSubmission, SUBMIT_PATH } from "../jobs/submission.ts";
import type { Gateway, Jobs, Services } from "../services.ts";

export function mountGateway(app: App, services: Services, jobs: Jobs, gateway: Gateway): void {
  const { models, limits, notifier } = services;
  app.post(SUBMIT_PATH, async (c) => {
    const bytes = await readBytes(c, limits.body_bytes);
    await gateway.admit(c.req.raw.headers, bytes);
    const submission = readSubmission(parseJson(bytes));
    const { question, query, estimated, callback } = submission;
    if (await questionOf(query) !== question) {
      throw new LipcertError("queue-unavailable", "Cannot take the job: this node has another version of the engine", {
        retry_after: 60,
      });
    }
    if (estimated.flops > limits.gflop * 1e9 || estimated.bytes > limits.memory_bytes) {
      const allowed = { flops: limits.gflop * 1e9, bytes: limits.memory_bytes };
      throw new LipcertError("over-budget", "Cannot take the job: it may cost more than this node may spend", {
        estimated,
        allowed,
      });
    }
    if (await models.describe(query.model_digest) === null) {
      throw new LipcertError(
        "queue-unavailable",
        "Cannot take the job: this node does not share a store with its host",
        {
          retry_after: 60,
        },
      );
    }
    const refusal = callback === null ? null : notifier?.refusal(callback) ?? null;
    if (refusal !== null) throw invalidQuery("/callback_url", refusal);
    return c.json(await jobs.submit(submission), 200, { "cache-control": "no-store" });
  });
}
