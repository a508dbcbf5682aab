/** A time limit for a computation that lets no timer run. */
import { LipcertError } from "../../shared/errors.ts";
import type { CommandHost } from "./host.ts";

/**
 * A signal that is aborted once `seconds` have passed.
 *
 * The engine computes on this thread, so an event would come too late; what looks at `aborted` or calls `throwIfAborted` on
 * its way sees the clock at once. No event is dispatched.
 */
export function deadline(seconds: number, host: Pick<CommandHost, "now">): AbortSignal {
  const { signal } = new AbortController();
  const end = host.now() + 1000 * seconds;
  const reason = new LipcertError("over-budget", `Cannot answer in time: ${seconds} s (--timeout) have passed`, {
    timeout_s: seconds,
  });
  const aborted = () => host.now() >= end;
  return Object.defineProperties(signal, {
    aborted: { get: aborted },
    reason: { get: () => aborted() ? reason : undefined },
    throwIfAborted: {
      value() {
        if (aborted()) throw reason;
      },
    },
  });
}
