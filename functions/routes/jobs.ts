/** `/v1/jobs`: how far a job is, told once or as it happens; and its end before its time. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { LipcertError } from "../../shared/errors.ts";
import type { Env } from "../http/env.ts";
import { eventStream, lastEventId, type ServerEvent } from "../http/event_stream.ts";
import { type App, operation } from "../http/operation.ts";
import { eventsAfter, newestId } from "../jobs/event_log.ts";
import { hasEnded, type Job } from "../jobs/job.ts";
import { jobAnswer } from "../jobs/job_answer.ts";
import { problemResponses } from "../schemas/answers.ts";
import { JobAnswer } from "../schemas/jobs.ts";
import { Digest } from "../schemas/question.ts";
import type { Jobs, Services } from "../services.ts";

const JobPath = z.object({ id: Digest });

/** How often a stream without events says that it is there. */
const ALIVE_MS = 15_000;

const FRESH = { "cache-control": "no-store" };

export function mountJobs(app: App, { log }: Services, jobs: Jobs): void {
  async function jobOf(c: Context<Env>, find: (id: string) => Promise<Job | null>): Promise<Job> {
    const id = c.req.param("id") ?? "";
    const job = Digest.safeParse(id).success ? await find(id) : null;
    if (job === null) throw new LipcertError("not-found", `Cannot find job ${id}`, { what: "job" });
    return job;
  }

  const answer = { content: { "application/json": { schema: JobAnswer } } };
  const problems = problemResponses("not-found", "store-unavailable");

  operation(app, {
    method: "get",
    path: "/v1/jobs/{id}",
    operationId: "getJob",
    summary: "How far a job is",
    request: { params: JobPath },
    responses: { 200: { description: "The job", ...answer }, ...problems },
  }, async (c) => c.json(jobAnswer(await jobOf(c, jobs.get)), 200, FRESH));

  operation(app, {
    method: "post",
    path: "/v1/jobs/{id}/cancel",
    operationId: "cancelJob",
    summary: "End a job",
    description: "For all who asked its question. A search ends with the best bounds so far, in a certificate.",
    request: { params: JobPath },
    responses: {
      200: { description: "The job has ended, now or before", ...answer },
      202: { description: "The job ends soon", ...answer },
      ...problems,
    },
  }, async (c) => {
    const job = await jobOf(c, jobs.cancel);
    return c.json(jobAnswer(job), hasEnded(job) ? 200 : 202, FRESH);
  });

  operation(app, {
    method: "get",
    path: "/v1/jobs/{id}/events",
    operationId: "watchJob",
    summary: "Hear how far a job is",
    description:
      "Server-sent events: `progress` with {status, progress}, and lastly one named `succeeded`, `failed` or " +
      "`canceled` with the job. Who comes again with `Last-Event-ID` hears what was missed, as far as it is kept.",
    request: { params: JobPath, headers: z.object({ "last-event-id": z.string().optional() }) },
    responses: {
      200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
      204: { description: "The job has ended, and its last event was seen" },
      ...problems,
    },
  }, async (c) => {
    const job = await jobOf(c, jobs.get);
    const last = lastEventId(c.req.header("last-event-id"));
    if (hasEnded(job) && last === newestId(job.events)) return c.body(null, 204, FRESH);
    const stream = eventStream(
      (signal) => eventsOf(jobs, job.id, last, signal),
      ALIVE_MS,
      (error) => log.failure("the events of a job broke off", error),
    );
    return c.body(stream, 200, { ...FRESH, "content-type": "text/event-stream", "x-accel-buffering": "no" });
  });
}

/** The events of a job after the one that was seen last. */
async function* eventsOf(
  jobs: Jobs,
  id: string,
  last: number | null,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  for await (const job of jobs.watch(id, last, signal)) {
    const events = eventsAfter(job.events, last), newest = newestId(job.events);
    for (const { id, status, progress } of events) {
      const isLast = id === newest && hasEnded(job);
      if (isLast) yield { id, event: job.status, data: jobAnswer(job) };
      else yield { id, event: "progress", data: { status, progress } };
    }
    last = newest;
  }
}
