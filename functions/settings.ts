/** What an operator may set, by name of the environment variable (or of the Worker's `vars`). */
import type { Budget } from "../shared/mod.ts";
import type { Limits } from "./services.ts";

export type Environment = (name: string) => string | undefined;

const MIB = 2 ** 20;

/** Defaults of a host of one's own; `wrangler.toml` sets those of the edge. */
const DEFAULTS = {
  LIPCERT_BODY_MIB: 64,
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
export function addressFrom(environment: Environment): Address {
  const port = Number(environment("PORT") ?? 8000);
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
