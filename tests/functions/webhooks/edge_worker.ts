/** A Worker that makes the deliveries it is sent: what an entry will build, driven from outside. */
import { deliver, type Delivery } from "../../../functions/webhooks/deliver.ts";
import { parseNetwork } from "../../../functions/webhooks/ip.ts";
import { publicKeyOf } from "../../../functions/webhooks/keys.ts";
import { httpsResolve } from "../../../functions/webhooks/resolve.ts";
import { fetchSend } from "../../../functions/webhooks/send_fetch.ts";
import { signedHeaders } from "../../../functions/webhooks/sign.ts";
import { verifySigned } from "../../../functions/webhooks/verify.ts";
import { VECTORS } from "./vectors.ts";

export interface Order {
  readonly delivery: Delivery;
  readonly networks: readonly string[];
  readonly resolver: string | null;
  readonly timeoutMs: number;
}

/** Signatures of the published vectors, made and checked here. */
async function vectors(): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const { key, id, timestamp, body, signature } of VECTORS) {
    const bytes = new TextEncoder().encode(body);
    const headers = await signedHeaders(id, timestamp, bytes, [key]);
    const checker = key.startsWith("whsk_") ? await publicKeyOf(key) : key;
    const { ok } = await verifySigned(new Headers({ ...headers }), bytes, [checker], timestamp);
    const changed = await verifySigned(new Headers({ ...headers }), bytes.subarray(1), [checker], timestamp);
    results.push(headers["webhook-signature"] === signature && ok && !changed.ok);
  }
  return results;
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/vectors") return Response.json(await vectors());
    const { delivery, networks, resolver, timeoutMs } = await request.json() as Order;
    return Response.json(
      await deliver(delivery, {
        rules: { http: networks.length > 0, networks: networks.map(parseNetwork) },
        resolve: resolver === null ? null : httpsResolve(resolver),
        send: fetchSend(),
        now: () => Date.now(),
        timeoutMs,
      }),
    );
  },
};
