/** A host with threads: the application over a storage and a pool of Workers, with jobs beside it. */
import { lineWriter } from "./adapters/line_writer.ts";
import { logNotifier } from "./adapters/log_notifier.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { swaggerFiles } from "./adapters/swagger_files.ts";
import { writeBehind } from "./adapters/write_behind.ts";
import { createApp } from "./app.ts";
import { certifierPool } from "./certifier/pool.ts";
import type { App } from "./http/operation.ts";
import type { EmbeddedJobsSettings, OpenJobs } from "./jobs/embedded.ts";
import { recordedIdempotency } from "./jobs/idempotency.ts";
import type { Log, Services } from "./services.ts";
import {
  type Environment,
  type JobSettings,
  limitsFrom,
  limitsWithJobs,
  type PoolSize,
  poolSizeFrom,
} from "./settings.ts";
import { certificatesIn } from "./storage/certificates.ts";
import { modelsIn } from "./storage/models.ts";
import type { OpenStorage } from "./storage_deno.ts";

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

export interface HostParts {
  readonly environment: Environment;
  readonly log: Log;
  readonly storage: OpenStorage;
  readonly settings: JobSettings;
  /** Null: this host has no jobs. */
  readonly openJobs: (settings: EmbeddedJobsSettings) => OpenJobs | null | Promise<OpenJobs | null>;
  /** Services beside those of every host. */
  readonly more?: Partial<Services>;
}

/** Starts the Workers and builds the application; serving is up to the caller. */
export async function openHost(parts: HostParts): Promise<DenoHost> {
  const { environment, log, storage, settings, openJobs, more } = parts, { records, blobs } = storage;
  const poolOf = (size: PoolSize) => certifierPool({ ...size, createWorker, graceMs: 3000 });
  const certifier = poolOf(poolSizeFrom(environment, navigator.hardwareConcurrency));
  const written = certificatesIn(storage), models = modelsIn(storage), notifier = logNotifier(log);
  const certificates = writeBehind(
    written,
    BYTES_TO_WRITE,
    (error) => log.failure("a certificate was not written", error),
  );
  const jobs = records && await openJobs({
    ...{ records, blobs, models, certificates: written, notifier, log, settings },
    createPool: () => poolOf({ workers: settings.slots, queue: settings.slots }),
  });
  const limits = limitsFrom(environment);
  const services: Services = {
    certificates,
    models,
    certifier,
    assets: swaggerFiles,
    log,
    limits: jobs === null ? limits : limitsWithJobs(limits, settings),
    ...(jobs && { jobs: jobs.jobs, notifier }),
    ...(records && { idempotency: recordedIdempotency(records) }),
    ...more,
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
      storage.close();
    },
  };
}

function createWorker(): Worker {
  return new Worker(new URL("./certifier/worker.ts", import.meta.url), { type: "module" });
}

/** Lines of JSON on standard error. */
export function requestLog(): Log {
  return logtapeLog(lineWriter(Deno.stderr));
}
