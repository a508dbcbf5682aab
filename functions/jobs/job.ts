/**
 * A job: a question that is answered later. Plain data, and every step that a job can take.
 *
 * Each step returns the job after it, or null where it does not apply: nothing changes then. A job that has ended takes no
 * step but {@link resubmitted}, which begins another run of the same question. Times are milliseconds since the epoch.
 */
import type { ProblemMembers } from "../../shared/errors.ts";
import { type JobEvent, logged } from "./event_log.ts";

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "canceled";

/** How far the search of a job is. Bounds are null where there are none yet. */
export interface JobProgress {
  readonly nodes: number;
  readonly open: number;
  readonly upper: number | null;
  readonly lower: number | null;
  /** Since this run began. */
  readonly elapsed_ms: number;
}

/** A problem body (RFC 9457) without what belongs to one request. */
export interface JobProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** Who runs a job, and until when nobody else may take it. */
export interface Lease {
  readonly runner: string;
  readonly until: number;
}

export interface Job {
  /** The digest of the question. */
  readonly id: string;
  readonly status: JobStatus;
  /** What the question was announced with. */
  readonly estimated: { readonly flops: number; readonly bytes: number };
  /** How often the question was begun anew, and how many runners have taken it since. */
  readonly run: number;
  readonly attempt: number;
  /** The name of what a runner goes on with, and the attempt that left it. */
  readonly checkpoint: { readonly name: string; readonly attempt: number } | null;
  readonly lease: Lease | null;
  readonly cancel_requested: boolean;
  readonly progress: JobProgress | null;
  /** Of a job that succeeded, and of a canceled one that had bounds. */
  readonly certificate_id: string | null;
  readonly problem: JobProblem | null;
  /** URLs that are told of the end. */
  readonly callbacks: readonly string[];
  readonly submitted_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly events: readonly JobEvent[];
}

/** A runner's claim to a job: what it took. */
export interface Holder {
  readonly runner: string;
  readonly run: number;
  readonly attempt: number;
}

/** How a run can end. */
export type JobEnd =
  /** `canceled`: the search was ended before its time, with the best bounds so far. */
  | { readonly kind: "certificate"; readonly id: string; readonly canceled: boolean }
  | { readonly kind: "problem"; readonly problem: JobProblem }
  /** Canceled, and there is nothing to keep. */
  | { readonly kind: "stopped" };

/** URLs that one job tells of its end. */
export const MOST_CALLBACKS = 16;

export function hasEnded({ status }: Pick<Job, "status">): boolean {
  return status !== "queued" && status !== "running";
}

/** A question that was not asked before. */
export function submitted(id: string, estimated: Job["estimated"], callback: string | null, now: number): Job {
  return logged({
    id,
    status: "queued",
    estimated,
    run: 1,
    attempt: 0,
    checkpoint: null,
    lease: null,
    cancel_requested: false,
    progress: null,
    certificate_id: null,
    problem: null,
    callbacks: callback === null ? [] : [callback],
    submitted_at: now,
    started_at: null,
    ended_at: null,
    events: [],
  });
}

/** The question again while its job is under way: one more callback at most. */
export function joined(job: Job, callback: string | null): Job | null {
  if (hasEnded(job) || callback === null || job.callbacks.includes(callback)) return null;
  if (job.callbacks.length >= MOST_CALLBACKS) return null;
  return { ...job, callbacks: [...job.callbacks, callback] };
}

/** The question again after its job has ended: another run. Its events go on counting. */
export function resubmitted(job: Job, estimated: Job["estimated"], callback: string | null, now: number): Job | null {
  if (!hasEnded(job)) return null;
  return logged({ ...submitted(job.id, estimated, callback, now), run: job.run + 1, events: job.events });
}

/**
 * The job in a runner's hands: one that waits, or one whose runner was not heard of in time.
 *
 * One that was to be canceled meanwhile has ended, unless there is a checkpoint to make its certificate from; one that `mostAttempts` runners were lost with, one
 * after the other and without getting on, has failed with `abandoned`.
 */
export function taken(
  job: Job,
  runner: string,
  now: number,
  { leaseMs, mostAttempts, abandoned }: {
    readonly leaseMs: number;
    readonly mostAttempts: number;
    readonly abandoned: JobProblem;
  },
): Job | null {
  if (hasEnded(job) || (job.lease !== null && now < job.lease.until)) return null;
  if (job.cancel_requested && job.checkpoint === null) return closed(job, { status: "canceled" }, now);
  if (job.attempt - (job.checkpoint?.attempt ?? 0) >= mostAttempts) {
    return closed(job, { status: "failed", problem: abandoned }, now);
  }
  return logged({
    ...job,
    status: "running",
    attempt: job.attempt + 1,
    lease: { runner, until: now + leaseMs },
    progress: null,
    started_at: job.started_at ?? now,
  });
}

export function holderOf({ run, attempt }: Job, runner: string): Holder {
  return { runner, run, attempt };
}

/** Whether the runner still has what it took. */
export function isHeld(job: Job, { runner, run, attempt }: Holder): boolean {
  return job.status === "running" && job.lease?.runner === runner && job.run === run && job.attempt === attempt;
}

/** The runner is alive, and its search so far (null: there is none yet). */
export function heardOf(
  job: Job,
  holder: Holder,
  search: Pick<JobProgress, "nodes" | "open" | "upper" | "lower"> | null,
  now: number,
  leaseMs: number,
): Job | null {
  if (!isHeld(job, holder)) return null;
  const alive = { ...job, lease: { runner: holder.runner, until: now + leaseMs } };
  if (search === null || search.nodes === job.progress?.nodes) return alive;
  return logged({ ...alive, progress: { ...search, elapsed_ms: Math.max(0, now - (job.started_at ?? now)) } });
}

/** The holder has left `name` to go on with. */
export function saved(job: Job, holder: Holder, name: string): Job | null {
  return isHeld(job, holder) ? { ...job, checkpoint: { name, attempt: job.attempt } } : null;
}

/**
 * The job waits again, unless it was to be canceled and has nothing to show. `counts`: the attempt was made and failed; else its host ends and the
 * job is not to blame.
 */
export function givenBack(job: Job, holder: Holder, counts: boolean, now: number): Job | null {
  if (!isHeld(job, holder)) return null;
  if (job.cancel_requested && job.checkpoint === null) return closed(job, { status: "canceled" }, now);
  return logged({ ...job, status: "queued", lease: null, attempt: counts ? job.attempt : job.attempt - 1 });
}

/** Somebody wants it to end: one that waits has ended, one that runs is to keep its best bounds. */
export function canceled(job: Job, now: number): Job | null {
  if (hasEnded(job) || job.cancel_requested) return null;
  if (job.status === "queued") return closed(job, { status: "canceled" }, now);
  return { ...job, cancel_requested: true };
}

/**
 * The end of a run.
 *
 * A certificate answers the question whoever brings it, also a runner that was thought lost, so it ends the job; one that
 * was ended before its time does so only where this run was to be canceled. Anything else only the holder can tell.
 */
export function ended(job: Job, holder: Holder, end: JobEnd, now: number): Job | null {
  if (hasEnded(job)) return null;
  if (end.kind === "certificate" && !end.canceled) {
    return closed(job, { status: "succeeded", certificate_id: end.id }, now);
  }
  const isWanted = isHeld(job, holder) || (end.kind === "certificate" && job.run === holder.run);
  if (!isWanted) return null;
  if (end.kind === "problem") return closed(job, { status: "failed", problem: end.problem }, now);
  if (!job.cancel_requested) return null;
  return closed(job, { status: "canceled", certificate_id: end.kind === "certificate" ? end.id : null }, now);
}

function closed(
  job: Job,
  end: Pick<Job, "status"> & Partial<Pick<Job, "certificate_id" | "problem">>,
  now: number,
): Job {
  return logged({ ...job, ...end, lease: null, checkpoint: null, ended_at: now });
}

/** A problem as a job keeps it. */
export function jobProblem(
  type: string,
  { title, status }: { readonly title: string; readonly status: number },
  detail: string,
  members: ProblemMembers = {},
): JobProblem {
  return { ...members, type: `/problems/${type}`, title, status, detail };
}
