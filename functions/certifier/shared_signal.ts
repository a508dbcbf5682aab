import type { StopFlag } from "./messages.ts";

/**
 * A signal that is aborted while the flag in shared memory is 1.
 *
 * A Worker that computes takes no message, so an event would come too late; what looks at `aborted` or calls
 * `throwIfAborted` on its way sees the flag at once. No event is dispatched.
 */
export function sharedSignal(stop: StopFlag): AbortSignal {
  const { signal } = new AbortController();
  const reason = new DOMException("The question is not wanted any more", "AbortError");
  const aborted = () => Atomics.load(stop, 0) === 1;
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
