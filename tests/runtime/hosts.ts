/** The service as each platform runs it: a listening Deno server, and workerd through wrangler's harness. */
import { createTestHarness } from "wrangler";
import { openDenoHost } from "../../functions/entry_deno.ts";
import type { RequestRecord, Services } from "../../functions/services.ts";

export interface Host {
  readonly name: string;
  readonly bodyLimit: number;
  /** Whether large questions become jobs. */
  readonly hasJobs: boolean;
  fetch(path: string, init?: RequestInit & { duplex?: "half" }): Promise<Response>;
  close(): Promise<void>;
}

export interface ServedDeno extends Host {
  readonly origin: string;
  readonly requests: RequestRecord[];
  readonly services: Services;
  endJobs(): Promise<void>;
}

const BODY_MIB = 2;

/** A Deno host on a free port, its store in memory unless told. One whose store is cut off may fail behind its answers. */
export async function denoHost(settings: Record<string, string> = {}, mayFail = false): Promise<ServedDeno> {
  const environment: Record<string, string> = {
    ...("UPSTASH_REDIS_REST_URL" in settings ? {} : { LIPCERT_KV: ":memory:" }),
    LIPCERT_WORKERS: "1",
    LIPCERT_BODY_MIB: String(BODY_MIB),
    ...settings,
  };
  const requests: RequestRecord[] = [], failures: Error[] = [];
  const host = await openDenoHost((name) => environment[name], {
    request: (record) => void requests.push(record),
    note: () => {},
    failure: (what, error) => void failures.push(new Error(what, { cause: error })),
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => host.app.fetch(request));
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    name: "deno",
    hasJobs: environment.LIPCERT_JOB_WORKERS !== "0",
    bodyLimit: Number(environment.LIPCERT_BODY_MIB) * 2 ** 20,
    origin,
    requests,
    services: host.services,
    endJobs: () => host.endJobs(),
    fetch: (path, init) => fetch(`${origin}${path}`, init),
    async close() {
      await host.endJobs();
      await server.shutdown();
      await host.close();
      if (failures.length > 0 && !mayFail) throw failures[0];
    },
  };
}

/** workerd with the project's wrangler.toml, and more `vars` if told. */
export async function workerdHost(settings: Record<string, string> = {}): Promise<Host> {
  Deno.env.set("WRANGLER_SEND_METRICS", "false");
  Deno.env.set("CLOUDFLARE_CF_FETCH_ENABLED", "false"); // else it asks its maker's host for a sample request
  const harness = createTestHarness({
    workers: [{ configPath: "./wrangler.toml", vars: { LIPCERT_BODY_MIB: String(BODY_MIB), ...settings } }],
  });
  await harness.listen();
  return {
    name: "workerd",
    hasJobs: false,
    bodyLimit: BODY_MIB * 2 ** 20,
    fetch: (path, init) =>
      harness.fetch(path, init as Parameters<typeof harness.fetch>[1]) as unknown as Promise<Response>,
    close: () => harness.close(),
  };
}
