/**
 * Blobs in Workers KV. It has no compare-and-set, so it has no records.
 *
 * A write is seen elsewhere within a minute or so, and a miss is remembered as long: right for what never changes. A value
 * holds 25 MiB. A lifetime is at least 60 seconds there, so every entry says its end itself.
 */
import type { KVNamespace } from "@cloudflare/workers-types";
import { type Entries, piecedBlobs, type PieceSizes } from "../storage/pieces.ts";
import type { Blobs, Now } from "../storage/port.ts";
import { reached } from "../storage/reached.ts";

interface End {
  /** Milliseconds since the epoch. */
  readonly expires_at?: number;
}

const SIZES: PieceSizes = { inlineBytes: 20 * 2 ** 20, pieceBytes: 20 * 2 ** 20, inFlight: 1 };
const SHORTEST_LIFETIME_S = 60;

export function workersKvBlobs(namespace: KVNamespace, now: Now, sizes = SIZES): Blobs {
  const isLive = (end: End | null) => end?.expires_at === undefined || now() < end.expires_at;
  const entries: Entries = {
    get: (name) =>
      reached(async () => {
        const { value, metadata } = await namespace.getWithMetadata<End>(name, "arrayBuffer");
        return value === null || !isLive(metadata) ? null : new Uint8Array(value as ArrayBuffer);
      }),
    has: (name) =>
      reached(async () => {
        const { value, metadata } = await namespace.getWithMetadata<End>(name, "stream");
        await value?.cancel();
        return value !== null && isLive(metadata);
      }),
    set: (pieces, expiresInMs) =>
      reached(async () => {
        const options = expiresInMs === undefined ? {} : {
          expirationTtl: Math.max(SHORTEST_LIFETIME_S, Math.ceil(expiresInMs / 1000)),
          metadata: { expires_at: now() + expiresInMs } satisfies End,
        };
        await Promise.all(pieces.map(([name, bytes]) => namespace.put(name, bytes, options)));
      }),
    delete: (name) => reached(() => namespace.delete(name)),
  };
  return piecedBlobs(entries, sizes);
}
