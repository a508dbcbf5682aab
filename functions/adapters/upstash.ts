/**
 * Storage in Redis over Upstash's REST protocol: the way of hosts that have nothing but `fetch`.
 *
 * The client's file for Cloudflare is used on every platform.
 */
import { Redis } from "@upstash/redis/cloudflare";
import type { SharedStore } from "../settings.ts";
import type { PieceSizes } from "../storage/pieces.ts";
import type { Blobs, Records } from "../storage/port.ts";
import { reached as reachedBackend } from "../storage/reached.ts";
import { redisBlobs, type RedisCommands, redisRecords } from "./redis_storage.ts";

/** Upstash's smallest plans take requests of 1 MB: 512 KiB are 699,052 characters of base64. */
const SIZES: PieceSizes = { inlineBytes: 512 * 1024, pieceBytes: 512 * 1024, inFlight: 4 };

/** One request with its repetitions. */
const TIMEOUT_MS = 15_000;
const RETRIES = 2;

/**
 * A client that sends nothing yet. Its commands are ones that may be sent twice: it repeats a request whose connection
 * broke.
 *
 * No automatic pipelines: they would put pieces that are under way together into one request above the limit.
 */
export function upstashClient({ url, token }: SharedStore, timeoutMs = TIMEOUT_MS): Redis {
  return new Redis({
    url,
    token,
    automaticDeserialization: false,
    responseEncoding: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    retry: { retries: RETRIES, backoff: (tries) => 50 * 4 ** tries },
    signal: () => AbortSignal.timeout(timeoutMs),
  });
}

/** Throws `store-unavailable` when nobody answers or the token is refused. */
export async function pingUpstash(redis: Redis): Promise<void> {
  await reached(() => redis.ping());
}

export function upstashBlobs(redis: Redis): Blobs {
  return redisBlobs(commandsOf(redis), SIZES);
}

export function upstashRecords(redis: Redis, createVersion: () => string = () => crypto.randomUUID()): Records {
  return redisRecords(commandsOf(redis), createVersion);
}

function commandsOf(redis: Redis): RedisCommands {
  return {
    get: (name) => reached(() => redis.get<string>(name)),
    exists: (name) => reached(() => redis.exists(name)),
    set: (name, value, px) => reached(() => redis.set(name, value, px === undefined ? undefined : { px })),
    del: (name) => reached(() => redis.del(name)),
    eval: (script, name, args) => reached(() => redis.eval(script, [name], args)),
  };
}

function reached<T>(call: () => Promise<T>): Promise<T> {
  return reachedBackend(call, withoutContent);
}

/** The client's messages hold the whole command, or the start of an answer: both have content that no log may hold. */
function withoutContent(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "UpstashJSONParseError") return new Error("The store's answer is not JSON");
  if (error.name !== "UpstashError") return error;
  return new Error(`The store refuses: ${error.message.replace(/, command was: .*$/s, "").slice(0, 200)}`);
}
