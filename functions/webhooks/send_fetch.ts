/**
 * Sends by `fetch`, for Cloudflare Workers: the edge's network connects, resolves and checks certificates.
 *
 * Nothing here can choose the address, so `message.addresses` counts for the check before only. What keeps a Worker
 * from inside networks is that it is in none: its fetch leaves from Cloudflare's edge.
 */
import { failed, readAnswer, type Send, TIMEOUT } from "./send.ts";

export function fetchSend(fetcher: typeof fetch = fetch): Send {
  return async ({ url, headers, body }, signal) => {
    let response: Response;
    try {
      response = await fetcher(url, { method: "POST", headers, body, redirect: "manual", signal });
    } catch {
      return signal.aborted ? failed(TIMEOUT.type, TIMEOUT.detail) : failed("connection", "the connection failed");
    }
    const chunks = (response.body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>;
    return await readAnswer(response.status, response.headers.get("retry-after"), chunks, signal);
  };
}
