/** What a job's caller is told by a callback: `{type, timestamp, data}`, as Standard Webhooks 1.0 has it. */
import { z } from "@hono/zod-openapi";

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const Timestamp = z.iso.datetime().openapi({ description: "When it happened, in UTC; not when it was sent" });

/** A job is named by the digest of its question. Paths are of the service that was asked. */
const Job = {
  job_id: Digest,
  links: z.strictObject({ job: z.string(), certificate: z.string().optional() }),
};

const CertificateIssued = z.strictObject({
  type: z.literal("certificate.issued"),
  timestamp: Timestamp,
  data: z.strictObject({
    ...Job,
    certificate_id: Digest,
    verdict: z.enum(["certified", "refuted", "unknown"]),
    reproducible: z.boolean(),
  }),
}).openapi("CertificateIssued");

const JobFailed = z.strictObject({
  type: z.literal("job.failed"),
  timestamp: Timestamp,
  data: z.strictObject({
    ...Job,
    problem: z.looseObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() }),
  }),
}).openapi("JobFailed");

const JobCanceled = z.strictObject({
  type: z.literal("job.canceled"),
  timestamp: Timestamp,
  data: z.strictObject({
    ...Job,
    certificate_id: Digest.optional().openapi({ description: "The best bounds there were, where there were any" }),
  }),
}).openapi("JobCanceled");

export const Event = z.discriminatedUnion("type", [CertificateIssued, JobFailed, JobCanceled]).openapi("Event");

export type Event = z.infer<typeof Event>;
