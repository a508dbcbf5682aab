/** The clock that a question's time limit is measured on. */
import type { Clock } from "../shared/mod.ts";

/**
 * A clock whose `pause` waits for a timer where `everyMs` have passed since the last one: then messages, signals and other
 * requests have their turn. 0: at every pause. A Cloudflare isolate needs that: deployed, its clock stands still while it
 * computes, and goes on when a timer has been waited for.
 */
export function pausingClock(everyMs: number): Clock {
  const now = () => performance.now();
  let next = now() + everyMs;
  return {
    now,
    async pause() {
      if (now() < next) return;
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      next = now() + everyMs;
    },
  };
}

/** Milliseconds between the turns of a host with threads: a timer takes one. */
export const TURN_MS = 50;
