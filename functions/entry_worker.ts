/** Cloudflare: the application in one isolate. */
import type { Fetcher, KVNamespace } from "@cloudflare/workers-types";
import { boundAssets } from "./adapters/bound_assets.ts";
import { logNotifier } from "./adapters/log_notifier.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { createApp } from "./app.ts";
import { inProcessCertifier } from "./certifier/in_process.ts";
import { pausingClock } from "./clock.ts";
import type { App } from "./http/operation.ts";
import { forwardedJobs } from "./jobs/forwarding.ts";
import { recordedIdempotency } from "./jobs/idempotency.ts";
import { PollingOnly } from "./jobs/wakes.ts";
import { createKernels } from "./kernels.ts";
import { budgetFrom, jobSettingsFrom, limitsFrom, limitsWithJobs, modelCacheBytes, nodeFrom } from "./settings.ts";
import type { Log } from "./services.ts";
import { certificatesIn } from "./storage/certificates.ts";
import { modelsIn } from "./storage/models.ts";
import { workerStorage } from "./storage_worker.ts";

interface Bindings {
  readonly ASSETS: Fetcher;
  /** A namespace of Workers KV, where one is bound. */
  readonly STORE?: KVNamespace;
  /** `vars` of wrangler.toml. */
  readonly [name: string]: unknown;
}

/** Built at the first request: workerd allows no clock, no randomness and no I/O before. */
let app: App | null = null;

function build(bindings: Bindings): App {
  const environment = (name: string) => {
    const value = bindings[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const storage = workerStorage(environment, bindings.STORE);
  const budget = budgetFrom(environment), limits = limitsFrom(environment), log = workerLog();
  const settings = jobSettingsFrom(environment), node = nodeFrom(environment);
  const { records, blobs } = storage;
  // Requests do not wake each other here: each looks again by itself.
  const wakes = new PollingOnly();
  const jobs = node && records && forwardedJobs({ node, records, blobs, log, wakes }).jobs;
  return createApp({
    certificates: certificatesIn(storage),
    models: modelsIn(storage),
    certifier: inProcessCertifier(
      () => createKernels(settings.bytesAtOnce),
      budget,
      modelCacheBytes(environment),
      pausingClock(0),
    ),
    assets: boundAssets(bindings.ASSETS),
    log,
    limits: jobs === null ? limits : limitsWithJobs(limits, settings),
    ...(jobs && { jobs, notifier: logNotifier(log) }),
    ...(records && { idempotency: recordedIdempotency(records) }),
  });
}

function workerLog(): Log {
  return logtapeLog((line) => console.log(line.trimEnd()));
}

export default {
  fetch(request: Request, bindings: Bindings): Response | Promise<Response> {
    app ??= build(bindings);
    return app.fetch(request, bindings);
  },
};
