/** A node: a host over Redis whose jobs are shared with all other nodes, and which takes jobs of hosts before it. */
import { connectToRedis, ioredisStorage } from "./adapters/ioredis.ts";
import { type DenoHost, openHost, requestLog } from "./host.ts";
import { gateway } from "./jobs/gateway.ts";
import { sharedJobs } from "./jobs/shared.ts";
import type { Log } from "./services.ts";
import { type Environment, graceMsFrom, jobSettingsFrom, nodeKeysFrom, redisFrom } from "./settings.ts";

/** Throws `RangeError` for settings that do not fit, and an `Error` that says that Redis does not answer. */
export async function openNodeHost(environment: Environment, log: Log = requestLog()): Promise<DenoHost> {
  for (const name of ["LIPCERT_KV", "UPSTASH_REDIS_REST_URL", "LIPCERT_NODE"]) {
    if (environment(name)) throw new RangeError(`${name} is set: a node has its store and its jobs in LIPCERT_REDIS`);
  }
  const settings = jobSettingsFrom(environment, navigator.hardwareConcurrency);
  const keys = nodeKeysFrom(environment), graceMs = graceMsFrom(environment), address = redisFrom(environment);
  const redis = await connectToRedis(address);
  const { blobs, records } = ioredisStorage(redis);
  return await openHost({
    ...{ environment, log, settings },
    storage: { blobs, records, close: () => redis.disconnect() },
    openJobs: (parts) => sharedJobs({ ...parts, address, redis, graceMs }),
    more: keys === null || records === null ? {} : { gateway: gateway({ keys, records, now: Date.now }) },
  });
}
