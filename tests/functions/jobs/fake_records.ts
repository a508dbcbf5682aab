/** Records and blobs in memory, which can be made to fail, and to yield between a look and a write. */
import type { Blobs, Bytes, Records, Versioned } from "../../../functions/storage/port.ts";
import { LipcertError } from "../../../shared/errors.ts";

export interface FakeStore {
  readonly records: Records;
  readonly blobs: Blobs;
  /** Fails calls while it returns true. */
  isDown: () => boolean;
  readonly keys: () => string[];
  readonly blobKeys: () => string[];
}

/**
 * The store as a process sees it that dies at its `last`-th call: with `isMade` once more is done than it hears of.
 */
export function dyingWith(
  { records, blobs }: Pick<FakeStore, "records" | "blobs">,
  last: number,
  isMade: boolean,
): Pick<FakeStore, "records" | "blobs"> & { readonly isDead: () => boolean } {
  let calls = 0;
  const dying = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    if (++calls > last || (calls === last && !isMade)) throw new Error("dead");
    const result = await call(...args);
    if (calls >= last) throw new Error("dead");
    return result;
  };
  return {
    isDead: () => calls >= last,
    records: { get: dying(records.get), compareAndSet: dying(records.compareAndSet), delete: dying(records.delete) },
    blobs: { get: dying(blobs.get), has: dying(blobs.has), put: dying(blobs.put), delete: dying(blobs.delete) },
  };
}

export function fakeStore(): FakeStore {
  const kept = new Map<string, Versioned>(), bytesOf = new Map<string, Bytes>();
  let writes = 0;
  const store: FakeStore = {
    isDown: () => false,
    keys: () => [...kept.keys()],
    blobKeys: () => [...bytesOf.keys()],
    records: {
      get: (key) => reached(() => kept.get(key) ?? null),
      compareAndSet: (key, expected, bytes) =>
        reached(() => {
          const current = kept.get(key) ?? null;
          if ((current?.version ?? null) !== expected) return { written: false, current };
          const version = String(++writes);
          kept.set(key, { bytes, version });
          return { written: true, version };
        }),
      delete: (key, expected) =>
        reached(() => {
          if (kept.get(key)?.version !== expected) return !kept.has(key);
          return kept.delete(key);
        }),
    },
    blobs: {
      get: (key) => reached(() => bytesOf.get(key) ?? null),
      has: (key) => reached(() => bytesOf.has(key)),
      put: (key, bytes) => reached(() => void bytesOf.set(key, bytes)),
      delete: (key) => reached(() => void bytesOf.delete(key)),
    },
  };

  async function reached<T>(call: () => T): Promise<T> {
    await Promise.resolve();
    if (store.isDown()) throw new LipcertError("store-unavailable", "Cannot reach the store", { retry_after: 5 });
    return call();
  }
  return store;
}
