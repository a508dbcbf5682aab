/**
 * Wakes those of this process who wait for something to change. Who waits elsewhere is told where there is a way, and looks
 * again now and then in any case.
 */
export class Wakes {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tell: (name: string) => void;

  /** `tell`: hears of each wake, to pass it on to other processes. */
  constructor(tell: (name: string) => void = () => {}) {
    this.#tell = tell;
  }

  wake(name: string): void {
    this.hear(name);
    this.#tell(name);
  }

  /** A wake of another process. */
  hear(name: string): void {
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

/** Where requests may not resolve each other's promises: everybody looks again by itself. */
export class PollingOnly extends Wakes {
  override wake(): void {}
}
