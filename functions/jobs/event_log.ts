/**
 * What happened to a job, newest last: a bounded list whose ids grow by one, through all runs of the job.
 *
 * An event is the state of the job then, not a difference: whoever misses some has what it needs with the next.
 */
import type { Job, JobProgress, JobStatus } from "./job.ts";

export interface JobEvent {
  readonly id: number;
  readonly status: JobStatus;
  readonly progress: JobProgress | null;
}

/** Events that are kept; older ones are gone. */
export const MOST_EVENTS = 32;

/** The job with its state as one more event. */
export function logged(job: Job): Job {
  const { status, progress, events } = job;
  const event = { id: newestId(events) + 1, status, progress };
  return { ...job, events: [...events, event].slice(-MOST_EVENTS) };
}

/** 0 where nothing happened. */
export function newestId(events: readonly JobEvent[]): number {
  return events.at(-1)?.id ?? 0;
}

/**
 * What a reader has not seen that saw the event `last`: of a reader that saw none (null), or an event that never was,
 * the newest.
 */
export function eventsAfter(events: readonly JobEvent[], last: number | null): readonly JobEvent[] {
  if (last === null || last > newestId(events)) return events.slice(-1);
  return events.filter(({ id }) => id > last);
}
