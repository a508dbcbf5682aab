/**
 * Storage in Deno KV.
 *
 * A value holds 65,536 bytes and a commit 800 KiB: twelve pieces. Deno KV removes what has expired when it comes to it, so every value says its end itself.
 */
import { type Entries, piecedBlobs, type PieceSizes } from "../storage/pieces.ts";
import {
  type Blobs,
  type Bytes,
  checkExpiry,
  checkKey,
  checkRecord,
  type Now,
  type Records,
  type Versioned,
} from "../storage/port.ts";
import { reached as reachedBackend } from "../storage/reached.ts";

interface Kept {
  readonly bytes: Bytes;
  /** Milliseconds since the epoch. */
  readonly expires_at?: number;
}

const SIZES: PieceSizes = { inlineBytes: 60 * 1024, pieceBytes: 60 * 1024, inFlight: 12 };

/** For how long, and after how many milliseconds, what found the file locked is tried again. A try may itself wait some. */
const LOCKED_MS = 2000;
const LOCKED_WAIT_MS = 10;

/** Another process that writes to the same file locks it for a moment; what found it so did nothing. */
async function whenUnlocked<T>(call: () => Promise<T>): Promise<T> {
  for (const start = performance.now();;) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() - start > LOCKED_MS || !/database is locked/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOCKED_WAIT_MS));
    }
  }
}

function reached<T>(call: () => Promise<T>): Promise<T> {
  return reachedBackend(() => whenUnlocked(call));
}

function isLive(kept: Kept | null, now: Now): kept is Kept {
  return kept !== null && (kept.expires_at === undefined || now() < kept.expires_at);
}

function keptFrom(bytes: Bytes, expiresInMs: number | undefined, now: Now): Kept {
  return expiresInMs === undefined ? { bytes } : { bytes, expires_at: now() + expiresInMs };
}

export function denoKvBlobs(kv: Deno.Kv, now: Now): Blobs {
  async function get(name: string): Promise<Bytes | null> {
    const { value } = await kv.get<Kept>(["entry", name]);
    return isLive(value, now) ? value.bytes : null;
  }

  const entries: Entries = {
    get: (name) => reached(() => get(name)),
    has: (name) => reached(async () => await get(name) !== null),
    set: (pieces, expireIn) =>
      reached(async () => {
        let commit = kv.atomic();
        for (const [name, bytes] of pieces) {
          commit = commit.set(["entry", name], keptFrom(bytes, expireIn, now), { expireIn });
        }
        await commit.commit();
      }),
    delete: (name) => reached(() => kv.delete(["entry", name])),
  };
  return piecedBlobs(entries, SIZES);
}

/** The version is the entry's versionstamp; an entry that has expired and is still there counts as absent. */
export function denoKvRecords(kv: Deno.Kv, now: Now): Records {
  async function look(key: string): Promise<{ entry: Deno.KvEntryMaybe<Kept>; current: Versioned | null }> {
    const entry = await kv.get<Kept>(["record", key]);
    const current = isLive(entry.value, now) ? { bytes: entry.value.bytes, version: entry.versionstamp! } : null;
    return { entry, current };
  }

  return {
    async get(key) {
      checkKey(key);
      return (await reached(() => look(key))).current;
    },
    async compareAndSet(key, expected, bytes, expiry = {}) {
      checkKey(key);
      checkRecord(bytes);
      checkExpiry(expiry);
      return await reached(async () => {
        for (;;) {
          const { entry, current } = await look(key);
          if ((current?.version ?? null) !== expected) return { written: false, current };
          const { expiresInMs: expireIn } = expiry;
          const commit = await kv.atomic().check(entry)
            .set(["record", key], keptFrom(bytes, expireIn, now), { expireIn }).commit();
          if (commit.ok) return { written: true, version: commit.versionstamp };
        }
      });
    },
    async delete(key, expected) {
      checkKey(key);
      return await reached(async () => {
        for (;;) {
          const { entry, current } = await look(key);
          if (current === null) return true;
          if (current.version !== expected) return false;
          if ((await kv.atomic().check(entry).delete(["record", key]).commit()).ok) return true;
        }
      });
    },
  };
}
