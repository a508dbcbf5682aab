/** What a receiver does with a signed message. Source: Standard Webhooks 1.0, "Verifying signatures". */
import { verifyingKey } from "./keys.ts";
import { signedContent } from "./sign.ts";

/** Whether a message is to be believed, and why not. */
export type Verification =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: "headers" | "too old" | "too new" | "signature" };

/** Seconds that the clocks of both sides and the way between them may take, in either direction. */
export const TOLERANCE_S = 300;

/** Signatures that are looked at: a list of thousands would be work for nothing. */
const MAX_SIGNATURES = 16;

/**
 * Checks a body against its headers: one signature by one of the keys is enough.
 *
 * WebCrypto compares HMACs in constant time. A signature of a scheme that no key has is passed over, so that new schemes
 * can be sent beside old ones.
 *
 * Units: `now` and `toleranceS` in seconds
 * Throws: `RangeError` for a key that cannot be read
 */
export async function verifySigned(
  headers: Headers,
  body: Uint8Array,
  keys: readonly string[],
  now: number,
  toleranceS = TOLERANCE_S,
): Promise<Verification> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const list = headers.get("webhook-signature") ?? "";
  if (id === "" || id.includes(".") || !/^\d{1,12}$/.test(timestamp) || list === "") {
    return { ok: false, reason: "headers" };
  }
  if (Number(timestamp) < now - toleranceS) return { ok: false, reason: "too old" };
  if (Number(timestamp) > now + toleranceS) return { ok: false, reason: "too new" };
  const content = signedContent(id, timestamp, body);
  const signatures = list.split(" ").slice(0, MAX_SIGNATURES).map(readSignature);
  for (const text of keys) {
    const { scheme, key } = await verifyingKey(text);
    const algorithm = scheme === "v1" ? "HMAC" : "Ed25519";
    for (const signature of signatures) {
      if (signature?.scheme !== scheme) continue;
      if (await crypto.subtle.verify(algorithm, key, signature.bytes, content)) return { ok: true, id };
    }
  }
  return { ok: false, reason: "signature" };
}

function readSignature(text: string): { scheme: string; bytes: Uint8Array<ArrayBuffer> } | null {
  const comma = text.indexOf(",");
  if (comma < 0) return null;
  try {
    const bytes = Uint8Array.fromBase64(text.slice(comma + 1), { lastChunkHandling: "strict" });
    return { scheme: text.slice(0, comma), bytes };
  } catch {
    return null;
  }
}
