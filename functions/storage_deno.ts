/** What a Deno host keeps things in: the shared store where one is named, else a file of its own. */
import { denoKvBlobs, denoKvRecords } from "./adapters/deno_kv.ts";
import { pingUpstash, upstashBlobs, upstashClient, upstashRecords } from "./adapters/upstash.ts";
import { type Environment, storePathFrom, upstashFrom } from "./settings.ts";
import type { Storage } from "./storage/port.ts";

export interface OpenStorage extends Storage {
  close(): void;
}

/** Throws `RangeError` for settings that do not fit, and an `Error` that says which store does not answer. */
export async function openDenoStorage(environment: Environment): Promise<OpenStorage> {
  const shared = upstashFrom(environment);
  if (shared === null) return await openFile(storePathFrom(environment));
  if (environment("LIPCERT_KV")) {
    throw new RangeError("LIPCERT_KV and UPSTASH_REDIS_REST_URL are set: choose one store");
  }
  const redis = upstashClient(shared);
  try {
    await pingUpstash(redis);
  } catch (error) {
    const { origin } = new URL(shared.url);
    throw new Error(`The store at ${origin} (UPSTASH_REDIS_REST_URL) does not answer or refuses the token`, {
      cause: (error as Error).cause,
    });
  }
  return { blobs: upstashBlobs(redis), records: upstashRecords(redis), close() {} };
}

async function openFile(path: string): Promise<OpenStorage> {
  if (path !== ":memory:") await Deno.mkdir(path.replace(/[^/\\]*$/, "") || ".", { recursive: true });
  const kv = await Deno.openKv(path);
  return { blobs: denoKvBlobs(kv, Date.now), records: denoKvRecords(kv, Date.now), close: () => kv.close() };
}
