/** What an operator may set, by name of the environment variable (or of the Worker's `vars`). */
import type { Budget } from "../shared/mod.ts";
import type { Limits } from "./services.ts";

export type Environment = (name: string) => string | undefined;

const MIB = 2 ** 20;

/** Defaults of a host of one's own; `wrangler.toml` sets those of the edge. */
const DEFAULTS = {
  LIPCERT_BODY_MIB: 64,
  LIPCERT_FRONT_BODY_MIB: 10,
  LIPCERT_GFLOP: 6000,
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

export function modelCacheBytes(environment: Environment): number {
  return setting(environment, "LIPCERT_MODEL_CACHE_MIB") * MIB;
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
  const redis = environment("LIPCERT_REDIS") || "redis://127.0.0.1:6379";
  if (!/^(rediss?:\/\/.|\/)/.test(redis)) {
    throw new RangeError("LIPCERT_REDIS must begin with redis:// or rediss://, or be the path of a socket");
  }
  const bodyBytes = Math.floor(setting(environment, "LIPCERT_FRONT_BODY_MIB") * MIB);
  return { redis, token, limits: { bodyBytes, commands: FRONT_COMMANDS } };
}
