/**
 * Storage in Redis, by whatever way commands reach it: hosts that come by different ways share what is there.
 *
 * Bytes are kept as base64, since Upstash's protocol carries JSON text. Expiry is Redis's own.
 */
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

/** Commands of Redis. Each may be carried out twice, and throws `store-unavailable` when Redis cannot be reached. */
export interface RedisCommands {
  get(name: string): Promise<string | null>;
  exists(name: string): Promise<number>;
  /** `px`: milliseconds to live; absent: for ever. */
  set(name: string, value: string, px?: number): Promise<unknown>;
  del(name: string): Promise<unknown>;
  /** A script of one key. */
  eval(script: string, name: string, args: string[]): Promise<unknown>;
}

const PREFIX = "lipcert:";

export function redisBlobs(redis: RedisCommands, sizes: PieceSizes): Blobs {
  const entries: Entries = {
    async get(name) {
      const text = await redis.get(PREFIX + name);
      return text === null ? null : bytesOf(text);
    },
    has: async (name) => await redis.exists(PREFIX + name) === 1,
    async set(pieces, px) {
      await Promise.all(pieces.map(([name, bytes]) => redis.set(PREFIX + name, bytes.toBase64(), px)));
    },
    delete: async (name) => void await redis.del(PREFIX + name),
  };
  return piecedBlobs(entries, sizes);
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
export function redisRecords(redis: RedisCommands, createVersion: () => string): Records {
  const nameOf = (key: string) => `${PREFIX}r:${key}`;
  return {
    async get(key) {
      checkKey(key);
      return readRecord(await redis.get(nameOf(key)));
    },
    async compareAndSet(key, expected, bytes, expiry = {}) {
      checkKey(key);
      checkRecord(bytes);
      checkExpiry(expiry);
      const version = createVersion();
      const args = [expected ?? "", version, bytes.toBase64(), String(expiry.expiresInMs ?? 0)];
      const answer = await redis.eval(COMPARE_AND_SET, nameOf(key), args);
      const [written, current] = answer as [number, (string | null)?];
      return written === 1 ? { written: true, version } : { written: false, current: readRecord(current ?? null) };
    },
    async delete(key, expected) {
      checkKey(key);
      return await redis.eval(COMPARE_AND_DELETE, nameOf(key), [expected]) === 1;
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
