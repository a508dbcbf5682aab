/**
 * A signal that counts as aborted once its time is over.
 *
 * The engine computes without giving way to timers, so an event would come too late; it looks at the signal on its way.
 * No event is dispatched.
 */
export function deadline(seconds: number): AbortSignal {
  const { signal } = new AbortController();
  const end = performance.now() + 1000 * seconds;
  const isOver = () => performance.now() >= end;
  const reason = new DOMException("The time for this question is over", "TimeoutError");
  return Object.defineProperties(signal, {
    aborted: { get: isOver },
    reason: { get: () => isOver() ? reason : undefined },
    throwIfAborted: {
      value() {
        if (isOver()) throw reason;
      },
    },
  });
}

export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
