/** Storage whose adapters run in workerd, with Workers KV and the way to a shared Redis, through wrangler's harness. */
import { createTestHarness } from "wrangler";
import type { Storage } from "../../functions/storage/port.ts";
import { LipcertError, type ProblemType } from "../../shared/errors.ts";
import { type Call, decodeAnswer, encodeCall } from "./calls.ts";

export interface WorkerdStorage {
  storage(backend: "kv" | "kv_pieces" | "upstash"): Storage;
  /** Empties Workers KV. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

export async function workerdStorage(vars: Record<string, string>): Promise<WorkerdStorage> {
  Deno.env.set("WRANGLER_SEND_METRICS", "false");
  Deno.env.set("CLOUDFLARE_CF_FETCH_ENABLED", "false"); // else it asks its maker's host for a sample request
  const harness = createTestHarness({
    workers: [{
      config: {
        name: "storage",
        main: new URL("./worker.ts", import.meta.url).pathname,
        compatibility_date: "2026-10-01",
        kv_namespaces: [{ binding: "KV", id: "kv" }],
        vars,
      },
    }],
  });
  await harness.listen();

  async function call(call: Call): Promise<unknown> {
    const response = await harness.fetch("/", { method: "POST", body: encodeCall(call) });
    const text = await response.text();
    if (response.status === 200) return decodeAnswer(text);
    const { name, message, type, members, cause } = JSON.parse(text);
    if (name === "RangeError") throw new RangeError(message);
    if (name === "LipcertError") throw new LipcertError(type as ProblemType, message, members, new Error(cause));
    throw new Error(`${name}: ${message}`);
  }

  function portOf<T>(backend: string, port: Call["port"]): T {
    return new Proxy({}, {
      get: (_, method) => (...args: unknown[]) => call({ backend, port, method: String(method), args }),
    }) as T;
  }

  return {
    storage: (backend) => ({
      blobs: portOf(backend, "blobs"),
      records: backend === "upstash" ? portOf(backend, "records") : null,
    }),
    forget: async () => void await call({ backend: "kv", port: "blobs", method: "forget", args: [] }),
    close: () => harness.close(),
  };
}
