/**
 * Jobs whose truth is in records, brought to runners by a queue that many processes share.
 *
 * The queue only says "this job may be free now". It may say so twice, too early or of a job that has ended: records
 * decide. What it forgets is found on the board and brought again.
 */
import type { JobQueue, Jobs } from "../services.ts";
import type { Now } from "../storage/port.ts";
import { hasEnded, type Holder, type Job } from "./job.ts";
import type { RecordedJobs } from "./recorded.ts";

/** A job that the queue has brought. It is brought to nobody else until one of these is called, or this process is lost. */
export interface Brought {
  readonly id: string;
  /** It need not be brought again. */
  done(): void;
  /** It is to be brought again, in `ms` at the earliest. */
  again(ms: number): void;
}

/** Brings jobs to processes. */
export interface Delivery {
  /** The job waits. Said again of the same run it changes nothing. */
  announce(job: Job): Promise<void>;
  /** Null when the signal aborts. */
  next(signal: AbortSignal): Promise<Brought | null>;
}

export interface DeliveredJobsSettings {
  readonly jobs: RecordedJobs;
  readonly delivery: Delivery;
  readonly now: Now;
  /** Hears of what no answer tells of. */
  readonly failed: (what: string, error: unknown) => void;
  /** How long a runner may be silent before its job is brought to another. */
  readonly leaseMs: number;
  /** After an attempt that failed: doubled with each. */
  readonly backoffMs: number;
}

export interface DeliveredJobs extends Jobs, JobQueue {
  /** Announces every free job again, in case the queue has lost it or a runner of this process was silent. */
  sweep(): Promise<void>;
}

export function deliveredJobs(settings: DeliveredJobsSettings): DeliveredJobs {
  const { jobs, delivery, now, failed, leaseMs, backoffMs } = settings;
  /** By the name that a runner has for one job. */
  const held = new Map<string, Brought>();

  function release({ runner }: Holder): Brought | undefined {
    const brought = held.get(runner);
    held.delete(runner);
    return brought;
  }

  /** Nobody waits for the queue: what it does not hear now it hears from a sweep. */
  function announce(job: Job): void {
    delivery.announce(job).catch((error) => failed("a job was not announced", error));
  }

  return {
    ...jobs,

    async submit(submission) {
      const job = await jobs.submit(submission);
      if (job.status === "queued") announce(job);
      return job;
    },

    async take(runner, signal) {
      for (;;) {
        const brought = await delivery.next(signal);
        if (brought === null) return null;
        try {
          const found = await jobs.takeThis(brought.id, runner);
          if (found !== null) {
            held.set(found.holder.runner, brought);
            return found;
          }
          const job = await jobs.get(brought.id);
          if (job === null || hasEnded(job)) brought.done();
          else brought.again(Math.max(0, (job.lease?.until ?? 0) - now()));
        } catch (error) {
          brought.again(backoffMs);
          throw error;
        }
      }
    },

    async hear(id, holder, search) {
      const job = await jobs.hear(id, holder, search);
      if (job === null) release(holder)?.again(leaseMs); // another has it, or it has ended
      return job;
    },

    // Released before the record changes: whoever hears of the job meanwhile is not to think it lost.

    async giveBack(id, holder, counts) {
      const brought = release(holder);
      try {
        await jobs.giveBack(id, holder, counts);
      } finally {
        brought?.again(counts ? backoffMs * 2 ** (holder.attempt - 1) : 0);
      }
    },

    async end(id, holder, end) {
      const brought = release(holder);
      try {
        const job = await jobs.end(id, holder, end);
        brought?.done();
        return job;
      } catch (error) {
        if (brought !== undefined) held.set(holder.runner, brought); // it is told again
        throw error;
      }
    },

    async sweep() {
      for await (const job of jobs.free()) {
        for (const [runner, brought] of held) {
          if (brought.id !== job.id) continue;
          held.delete(runner); // a runner of this process is silent: the queue cannot know
          brought.again(0);
        }
        announce(job);
      }
    },
  };
}
