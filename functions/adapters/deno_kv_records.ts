/** Records and blobs in Deno KV. What has expired is removed when Deno KV comes to it, so every record says its end itself. */
import type { Blobs, Bytes, Now, Records, Versioned } from "../storage/port.ts";
import { checkRecord } from "../storage/port.ts";
import { reached, readBytes, writePieces } from "./deno_kv.ts";

interface Kept {
  readonly bytes: Bytes;
  /** Milliseconds since the epoch. */
  readonly expires_at?: number;
}

export function denoKvRecords(kv: Deno.Kv, now: Now): Records {
  async function look(key: string): Promise<{ entry: Deno.KvEntryMaybe<Kept>; current: Versioned | null }> {
    const entry = await kv.get<Kept>(["record", key]), { value } = entry;
    const isLive = value !== null && (value.expires_at === undefined || now() < value.expires_at);
    return { entry, current: isLive ? { bytes: value.bytes, version: entry.versionstamp! } : null };
  }

  return {
    get: (key) => reached(async () => (await look(key)).current),
    compareAndSet(key, expected, bytes, { expiresInMs: expireIn } = {}) {
      checkRecord(bytes);
      return reached(async () => {
        for (;;) {
          const { entry, current } = await look(key);
          if ((current?.version ?? null) !== expected) return { written: false, current };
          const kept: Kept = expireIn === undefined ? { bytes } : { bytes, expires_at: now() + expireIn };
          const commit = await kv.atomic().check(entry).set(["record", key], kept, { expireIn }).commit();
          if (commit.ok) return { written: true, version: commit.versionstamp };
        }
      });
    },
    delete: (key, expected) =>
      reached(async () => {
        const { entry, current } = await look(key);
        if (current === null) return true;
        return current.version === expected && (await kv.atomic().check(entry).delete(["record", key]).commit()).ok;
      }),
  };
}

export function denoKvBlobs(kv: Deno.Kv): Blobs {
  return {
    get: (key) => reached(() => readBytes(kv, ["blob", key])),
    has: (key) => reached(async () => (await kv.get(["blob", key])).value !== null),
    put: (key, bytes) =>
      reached(async () => void await kv.set(["blob", key], await writePieces(kv, ["blob", key], bytes))),
    delete: (key) => reached(() => kv.delete(["blob", key])),
  };
}
