import type { CallFlags } from "./messages.ts";

/**
 * A signal that is aborted while a flag in shared memory is 1.
 *
 * A Worker that computes takes no message, so an event would come too late; what looks at `aborted` or calls
 * `throwIfAborted` on its way sees the flag at once. No event is dispatched.
 */
export function sharedSignal(flags: CallFlags, at: number, why: string): AbortSignal {
  const { signal } = new AbortController();
  const reason = new DOMException(why, "AbortError");
  const aborted = () => Atomics.load(flags, at) === 1;
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
