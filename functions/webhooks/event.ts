/** The bodies of callbacks. They name things and hold none: a certificate contains the question's input. */
import type { Event } from "../schemas/events.ts";

type Body<Type extends Event["type"]> = Extract<Event, { type: Type }>;

/** What an event tells of the certificate it announces. */
export interface Issued {
  /** `sha256:<hex>` of the certificate. */
  readonly id: string;
  readonly verdict: "certified" | "refuted" | "unknown";
  readonly reproducible: boolean;
}

/** The members of a problem that its own page explains; others go along. */
export interface JobProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** `job` is the digest of its question; `at` in milliseconds since 1970, when the certificate was there. */
export function certificateIssued(job: string, certificate: Issued, at: number): Body<"certificate.issued"> {
  const { id, verdict, reproducible } = certificate;
  const data = { job_id: job, links: links(job, id), certificate_id: id, verdict, reproducible };
  return { type: "certificate.issued", timestamp: timestamp(at), data };
}

export function jobFailed(job: string, problem: JobProblem, at: number): Body<"job.failed"> {
  return { type: "job.failed", timestamp: timestamp(at), data: { job_id: job, links: links(job), problem } };
}

/** `certificate` is the id of the one that holds the best bounds so far, or null. */
export function jobCanceled(job: string, certificate: string | null, at: number): Body<"job.canceled"> {
  const data = certificate === null
    ? { job_id: job, links: links(job) }
    : { job_id: job, links: links(job, certificate), certificate_id: certificate };
  return { type: "job.canceled", timestamp: timestamp(at), data };
}

function links(job: string, certificate?: string): { job: string; certificate?: string } {
  return {
    job: `/v1/jobs/${job}`,
    ...(certificate === undefined ? {} : { certificate: `/v1/certificates/${certificate}` }),
  };
}

function timestamp(at: number): string {
  return new Date(at).toISOString();
}
