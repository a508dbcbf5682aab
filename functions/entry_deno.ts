/** Deno: the application over Deno KV and a pool of Workers, with jobs beside it. */
import { denoKvBlobs, denoKvRecords } from "./adapters/deno_kv_records.ts";
import { denoKvCertificates, denoKvModels } from "./adapters/deno_kv.ts";
import { lineWriter } from "./adapters/line_writer.ts";
import { logNotifier } from "./adapters/log_notifier.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { swaggerFiles } from "./adapters/swagger_files.ts";
import { createApp } from "./app.ts";
import { certifierPool } from "./certifier/pool.ts";
import { writeBehind } from "./adapters/write_behind.ts";
import type { App } from "./http/operation.ts";
import { embeddedJobs } from "./jobs/embedded.ts";
import { recordedIdempotency } from "./jobs/idempotency.ts";
import type { Log, Services } from "./services.ts";
import {
  type Environment,
  jobSettingsFrom,
  limitsFrom,
  type PoolSize,
  poolSizeFrom,
  storePathFrom,
} from "./settings.ts";

/** Certificates that may wait to be written. */
const BYTES_TO_WRITE = 16 * 2 ** 20;

export interface DenoHost {
  readonly app: App;
  readonly services: Services;
  /** Gives jobs that run back and lets go of those who wait for one; requests are served as before. */
  endJobs(): Promise<void>;
  /** Ends jobs and Workers, writes what waits and closes the store. */
  close(): Promise<void>;
}

/** Opens the store, starts the Workers and builds the application; serving is up to the caller. */
export async function openDenoHost(environment: Environment, log: Log = requestLog()): Promise<DenoHost> {
  const path = storePathFrom(environment);
  if (path !== ":memory:") await Deno.mkdir(path.replace(/[^/\\]*$/, "") || ".", { recursive: true });
  const kv = await Deno.openKv(path);
  const poolOf = (size: PoolSize) => certifierPool({ ...size, createWorker, graceMs: 3000 });
  const certifier = poolOf(poolSizeFrom(environment, navigator.hardwareConcurrency));
  const written = denoKvCertificates(kv), models = denoKvModels(kv);
  const certificates = writeBehind(
    written,
    BYTES_TO_WRITE,
    (error) => log.failure("a certificate was not written", error),
  );
  const records = denoKvRecords(kv, Date.now), notifier = logNotifier(log);
  const settings = jobSettingsFrom(environment);
  const jobs = settings.slots === 0 ? null : embeddedJobs({
    ...{ records, blobs: denoKvBlobs(kv), models, certificates: written, notifier, log, settings },
    createPool: () => poolOf({ workers: settings.slots, queue: settings.slots }),
  });
  const limits = limitsFrom(environment);
  const services: Services = {
    certificates,
    models,
    certifier,
    assets: swaggerFiles,
    log,
    limits: jobs === null ? limits : { ...limits, gflop_at_once: settings.gflopAtOnce },
    ...(jobs && { jobs: jobs.jobs, notifier }),
    idempotency: recordedIdempotency(records),
  };
  const endJobs = async () => await jobs?.close();
  return {
    app: createApp(services),
    services,
    endJobs,
    async close() {
      await endJobs();
      certifier.close();
      await certificates.settled();
      kv.close();
    },
  };
}

function createWorker(): Worker {
  return new Worker(new URL("./certifier/worker.ts", import.meta.url), { type: "module" });
}

function requestLog(): Log {
  return logtapeLog(lineWriter(Deno.stderr));
}
