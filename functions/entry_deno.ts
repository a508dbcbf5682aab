/** Deno: the application over Deno KV and a pool of Workers. */
import { denoKvCertificates, denoKvModels } from "./adapters/deno_kv.ts";
import { lineWriter } from "./adapters/line_writer.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { swaggerFiles } from "./adapters/swagger_files.ts";
import { createApp } from "./app.ts";
import { certifierPool } from "./certifier/pool.ts";
import { writeBehind } from "./adapters/write_behind.ts";
import type { App } from "./http/operation.ts";
import type { Log, Services } from "./services.ts";
import { type Environment, limitsFrom, poolSizeFrom, storePathFrom } from "./settings.ts";

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
  const path = storePathFrom(environment);
  if (path !== ":memory:") await Deno.mkdir(path.replace(/[^/\\]*$/, "") || ".", { recursive: true });
  const kv = await Deno.openKv(path);
  const certifier = certifierPool({
    ...poolSizeFrom(environment, navigator.hardwareConcurrency),
    createWorker: () => new Worker(new URL("./certifier/worker.ts", import.meta.url), { type: "module" }),
    graceMs: 3000,
  });
  const certificates = writeBehind(
    denoKvCertificates(kv),
    BYTES_TO_WRITE,
    (error) => log.failure("a certificate was not written", error),
  );
  const services: Services = {
    certificates,
    models: denoKvModels(kv),
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
      kv.close();
    },
  };
}

function requestLog(): Log {
  return logtapeLog(lineWriter(Deno.stderr));
}
