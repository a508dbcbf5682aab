import { encodeHex } from "@std/encoding/hex";

/** `sha256:<hex>` of the bytes; hashed beside the event loop. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256:${encodeHex(await crypto.subtle.digest("SHA-256", bytes))}`;
}
