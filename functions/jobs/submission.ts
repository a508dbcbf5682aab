/** A question on its way from a host to the node that takes its jobs: the body of one signed request. */
import type { Query } from "../../shared/mod.ts";
import { invalidQuery } from "../../shared/errors.ts";
import type { JobSubmission } from "../services.ts";

export const SUBMIT_PATH = "/v1/node/jobs";

/** In the body, so that what was signed for something else is no job. */
const TYPE = "job.submit";

const encoder = new TextEncoder();

/** `at`: milliseconds since the epoch. */
export function writeSubmission(data: JobSubmission, at: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify({ type: TYPE, timestamp: new Date(at).toISOString(), data }));
}

/** Reads what a host with our key has written; throws `invalid-query` for what none would. */
export function readSubmission(body: unknown): JobSubmission {
  const { type, data } = (body ?? {}) as { type?: unknown; data?: Partial<JobSubmission> };
  if (type !== TYPE) throw invalidQuery("/type", `expected "${TYPE}"`);
  const { question, query, estimated, callback, restart } = data ?? {};
  if (typeof question !== "string") throw invalidQuery("/data/question", "expected a digest");
  if (typeof query?.model_digest !== "string") throw invalidQuery("/data/query", "expected a question");
  const { flops, bytes } = estimated ?? {};
  if (!Number.isFinite(flops) || !Number.isFinite(bytes)) throw invalidQuery("/data/estimated", "expected figures");
  if (callback !== null && typeof callback !== "string") throw invalidQuery("/data/callback", "expected a URL or null");
  return {
    question,
    query: query as Query,
    estimated: { flops: flops!, bytes: bytes! },
    callback,
    restart: restart === true,
  };
}
