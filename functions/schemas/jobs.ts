/** Jobs as they are answered. */
import { z } from "@hono/zod-openapi";

const JobProgress = z.strictObject({
  nodes: z.int().min(0),
  open: z.int().min(0),
  upper: z.number().nullable(),
  lower: z.number().nullable(),
  elapsed_ms: z.number().min(0),
}).openapi("JobProgress", {
  description: "The search so far: nodes bounded and open, the bounds (null: none yet), and the time since it began",
});

export const JobAnswer = z.strictObject({
  id: z.string().openapi({ description: "The digest of the question: the same question is the same job" }),
  question: z.string(),
  status: z.enum(["queued", "running", "succeeded", "failed", "canceled"]),
  estimated: z.strictObject({ flops: z.number(), bytes: z.number() }).openapi({
    description: "What the question may cost, known before it ran",
  }),
  progress: JobProgress.nullable(),
  certificate_id: z.string().optional().openapi({
    description: "Of a job that succeeded, and of a canceled one: the best bounds it had",
  }),
  problem: z.looseObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() }).optional(),
  links: z.strictObject({
    self: z.string(),
    events: z.string(),
    cancel: z.string(),
    certificate: z.string().optional(),
  }),
}).openapi("Job");
