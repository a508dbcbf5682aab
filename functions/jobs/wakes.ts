/** Wakes those of this process who wait for something to change. Who waits elsewhere looks again now and then. */
export class Wakes {
  readonly #waiting = new Map<string, Set<() => void>>();

  wake(name: string): void {
    for (const wakeUp of this.#waiting.get(name) ?? []) wakeUp();
  }

  /** How many wait, for all names. */
  get size(): number {
    return [...this.#waiting.values()].reduce((sum, waiting) => sum + waiting.size, 0);
  }

  /** Resolves when `name` is woken, after `ms`, or when the signal aborts. */
  wait(name: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, waiting);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }
}
