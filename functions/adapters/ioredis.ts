/** Storage in Redis over its own protocol: the way of hosts that have sockets. */
import { Redis } from "ioredis";
import type { PieceSizes } from "../storage/pieces.ts";
import type { Storage } from "../storage/port.ts";
import { reached as reachedBackend } from "../storage/reached.ts";
import { redisBlobs, type RedisCommands, redisRecords } from "./redis_storage.ts";

/** Those of `upstash.ts`: what one host keeps whole another should not keep in pieces. */
const SIZES: PieceSizes = { inlineBytes: 512 * 1024, pieceBytes: 512 * 1024, inFlight: 4 };

/** One command, with the time until a connection that broke is there again. */
const TIMEOUT_MS = 5000;

/** Milliseconds until the next attempt to connect. */
export function reconnectAfter(times: number): number {
  return Math.min(50 * times, 1000);
}

/**
 * Connects, or throws an `Error` that says why not; no message holds the password.
 *
 * A connection that breaks later is made again and commands wait for it. One whose answer was lost is sent again, and one
 * that has failed may still be carried out: the commands of storage are harmless twice.
 */
export async function connectToRedis(address: string, timeoutMs = TIMEOUT_MS): Promise<Redis> {
  const redis = new Redis(address, {
    protocol: 2,
    lazyConnect: true,
    maxRetriesPerRequest: null,
    commandTimeout: timeoutMs,
    retryStrategy: reconnectAfter,
  });
  let cause: unknown;
  redis.on("error", (error) => cause = error); // each command says so itself
  try {
    await redis.connect();
    await redis.ping();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw new Error(`Redis does not answer: ${(cause ?? error as Error)}`, { cause: error });
  }
}

export function ioredisStorage(redis: Redis, createVersion = () => crypto.randomUUID() as string): Storage {
  const commands: RedisCommands = {
    get: (name) => reached(() => redis.get(name)),
    exists: (name) => reached(() => redis.exists(name)),
    set: (name, value, px) =>
      reached(() => px === undefined ? redis.set(name, value) : redis.set(name, value, "PX", px)),
    del: (name) => reached(() => redis.del(name)),
    eval: (script, name, args) => reached(() => redis.eval(script, 1, name, ...args)),
  };
  return { blobs: redisBlobs(commands, SIZES), records: redisRecords(commands, createVersion) };
}

function reached<T>(call: () => Promise<T>): Promise<T> {
  return reachedBackend(call, withoutContent);
}

/** The client's errors carry the command, and so what was to be kept. */
function withoutContent(error: unknown): unknown {
  return new Error(`Redis: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`);
}
