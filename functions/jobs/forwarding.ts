/**
 * The jobs of a host that runs none: handed to a node in signed requests, and seen in the store that both share.
 *
 * The node checks what it is handed, writes it down and runs it. Its progress, its end and the wish to end it are records.
 */
import { LipcertError, PROBLEMS, type ProblemType } from "../../shared/mod.ts";
import type { Jobs, JobSubmission, Log } from "../services.ts";
import type { NodeAddress } from "../settings.ts";
import type { Blobs, Records } from "../storage/port.ts";
import { signedHeaders } from "../webhooks/sign.ts";
import type { OpenJobs } from "./embedded.ts";
import type { Job } from "./job.ts";
import { recordedJobs } from "./recorded.ts";
import { SUBMIT_PATH, writeSubmission } from "./submission.ts";
import type { Wakes } from "./wakes.ts";

export interface ForwardedJobsSettings {
  readonly node: NodeAddress;
  /** Of the store that the node has, too. */
  readonly records: Records;
  readonly blobs: Blobs;
  readonly log: Pick<Log, "failure">;
  readonly wakes: Wakes;
}

const POLL_MS = 1000;
const TIMEOUT_MS = 10_000;
const TRIES = 2;
const RETRY_AFTER = 5;

/** Problems that are the caller's, whichever host finds them. */
const PASSED_ON: ReadonlySet<string> = new Set<ProblemType>(
  ["too-many-requests", "over-budget", "invalid-query", "store-unavailable", "payload-too-large"],
);

export function forwardedJobs({ node, records, blobs, log, wakes }: ForwardedJobsSettings): OpenJobs {
  const closing = new AbortController();
  const { get, watch, cancel } = recordedJobs({
    ...{ records, blobs, notifier: null, closing: closing.signal, wakes },
    now: Date.now,
    failed: log.failure,
    leaseMs: 0,
    pollMs: POLL_MS,
    takeMs: POLL_MS,
    mostJobs: 0,
  });
  const jobs: Jobs = { get, watch, cancel, submit: (submission) => handOver(node, submission) };
  return {
    jobs,
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

/** Hands a question over, twice if need be: of one question there is one job. */
async function handOver({ url, keys }: NodeAddress, submission: JobSubmission): Promise<Job> {
  const at = Date.now(), body = writeSubmission(submission, at);
  let cause: unknown;
  for (let tries = 0; tries < TRIES; tries++) {
    const headers = { ...await signedHeaders(crypto.randomUUID(), Math.floor(at / 1000), body, keys.slice(0, 1)) };
    let response: Response;
    try {
      response = await fetch(url + SUBMIT_PATH, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "manual", // whoever is elsewhere has no business with the question
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status === 200) return jobIn(await response.json(), submission.question);
    } catch (error) {
      cause = error;
      continue;
    }
    throw await problemOf(response);
  }
  throw unavailable(cause);
}

/** Throws an `Error` for what is not the question's job. */
function jobIn(answer: unknown, question: string): Job {
  const job = answer as Partial<Job> | null;
  if (job?.id !== question) throw new Error("The node's answer is not the job of the question");
  return job as Job;
}

async function problemOf(response: Response): Promise<LipcertError> {
  const text = await response.text().catch(() => "");
  try {
    const { type, title: _, status: __, instance: ___, request_id: ____, detail, ...members } = JSON.parse(text);
    const name = String(type).slice("/problems/".length);
    if (PASSED_ON.has(name) && Object.hasOwn(PROBLEMS, name)) {
      return new LipcertError(name as ProblemType, String(detail), members);
    }
  } catch {
    // not a node's answer
  }
  return unavailable(new Error(`The node answers ${response.status}: ${text.slice(0, 300)}`));
}

function unavailable(cause: unknown): LipcertError {
  return new LipcertError("queue-unavailable", "Cannot hand the job over: its node does not take it", {
    retry_after: RETRY_AFTER,
  }, cause);
}
