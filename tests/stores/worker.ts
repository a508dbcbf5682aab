/** A Worker that carries out the calls of a {@link remoteStorage}: what runs in it runs in workerd. */
import type { KVNamespace } from "@cloudflare/workers-types";
import { upstashBlobs, upstashClient, upstashRecords } from "../../functions/adapters/upstash.ts";
import { workersKvBlobs } from "../../functions/adapters/workers_kv.ts";
import type { Blobs, Storage } from "../../functions/storage/port.ts";
import { decodeCall, encodeAnswer } from "./calls.ts";

interface Bindings {
  readonly KV: KVNamespace;
  readonly UPSTASH_REDIS_REST_URL?: string;
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
}

/** Small pieces, so that both forms of a blob are seen. */
const SIZES = { inlineBytes: 100_000, pieceBytes: 100_000, inFlight: 4 };

function storageOf(backend: string, bindings: Bindings): Storage {
  const now = () => Date.now();
  if (backend === "kv") return { blobs: workersKvBlobs(bindings.KV, now), records: null };
  if (backend === "kv_pieces") return { blobs: workersKvBlobs(bindings.KV, now, SIZES), records: null };
  const client = upstashClient({
    url: bindings.UPSTASH_REDIS_REST_URL!,
    token: bindings.UPSTASH_REDIS_REST_TOKEN!,
  });
  return { blobs: upstashBlobs(client), records: upstashRecords(client) };
}

async function forgetAll(namespace: KVNamespace): Promise<void> {
  for (;;) {
    const { keys, list_complete } = await namespace.list();
    for (const { name } of keys) await namespace.delete(name);
    if (list_complete) return;
  }
}

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const call = decodeCall(await request.text());
    if (call.method === "forget") return new Response(encodeAnswer(await forgetAll(bindings.KV)));
    const storage = storageOf(call.backend, bindings);
    const port = (call.port === "blobs" ? storage.blobs : storage.records) as unknown as Record<
      keyof Blobs | string,
      (...args: unknown[]) => Promise<unknown>
    >;
    try {
      return new Response(encodeAnswer(await port[call.method](...call.args)));
    } catch (error) {
      const { name, message, type, members } = error as Error & { type?: string; members?: unknown };
      return new Response(JSON.stringify({ name, message, type, members, cause: String((error as Error).cause) }), {
        status: 500,
      });
    }
  },
};
