/** Deno: a host of its own, or one before a node that takes its jobs. */
import { type DenoHost, openHost, requestLog } from "./host.ts";
import { embeddedJobs } from "./jobs/embedded.ts";
import { forwardedJobs } from "./jobs/forwarding.ts";
import { Wakes } from "./jobs/wakes.ts";
import type { Log } from "./services.ts";
import { type Environment, jobSettingsFrom, nodeFrom } from "./settings.ts";
import { openDenoStorage } from "./storage_deno.ts";

export type { DenoHost } from "./host.ts";

/** Opens the store, starts the Workers and builds the application; serving is up to the caller. */
export async function openDenoHost(environment: Environment, log: Log = requestLog()): Promise<DenoHost> {
  const settings = jobSettingsFrom(environment), node = nodeFrom(environment);
  const storage = await openDenoStorage(environment);
  return await openHost({
    ...{ environment, log, storage, settings },
    openJobs(parts) {
      if (node !== null) return forwardedJobs({ ...parts, node, wakes: new Wakes() });
      return settings.slots === 0 ? null : embeddedJobs(parts);
    },
  });
}
