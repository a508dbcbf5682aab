/** Whose turn it is: jobs that are announced with little go first, within a bound. */
import type { Job } from "./job.ts";

/** Arithmetic of a core in a minute, as cost is announced (50 GFLOP a second). */
const FLOPS_A_MINUTE = 3e12;

/** The longest that a job is held back for cheaper ones that came after it. */
export const MOST_MINUTES_BACK = 15;

/** Turns count minutes from here, and begin anew after {@link TURNS}: some four years. */
const EPOCH = Date.UTC(2026, 0, 1);
const TURNS = 2 ** 21 - 1;

/**
 * The minute in which the job would have ended had it begun at once, but at most {@link MOST_MINUTES_BACK} after it came;
 * from 1 to {@link TURNS}. Lower goes first, and among equals who came first.
 */
export function turnOf({ submitted_at, estimated }: Pick<Job, "submitted_at" | "estimated">): number {
  const came = Math.floor((submitted_at - EPOCH) / 60_000);
  const lasts = Math.min(MOST_MINUTES_BACK, Math.floor(estimated.flops / FLOPS_A_MINUTE));
  return 1 + ((came + lasts) % TURNS + TURNS) % TURNS;
}
