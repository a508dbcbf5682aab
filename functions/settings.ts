/** What an operator may set, by name of the environment variable (or of the Worker's `vars`). */
import type { Budget } from "../shared/mod.ts";
import { MOST_ON_BOARD } from "./jobs/board.ts";
import type { Limits } from "./services.ts";

export type Environment = (name: string) => string | undefined;

const MIB = 2 ** 20;

/** Defaults of a host of one's own; `wrangler.toml` sets those of the edge. */
const DEFAULTS = {
  LIPCERT_BODY_MIB: 64,
  LIPCERT_FRONT_BODY_MIB: 10,
  LIPCERT_GFLOP: 100_000,
  LIPCERT_GFLOP_AT_ONCE: 1000,
  LIPCERT_GRACE_S: 20,
  LIPCERT_JOBS: 256,
  LIPCERT_MEMORY_MIB: 2048,
  LIPCERT_MODEL_CACHE_MIB: 256,
  LIPCERT_QUEUE: 64,
} as const;

/** Throws `RangeError` when the variable is set to something that is not a positive number. */
function setting(environment: Environment, name: keyof typeof DEFAULTS): number {
  return positive(name, environment(name), DEFAULTS[name]);
}

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(`${name} must be a positive number, got "${text}"`);
}

export function limitsFrom(environment: Environment): Limits {
  return {
    body_bytes: Math.floor(setting(environment, "LIPCERT_BODY_MIB") * MIB),
    gflop: setting(environment, "LIPCERT_GFLOP"),
    memory_bytes: budgetFrom(environment).bytes,
  };
}

export function budgetFrom(environment: Environment): Budget {
  return {
    flops: setting(environment, "LIPCERT_GFLOP") * 1e9,
    bytes: Math.floor(setting(environment, "LIPCERT_MEMORY_MIB") * MIB),
  };
}

export interface JobSettings {
  /** Jobs that run at the same time; 0: this host has none. */
  readonly slots: number;
  /** Jobs that may wait or run. */
  readonly most: number;
  /** Arithmetic up to which a question is answered at once. */
  readonly gflopAtOnce: number;
  /** Memory up to which a question is answered at once. */
  readonly bytesAtOnce: number;
}

/** Throws `RangeError` for numbers that do not fit, and for more jobs than the list of them holds. */
export function jobSettingsFrom(environment: Environment, defaultSlots = 1): JobSettings {
  const slots = environment("LIPCERT_JOB_WORKERS");
  const most = Math.floor(setting(environment, "LIPCERT_JOBS"));
  if (most > MOST_ON_BOARD) throw new RangeError(`LIPCERT_JOBS must be at most ${MOST_ON_BOARD}, got ${most}`);
  return {
    slots: slots === "0" ? 0 : Math.ceil(positive("LIPCERT_JOB_WORKERS", slots, defaultSlots)),
    most,
    gflopAtOnce: setting(environment, "LIPCERT_GFLOP_AT_ONCE"),
    bytesAtOnce: bytesAtOnceFrom(environment),
  };
}

function bytesAtOnceFrom(environment: Environment): number {
  const name = "LIPCERT_MEMORY_AT_ONCE_MIB", all = setting(environment, "LIPCERT_MEMORY_MIB");
  return Math.floor(Math.min(all, positive(name, environment(name), all)) * MIB);
}

export function modelCacheBytes(environment: Environment): number {
  return setting(environment, "LIPCERT_MODEL_CACHE_MIB") * MIB;
}

/** What a host that has jobs allows: more than it answers at once. */
export function limitsWithJobs(limits: Limits, { gflopAtOnce, bytesAtOnce }: JobSettings): Limits {
  const isLess = bytesAtOnce < limits.memory_bytes;
  return { ...limits, gflop_at_once: gflopAtOnce, ...(isLess && { memory_bytes_at_once: bytesAtOnce }) };
}

export interface PoolSize {
  readonly workers: number;
  readonly queue: number;
}

/** One core stays free for serving, where there is more than one. */
export function poolSizeFrom(environment: Environment, cores: number): PoolSize {
  const workers = positive("LIPCERT_WORKERS", environment("LIPCERT_WORKERS"), cores - 1 || 1);
  return { workers: Math.max(1, Math.floor(workers)), queue: Math.floor(setting(environment, "LIPCERT_QUEUE")) };
}

/** Threads of one search, for each Worker: those of the pool answer several questions already. */
export function searchThreadsFrom(environment: Environment): number {
  const name = "LIPCERT_SEARCH_THREADS";
  return Math.max(1, Math.floor(positive(name, environment(name), 1)));
}

export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Throws `RangeError` for a port that is none. */
export function addressFrom(environment: Environment, defaultPort = 8000): Address {
  const port = Number(environment("PORT") ?? defaultPort);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`PORT must be a port, got "${port}"`);
  return { hostname: environment("HOST") ?? "127.0.0.1", port };
}

/** The file of the embedded store: `LIPCERT_KV`, else one under the user's data folder. */
export function storePathFrom(environment: Environment): string {
  const named = environment("LIPCERT_KV");
  if (named !== undefined && named !== "") return named;
  const home = environment("HOME");
  const data = environment("XDG_DATA_HOME") ?? (home === undefined ? "/tmp" : `${home}/.local/share`);
  return `${data}/lipcert/store.sqlite3`;
}

/** Where the store is that all hosts share, and the secret that opens it. */
export interface SharedStore {
  readonly url: string;
  readonly token: string;
}

/**
 * The shared store, by the names its maker gives them; null when neither is set.
 *
 * Throws `RangeError` when only one is set, or when one cannot be right. No message holds the token.
 */
export function upstashFrom(environment: Environment): SharedStore | null {
  const [urlName, tokenName] = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];
  const url = environment(urlName) ?? "";
  const token = environment(tokenName) ?? "";
  if (url === "" && token === "") return null;
  if (url === "" || token === "") {
    throw new RangeError(`${url === "" ? urlName : tokenName} is missing: the shared store needs both`);
  }
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (
    parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username + parsed.password + parsed.search !== ""
  ) {
    throw new RangeError(
      `${urlName} must be an address that begins with https:// or http://, without a user or a query`,
    );
  }
  if (!/^[!-~]+$/.test(token)) throw new RangeError(`${tokenName} must be visible ASCII without spaces`);
  return { url, token };
}

/** What `deno task redis-front` serves, to whom and how much at once. */
export interface FrontSettings {
  /** `redis://`, `rediss://` or the path of a socket. */
  readonly redis: string;
  readonly token: string;
  readonly limits: { readonly bodyBytes: number; readonly commands: number };
}

const FRONT_TOKEN_LENGTH = 16;
const FRONT_COMMANDS = 1000;

/** Throws `RangeError` without a token that is worth its name. No message holds it, nor the password of Redis. */
export function frontFrom(environment: Environment): FrontSettings {
  const token = environment("LIPCERT_FRONT_TOKEN") ?? "";
  if (token.length < FRONT_TOKEN_LENGTH || !/^[A-Za-z0-9._~+\/-]+=*$/.test(token)) {
    throw new RangeError(
      `LIPCERT_FRONT_TOKEN must be at least ${FRONT_TOKEN_LENGTH} letters, digits or ._~+/- (a bearer token)`,
    );
  }
  const redis = redisFrom(environment);
  const bodyBytes = Math.floor(setting(environment, "LIPCERT_FRONT_BODY_MIB") * MIB);
  return { redis, token, limits: { bodyBytes, commands: FRONT_COMMANDS } };
}

/** Where Redis is. Throws `RangeError` for what is no address of one; no message holds it, for it may hold a password. */
export function redisFrom(environment: Environment): string {
  const redis = environment("LIPCERT_REDIS") || "redis://127.0.0.1:6379";
  if (/^(rediss?:\/\/.|\/)/.test(redis)) return redis;
  throw new RangeError("LIPCERT_REDIS must begin with redis:// or rediss://, or be the path of a socket");
}

/** How long jobs that run may take to end when a node is told to, in milliseconds. */
export function graceMsFrom(environment: Environment): number {
  return environment("LIPCERT_GRACE_S") === "0" ? 0 : setting(environment, "LIPCERT_GRACE_S") * 1000;
}

/** The keys that hosts of one operator share, the one that signs first; null where none is set. */
export function nodeKeysFrom(environment: Environment): readonly string[] | null {
  const keys = (environment("LIPCERT_NODE_KEYS") ?? "").split(/\s+/).filter((key) => key !== "");
  if (keys.length === 0) return null;
  if (keys.every((key) => /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/.test(key))) return keys;
  throw new RangeError("LIPCERT_NODE_KEYS must be one or more keys: whsec_ and 24 to 64 random bytes in base64");
}

/** The node that takes the jobs of this host. */
export interface NodeAddress {
  readonly url: string;
  readonly keys: readonly string[];
}

/** Null where none is named. Throws `RangeError` when it cannot be right. No message holds a key. */
export function nodeFrom(environment: Environment): NodeAddress | null {
  const url = environment("LIPCERT_NODE") ?? "";
  if (url === "") return null;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username + parsed.password + parsed.search) {
    throw new RangeError(
      "LIPCERT_NODE must be an address that begins with https:// or http://, without a user or a query",
    );
  }
  const keys = nodeKeysFrom(environment);
  if (keys === null) throw new RangeError("LIPCERT_NODE_KEYS is missing: a node takes signed jobs only");
  if (upstashFrom(environment) === null) {
    throw new RangeError("UPSTASH_REDIS_REST_URL is missing: a node and the hosts before it share a store");
  }
  return { url: url.replace(/\/+$/, ""), keys };
}
