// deno-lint-ignore-file require-await -- what throws at once would not reject, as it does elsewhere
/** Storage in memory, bounded: what was not used for longest is forgotten first. */
import { RecentlyUsed } from "../recently_used.ts";
import {
  type Blobs,
  type Bytes,
  checkExpiry,
  checkKey,
  checkRecord,
  type Expiry,
  type Now,
  type Records,
  type Versioned,
} from "../storage/port.ts";

/** Bytes an entry takes beside its content. */
const OVERHEAD = 512;

/** Values that are gone when their time is over. */
class Expiring<T extends { readonly bytes: Bytes }> {
  readonly #entries: RecentlyUsed<{ readonly value: T; readonly expiresAt: number }>;
  readonly #now: Now;

  constructor(limitBytes: number, now: Now) {
    this.#entries = new RecentlyUsed(limitBytes, ({ value }) => value.bytes.length + OVERHEAD);
    this.#now = now;
  }

  get(key: string): T | null {
    checkKey(key);
    const entry = this.#entries.get(key);
    if (entry === null) return null;
    if (this.#now() < entry.expiresAt) return entry.value;
    this.#entries.delete(key);
    return null;
  }

  set(key: string, value: T, expiry: Expiry): void {
    checkKey(key);
    checkExpiry(expiry);
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: this.#now() + (expiry.expiresInMs ?? Infinity) });
  }

  delete(key: string): void {
    checkKey(key);
    this.#entries.delete(key);
  }
}

export function memoryBlobs(limitBytes: number, now: Now): Blobs {
  const kept = new Expiring<{ readonly bytes: Bytes }>(limitBytes, now);
  return {
    get: async (key) => kept.get(key)?.bytes ?? null,
    has: async (key) => kept.get(key) !== null,
    put: async (key, bytes, expiry = {}) => kept.set(key, { bytes }, expiry),
    delete: async (key) => kept.delete(key),
  };
}

export function memoryRecords(limitBytes: number, now: Now): Records {
  const kept = new Expiring<Versioned>(limitBytes, now);
  let writes = 0;
  return {
    get: async (key) => kept.get(key),
    async compareAndSet(key, expected, bytes, expiry = {}) {
      checkRecord(bytes);
      const current = kept.get(key);
      if ((current?.version ?? null) !== expected) return { written: false, current };
      const version = String(++writes);
      kept.set(key, { bytes, version }, expiry);
      return { written: true, version };
    },
    async delete(key, expected) {
      const current = kept.get(key);
      if (current === null) return true;
      if (current.version !== expected) return false;
      kept.delete(key);
      return true;
    },
  };
}
