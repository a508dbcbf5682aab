/** The connection to Redis that all requests share. */
import { Redis } from "ioredis";
import { allowedCommands, type Command, FrontError } from "./commands.ts";
import type { Reply } from "./replies.ts";

/** A reply, or what Redis said against the command. */
export type Outcome = { readonly reply: Reply } | { readonly refused: string };

export interface RedisConnection {
  readonly allowed: ReadonlySet<string>;
  /** Throws `FrontError` when Redis cannot be reached; the command may have been carried out. */
  call(command: Command): Promise<Outcome>;
  /** All or none (`MULTI`), in order. Throws `FrontError`. */
  transaction(commands: readonly Command[]): Promise<Outcome[]>;
  close(): void;
}

const COMMAND_TIMEOUT_MS = 10_000;

/**
 * Connects, or throws an `Error` that says why not.
 *
 * A connection that breaks later is made again. Meanwhile commands fail at once, and none is sent twice: only the caller
 * knows whether that is harmless.
 */
export async function connectRedis(address: string): Promise<RedisConnection> {
  const redis = new Redis(address, {
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
  let cause: unknown;
  redis.on("error", (error) => cause = error); // each command says so itself
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new Error(`Redis does not answer: ${(cause ?? error as Error)}`, { cause: error });
  }
  const allowed = allowedCommands(await redis.call("COMMAND") as Parameters<typeof allowedCommands>[0]);

  return {
    allowed,
    async call([name, ...args]) {
      try {
        return { reply: await redis.callBuffer(name, ...args) as Reply };
      } catch (error) {
        return { refused: refusalOf(error) };
      }
    },
    async transaction(commands) {
      const multi = redis.multi();
      for (const [name, ...args] of commands) multi.callBuffer(name, ...args);
      try {
        const outcomes = await multi.exec() ?? [];
        return outcomes.map(([error, reply]) => error ? { refused: error.message } : { reply: reply as Reply });
      } catch (error) {
        throw new FrontError(400, refusalOf(error));
      }
    },
    close: () => redis.disconnect(),
  };
}

/** What Redis answered; throws `FrontError` for everything that is not its answer. */
function refusalOf(error: unknown): string {
  const { name, message } = error as Error;
  if (name === "ReplyError") return message;
  throw new FrontError(503, "ERR Redis cannot be reached");
}
