/** Deno: the application over its storage and a pool of Workers. */
import { lineWriter } from "./adapters/line_writer.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { swaggerFiles } from "./adapters/swagger_files.ts";
import { createApp } from "./app.ts";
import { certifierPool } from "./certifier/pool.ts";
import { writeBehind } from "./adapters/write_behind.ts";
import type { App } from "./http/operation.ts";
import type { Log, Services } from "./services.ts";
import { type Environment, limitsFrom, poolSizeFrom } from "./settings.ts";
import { certificatesIn } from "./storage/certificates.ts";
import { modelsIn } from "./storage/models.ts";
import { openDenoStorage } from "./storage_deno.ts";

/** Certificates that may wait to be written. */
const BYTES_TO_WRITE = 16 * 2 ** 20;

export interface DenoHost {
  readonly app: App;
  readonly services: Services;
  /** Ends the Workers, writes what waits and closes the store. */
  close(): Promise<void>;
}

/** Opens the store, starts the Workers and builds the application; serving is up to the caller. */
export async function openDenoHost(environment: Environment, log: Log = requestLog()): Promise<DenoHost> {
  const storage = await openDenoStorage(environment);
  const certifier = certifierPool({
    ...poolSizeFrom(environment, navigator.hardwareConcurrency),
    createWorker: () => new Worker(new URL("./certifier/worker.ts", import.meta.url), { type: "module" }),
    graceMs: 3000,
  });
  const certificates = writeBehind(
    certificatesIn(storage),
    BYTES_TO_WRITE,
    (error) => log.failure("a certificate was not written", error),
  );
  const services: Services = {
    certificates,
    models: modelsIn(storage),
    certifier,
    assets: swaggerFiles,
    log,
    limits: limitsFrom(environment),
  };
  return {
    app: createApp(services),
    services,
    async close() {
      certifier.close();
      await certificates.settled();
      storage.close();
    },
  };
}

function requestLog(): Log {
  return logtapeLog(lineWriter(Deno.stderr));
}
