/** A map with a bound on the bytes it holds; the least recently used entry goes first, the newest always stays. */
export class RecentlyUsed<T> {
  readonly #entries = new Map<string, T>();
  readonly #limit: number;
  readonly #bytesOf: (value: T) => number;
  readonly #dropped: (value: T) => void;
  #bytes = 0;

  constructor(limitBytes: number, bytesOf: (value: T) => number, dropped: (value: T) => void = () => {}) {
    this.#limit = limitBytes;
    this.#bytesOf = bytesOf;
    this.#dropped = dropped;
  }

  get(key: string): T | null {
    const value = this.#entries.get(key);
    if (value === undefined) return null;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** The first value of a key stays: keys are digests of values. */
  set(key: string, value: T): void {
    if (this.get(key) !== null) return;
    this.#entries.set(key, value);
    this.#bytes += this.#bytesOf(value);
    for (const [oldest, dropped] of this.#entries) {
      if (this.#bytes <= this.#limit || oldest === key) break;
      this.delete(oldest);
      this.#dropped(dropped);
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= this.#bytesOf(value);
  }
}
