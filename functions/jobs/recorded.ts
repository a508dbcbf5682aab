/**
 * Jobs in records: one for each job, and the board of those that have not ended.
 *
 * Order is what makes a crash harmless. A job is written before it is put on the board, and both before it is acknowledged:
 * one that was not acknowledged is asked again. Its end is written before callbacks are told and before it leaves the
 * board: a job that has ended and is still there is told of again.
 */
import { canonicalBytes, LipcertError, PROBLEMS, type Query } from "../../shared/mod.ts";
import type { JobQueue, Jobs, Notifier, TakenJob } from "../services.ts";
import type { Blobs, Bytes, Now, Records } from "../storage/port.ts";
import { update } from "../storage/update.ts";
import { readBoard, withJob, withoutJob, writeBoard } from "./board.ts";
import { eventsAfter, newestId } from "./event_log.ts";
import { endingOf } from "./ending.ts";
import {
  canceled,
  ended,
  givenBack,
  hasEnded,
  heardOf,
  holderOf,
  isHeld,
  type Job,
  jobProblem,
  joined,
  MOST_CALLBACKS,
  resubmitted,
  saved,
  submitted,
  taken,
} from "./job.ts";
import { Wakes } from "./wakes.ts";

export interface RecordedJobsSettings {
  readonly records: Records;
  readonly blobs: Blobs;
  readonly now: Now;
  /** Null: this process tells nobody, and leaves that to one that takes jobs. */
  readonly notifier: Notifier | null;
  /** Hears of what no answer tells of. */
  readonly failed: (what: string, error: unknown) => void;
  /** How long a runner may be silent before its job is taken by another. */
  readonly leaseMs: number;
  /** How often whoever watches a job looks for what another process changed. */
  readonly pollMs: number;
  /** How often a runner without a job looks for one of another process, or one that was lost. */
  readonly takeMs: number;
  /** Jobs that may wait or run; one more is `too-many-requests`. */
  readonly mostJobs: number;
  /** Aborts when the host ends: nobody is kept waiting then. */
  readonly closing: AbortSignal;
  /** Absent: changes by other processes are found by looking again. */
  readonly wakes?: Wakes;
}

/** Jobs with what another way of bringing them to runners needs. */
export interface RecordedJobs extends Jobs, JobQueue {
  /** Jobs that wait and those whose runner is lost, the oldest first. Ends that were not told are told on the way. */
  free(): AsyncIterable<Job>;
  /** Takes this job; null where it is not free, or ended with that. */
  takeThis(id: string, runner: string): Promise<TakenJob | null>;
}

/** Runners that a job is lost with before it has failed. */
export const MOST_ATTEMPTS = 3;
/** How long a job that has ended is kept. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
/** Seconds after which a caller that was turned away may try again. */
const RETRY_AFTER = 60;

const ABANDONED = jobProblem(
  "job-abandoned",
  PROBLEMS["job-abandoned"],
  `Cannot finish the job: ${MOST_ATTEMPTS} runners were lost with it`,
);

const BOARD = "jobs/board";
const nameOf = (id: string) => `job/${id}`;
const nameOfQuery = (id: string) => `job_query/${id}`;
const nameOfCheckpoint = (name: string) => `job_checkpoint/${name}`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function recordedJobs(settings: RecordedJobsSettings): RecordedJobs {
  const { records, blobs, now, notifier, failed, leaseMs, pollMs, takeMs, mostJobs, closing } = settings;
  const { wakes = new Wakes() } = settings;

  async function get(id: string): Promise<Job | null> {
    return readJob((await records.get(nameOf(id)))?.bytes ?? null);
  }

  /** Takes a step; returns the job as it is then. */
  async function change(id: string, step: (job: Job | null) => Job | null): Promise<Job | null> {
    let isEnding = false, before = null as Job | null;
    const found = await update(records, nameOf(id), (bytes) => {
      before = readJob(bytes);
      const after = step(before);
      isEnding = after !== null && hasEnded(after) && !(before && hasEnded(before));
      return after === null ? null : encoder.encode(JSON.stringify(after));
    });
    const job = readJob(found);
    wakes.wake(id);
    if (isEnding && notifier !== null) await settle(id, job, before);
    return job;
  }

  /** Tells of the end and takes the job off the board. What fails here is done again by a later `take`. */
  async function settle(id: string, job: Job | null, before: Job | null = null): Promise<void> {
    try {
      if (job !== null && job.callbacks.length > 0) await notifier?.notify(endingOf(job), job.callbacks);
      await update(records, BOARD, (bytes) => written(withoutJob(readBoard(bytes), id)));
      await forgetLater(id);
      if (before !== null) await forgetCheckpoint(before);
    } catch (error) {
      failed("the end of a job was not told", error);
    }
  }

  /** From now on the job is kept for a while only, unless it was asked again meanwhile. */
  async function forgetLater(id: string): Promise<void> {
    const kept = await records.get(nameOf(id)), job = readJob(kept?.bytes ?? null);
    if (kept === null || job === null || !hasEnded(job)) return;
    await records.compareAndSet(nameOf(id), kept.version, kept.bytes, { expiresInMs: KEPT_MS });
  }

  /** The checkpoint of a job that has ended, or that has a newer one, is of no use. */
  async function forgetCheckpoint({ checkpoint }: Pick<Job, "checkpoint">): Promise<void> {
    if (checkpoint !== null) await blobs.delete(nameOfCheckpoint(checkpoint.name));
  }

  async function* free(): AsyncGenerator<Job> {
    const board = readBoard((await records.get(BOARD))?.bytes ?? null);
    for (const id of board) {
      const seen = await get(id);
      if (seen !== null && !hasEnded(seen)) {
        if (seen.lease === null || now() >= seen.lease.until) yield seen;
        continue;
      }
      // Whoever ended it is telling of it just now, or is gone.
      const isAbandoned = seen === null || now() - (seen.ended_at ?? 0) >= leaseMs;
      if (isAbandoned) await settle(id, seen);
    }
  }

  async function takeThis(id: string, runner: string): Promise<TakenJob | null> {
    // A name for this one time: a write whose answer was lost is still known as ours.
    const token = `${runner}/${crypto.randomUUID()}`;
    const job = await change(
      id,
      (job) => job && taken(job, token, now(), { leaseMs, mostAttempts: MOST_ATTEMPTS, abandoned: ABANDONED }),
    );
    if (job?.lease?.runner !== token || job.status !== "running") return null;
    const query = await blobs.get(nameOfQuery(id)), { checkpoint } = job;
    return {
      job,
      holder: holderOf(job, token),
      query: query === null ? null : JSON.parse(decoder.decode(query)) as Query,
      checkpoint: checkpoint === null ? null : await blobs.get(nameOfCheckpoint(checkpoint.name)),
    };
  }

  async function takeOne(runner: string): Promise<TakenJob | null> {
    for await (const { id } of free()) {
      const found = await takeThis(id, runner);
      if (found !== null) return found;
    }
    return null;
  }

  return {
    get,
    free,
    takeThis,

    async submit({ question, query, estimated, callback, restart }) {
      const board = readBoard((await records.get(BOARD))?.bytes ?? null);
      if (board.length >= mostJobs && !board.includes(question)) throw tooMany(mostJobs);
      await blobs.put(nameOfQuery(question), canonicalBytes(query));
      const job = await change(question, (job) => {
        if (job === null) return submitted(question, estimated, callback, now());
        if (!hasEnded(job)) return joined(job, callback);
        if (!restart && (job.status === "succeeded")) return null;
        return resubmitted(job, estimated, callback, now());
      });
      if (job === null) throw new Error(`job ${question} was written and is not there`);
      if (hasEnded(job)) return job;
      if (callback !== null && !job.callbacks.includes(callback)) {
        throw new LipcertError("invalid-query", `Cannot tell ${callback}: the job has ${MOST_CALLBACKS} callbacks`, {
          errors: [{ pointer: "/callback_url", message: `the job has ${MOST_CALLBACKS} callbacks already` }],
        });
      }
      // One that runs is there; of one that waits, whoever wrote it may have died before this.
      if (job.status === "queued") {
        await update(records, BOARD, (bytes) => written(withJob(readBoard(bytes), question)));
        wakes.wake(BOARD);
      }
      return job;
    },

    async *watch(id, last, signal) {
      const left = new AbortController(), isOver = AbortSignal.any([signal, closing, left.signal]);
      try {
        for (;;) {
          const woken = wakes.wait(id, pollMs, isOver); // before the look, so that nothing is missed
          const job = await get(id);
          if (job === null || isOver.aborted) return;
          const isNew = eventsAfter(job.events, last).length > 0;
          if (isNew || hasEnded(job)) yield job;
          if (hasEnded(job)) return;
          last = newestId(job.events);
          await woken;
        }
      } finally {
        left.abort();
      }
    },

    cancel: (id) => change(id, (job) => job && canceled(job, now())),

    async take(runner, signal) {
      while (!signal.aborted) {
        const over = new AbortController();
        const woken = wakes.wait(BOARD, takeMs, AbortSignal.any([signal, over.signal]));
        try {
          const found = await takeOne(runner);
          if (found !== null) return found;
          await woken;
        } finally {
          over.abort();
        }
      }
      return null;
    },

    async hear(id, holder, search) {
      const job = await change(id, (job) => job && heardOf(job, holder, search, now(), leaseMs));
      return job !== null && isHeld(job, holder) ? job : null;
    },

    async save(id, holder, checkpoint) {
      const name = `${id}/${crypto.randomUUID()}`;
      await blobs.put(nameOfCheckpoint(name), checkpoint, { expiresInMs: KEPT_MS });
      let before = null as Job | null;
      const job = await change(id, (job) => {
        before = job;
        return job && saved(job, holder, name);
      });
      // The one before, or this one where the job is another's by now.
      if (job?.checkpoint?.name !== name) await forgetCheckpoint({ checkpoint: { name, attempt: 0 } });
      else if (before !== null) await forgetCheckpoint(before);
    },

    async giveBack(id, holder, counts) {
      await change(id, (job) => job && givenBack(job, holder, counts, now()));
      wakes.wake(BOARD);
    },

    end: (id, holder, end) => change(id, (job) => job && ended(job, holder, end, now())),

    changed: (id, ms, signal) => wakes.wait(id, ms, signal),
  };
}

function readJob(bytes: Bytes | null): Job | null {
  return bytes === null ? null : JSON.parse(decoder.decode(bytes)) as Job;
}

function written(board: ReturnType<typeof withJob>): Bytes | null {
  return board === null ? null : writeBoard(board);
}

function tooMany(mostJobs: number): LipcertError {
  return new LipcertError("too-many-requests", `Cannot take the job: ${mostJobs} are waiting or running already`, {
    retry_after: RETRY_AFTER,
  });
}
