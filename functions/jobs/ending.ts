/** What a job's callers are told when it has ended. */
import type { JobEnded } from "../services.ts";
import type { Job } from "./job.ts";

const TYPES = { succeeded: "certificate.issued", failed: "job.failed", canceled: "job.canceled" } as const;

/** Throws `RangeError` for a job that has not ended. */
export function endingOf({ id, status, certificate_id, problem, ended_at }: Job): JobEnded {
  if (status === "queued" || status === "running" || ended_at === null) throw new RangeError(`job ${id} has not ended`);
  return { type: TYPES[status], at: ended_at, job_id: id, certificate_id, problem };
}
