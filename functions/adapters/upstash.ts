/**
 * Storage in Redis over Upstash's REST protocol: the one that all edges share.
 *
 * Bytes travel and are kept as base64, since the protocol carries JSON text. Expiry is Redis's own. The client's file for
 * Cloudflare is used on every platform: it needs nothing but `fetch`.
 */
import { Redis } from "@upstash/redis/cloudflare";
import type { SharedStore } from "../settings.ts";
import { type Entries, piecedBlobs, type PieceSizes } from "../storage/pieces.ts";
import {
  type Blobs,
  type Bytes,
  checkExpiry,
  checkKey,
  checkRecord,
  type Records,
  type Versioned,
} from "../storage/port.ts";
import { reached as reachedBackend } from "../storage/reached.ts";

/** Upstash's smallest plans take requests of 1 MB: 512 KiB are 699,052 characters of base64. */
const SIZES: PieceSizes = { inlineBytes: 512 * 1024, pieceBytes: 512 * 1024, inFlight: 4 };

/** One request with its repetitions. */
const TIMEOUT_MS = 15_000;
const RETRIES = 2;

const PREFIX = "lipcert:";

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
  const entries: Entries = {
    get: (name) =>
      reached(async () => {
        const text = await redis.get<string>(PREFIX + name);
        return text === null ? null : Uint8Array.fromBase64(text);
      }),
    has: (name) => reached(async () => await redis.exists(PREFIX + name) === 1),
    set: (pieces, px) =>
      reached(async () => {
        const options = px === undefined ? undefined : { px };
        await Promise.all(pieces.map(([name, bytes]) => redis.set(PREFIX + name, bytes.toBase64(), options)));
      }),
    delete: (name) => reached(async () => void await redis.del(PREFIX + name)),
  };
  return piecedBlobs(entries, SIZES);
}

/**
 * A record is `<version>:<base64>`. Arguments: expected version or "", new version, base64, milliseconds or 0. Answers
 * with what is there where that is neither the expected version nor, after an answer that was lost, already the new one.
 */
const COMPARE_AND_SET = `
local current = redis.call("GET", KEYS[1])
local version = current and string.match(current, "^[^:]*") or ""
if version == ARGV[2] then return {1} end
if version ~= ARGV[1] then return {0, current} end
if ARGV[4] == "0" then redis.call("SET", KEYS[1], ARGV[2] .. ":" .. ARGV[3])
else redis.call("SET", KEYS[1], ARGV[2] .. ":" .. ARGV[3], "PX", ARGV[4]) end
return {1}`;

const COMPARE_AND_DELETE = `
local current = redis.call("GET", KEYS[1])
if not current then return 1 end
if string.match(current, "^[^:]*") ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`;

/** The version is a random name that the writer gives, so that a repeated write knows itself again. */
export function upstashRecords(redis: Redis, createVersion: () => string = () => crypto.randomUUID()): Records {
  const nameOf = (key: string) => `${PREFIX}r:${key}`;
  return {
    async get(key) {
      checkKey(key);
      return readRecord(await reached(() => redis.get<string>(nameOf(key))));
    },
    async compareAndSet(key, expected, bytes, expiry = {}) {
      checkKey(key);
      checkRecord(bytes);
      checkExpiry(expiry);
      const version = createVersion();
      const [written, current] = await reached(() =>
        redis.eval<string[], [number, (string | null)?]>(COMPARE_AND_SET, [nameOf(key)], [
          expected ?? "",
          version,
          bytes.toBase64(),
          String(expiry.expiresInMs ?? 0),
        ])
      );
      return written === 1 ? { written: true, version } : { written: false, current: readRecord(current ?? null) };
    },
    async delete(key, expected) {
      checkKey(key);
      const gone = await reached(() => redis.eval<string[], number>(COMPARE_AND_DELETE, [nameOf(key)], [expected]));
      return gone === 1;
    },
  };
}

function readRecord(text: string | null): Versioned | null {
  if (text === null) return null;
  const colon = text.indexOf(":");
  return { version: text.slice(0, colon), bytes: bytesOf(text.slice(colon + 1)) };
}

function bytesOf(base64: string): Bytes {
  return Uint8Array.fromBase64(base64);
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
