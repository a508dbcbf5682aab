/** Cloudflare: the application in one isolate, with stores that live as long as it does. */
import type { Fetcher } from "@cloudflare/workers-types";
import { boundAssets } from "./adapters/bound_assets.ts";
import { logtapeLog } from "./adapters/logtape.ts";
import { memoryCertificates, memoryModels } from "./adapters/memory.ts";
import { createApp } from "./app.ts";
import { inProcessCertifier } from "./certifier/in_process.ts";
import { pausingClock } from "./clock.ts";
import type { App } from "./http/operation.ts";
import { createKernels } from "./kernels.ts";
import { budgetFrom, limitsFrom, modelCacheBytes } from "./settings.ts";

interface Bindings {
  readonly ASSETS: Fetcher;
  /** `vars` of wrangler.toml. */
  readonly [name: string]: unknown;
}

const MIB = 2 ** 20;

/** Built at the first request: workerd allows no clock, no randomness and no I/O before. */
let app: App | null = null;

function build(bindings: Bindings): App {
  const environment = (name: string) => {
    const value = bindings[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const budget = budgetFrom(environment);
  return createApp({
    certificates: memoryCertificates(8 * MIB),
    models: memoryModels(16 * MIB),
    certifier: inProcessCertifier(
      () => createKernels(budget.bytes),
      budget,
      modelCacheBytes(environment),
      pausingClock(0),
    ),
    assets: boundAssets(bindings.ASSETS),
    log: logtapeLog((line) => console.log(line.trimEnd())),
    limits: limitsFrom(environment),
  });
}

export default {
  fetch(request: Request, bindings: Bindings): Response | Promise<Response> {
    app ??= build(bindings);
    return app.fetch(request, bindings);
  },
};
