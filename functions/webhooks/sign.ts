/** Signatures of a message, as headers. Source: Standard Webhooks 1.0. */
import { type SigningKey, signingKey } from "./keys.ts";

/** The three headers of a signed message. */
export interface SignedHeaders {
  readonly "webhook-id": string;
  /** Seconds since 1970, of this attempt. */
  readonly "webhook-timestamp": string;
  /** One signature a key, in the order of the keys, parted by spaces. */
  readonly "webhook-signature": string;
}

/** Visible ASCII without the full stop, which parts the fields of what is signed. */
const ID = /^[!-\-/-~]{1,255}$/;

/**
 * Signs a body under each key, so that a key can be replaced while receivers still know the old one.
 *
 * Units: `timestamp` in whole seconds since 1970
 * Throws: `RangeError` for an id with a full stop or a character that is not visible, a timestamp that is not a whole
 * number, no key, and a key that cannot be read
 */
export async function signedHeaders(
  id: string,
  timestamp: number,
  body: Uint8Array,
  keys: readonly string[],
): Promise<SignedHeaders> {
  if (!ID.test(id)) throw new RangeError("Cannot sign: an id is 1 to 255 visible characters and no full stop");
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw new RangeError(`Cannot sign at ${timestamp} s`);
  if (keys.length === 0) throw new RangeError("Cannot sign without a key");
  const content = signedContent(id, String(timestamp), body);
  const signatures: string[] = [];
  for (const text of keys) signatures.push(await signature(await signingKey(text), content));
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signatures.join(" ") };
}

/** `{id}.{timestamp}.{body}`: the bytes that are signed. */
export function signedContent(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

async function signature({ scheme, key }: SigningKey, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const algorithm = scheme === "v1" ? "HMAC" : "Ed25519";
  return `${scheme},${new Uint8Array(await crypto.subtle.sign(algorithm, key, content)).toBase64()}`;
}
