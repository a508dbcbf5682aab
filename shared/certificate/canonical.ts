import { sha256 } from "@noble/hashes/sha2.js";
import { encodeHex } from "@std/encoding/hex";
import canonicalize from "canonicalize";

/** The one byte sequence of a JSON value: RFC 8785 (sorted members, shortest numbers, -0 as 0), UTF-8. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("Cannot canonicalize: not a JSON value");
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}

/** From here on the platform's own SHA-256 is faster than the trip to the thread that runs it. */
const LARGE = 2 ** 16;

/** `sha256:<hex>` of bytes. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = bytes.length < LARGE
    ? sha256(bytes)
    : new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return `sha256:${encodeHex(hash)}`;
}

/** Digest of the canonical form of a JSON value. */
export function digestOfJson(value: unknown): Promise<string> {
  return digestOf(canonicalBytes(value));
}
