/** What a Cloudflare isolate keeps things in: the shared store, a KV namespace, or its own memory while it lives. */
import type { KVNamespace } from "@cloudflare/workers-types";
import { memoryBlobs, memoryRecords } from "./adapters/memory.ts";
import { upstashBlobs, upstashClient, upstashRecords } from "./adapters/upstash.ts";
import { workersKvBlobs } from "./adapters/workers_kv.ts";
import { type Environment, upstashFrom } from "./settings.ts";
import type { Storage } from "./storage/port.ts";

const MIB = 2 ** 20;
const now = () => Date.now();

/** Throws `RangeError` for settings that do not fit. */
export function workerStorage(environment: Environment, namespace: KVNamespace | undefined): Storage {
  const shared = upstashFrom(environment);
  if (shared !== null && namespace !== undefined) {
    throw new RangeError("The KV namespace STORE and UPSTASH_REDIS_REST_URL are set: choose one store");
  }
  if (shared !== null) {
    const redis = upstashClient(shared);
    return { blobs: upstashBlobs(redis), records: upstashRecords(redis) };
  }
  if (namespace !== undefined) return { blobs: workersKvBlobs(namespace, now), records: null };
  return { blobs: memoryBlobs(24 * MIB, now), records: memoryRecords(MIB, now) };
}
