/** Redis's replies as the JSON that Upstash's clients read. */

/** A reply with its strings as bytes; ioredis makes an object of a hash. */
export type Reply =
  | null
  | number
  | Uint8Array
  | Error
  | readonly Reply[]
  | { readonly [field: string]: Reply };

/** `utf8`: strings as text, with U+FFFD where they are none. `base64`: every string but `OK` in base64. */
export type Encoding = "utf8" | "base64";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeReply(reply: Reply, encoding: Encoding): unknown {
  if (reply === null || typeof reply === "number") return reply;
  if (reply instanceof Uint8Array) return encodeString(reply, encoding);
  if (reply instanceof Error) return reply.message; // inside of an array only
  if (Array.isArray(reply)) return reply.map((item) => encodeReply(item, encoding));
  return Object.entries(reply as { readonly [field: string]: Reply }).flatMap(([field, value]) => [
    encodeString(encoder.encode(field), encoding),
    encodeReply(value, encoding),
  ]);
}

function encodeString(bytes: Uint8Array, encoding: Encoding): string {
  const text = decoder.decode(bytes);
  return encoding === "utf8" || text === "OK" ? text : new Uint8Array(bytes).toBase64();
}
