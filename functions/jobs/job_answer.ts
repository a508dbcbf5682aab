/** A job as its callers see it: no callback, for those who share a question need not know of each other. */
import type { z } from "@hono/zod-openapi";
import type { JobAnswer } from "../schemas/jobs.ts";
import type { Job } from "./job.ts";

export function jobAnswer(job: Job): z.input<typeof JobAnswer> {
  const { id, status, estimated, progress, certificate_id, problem } = job;
  const self = `/v1/jobs/${id}`;
  return {
    id,
    question: id,
    status,
    estimated,
    progress,
    ...(certificate_id === null ? {} : { certificate_id }),
    ...(problem === null ? {} : { problem }),
    links: {
      self,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      ...(certificate_id === null ? {} : { certificate: `/v1/certificates/${certificate_id}` }),
    },
  };
}
