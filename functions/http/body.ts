/** Reading bodies: media type, size, syntax. What a body means is up to the schemas. */
import type { Context } from "hono";
import { LipcertError, type ProblemType } from "../../shared/errors.ts";
import type { Env } from "./env.ts";

/** The media type of the body, lower case, without its parameters; empty when none is named. */
export function mediaType(c: Context<Env>): string {
  return (c.req.header("content-type") ?? "").split(";", 1)[0].trim().toLowerCase();
}

/** Throws `unsupported-media-type` unless the body's type is one of `supported`; returns the type. */
export function requireMediaType<T extends string>(c: Context<Env>, supported: readonly T[]): T {
  const got = mediaType(c);
  const known = supported.find((type) => type === got);
  if (known !== undefined) return known;
  throw new LipcertError(
    "unsupported-media-type",
    `Cannot read body: media type "${got}" is not supported here, send ${supported.join(" or ")}`,
    { supported: [...supported] },
  );
}

/**
 * The whole body, at most `limit` bytes.
 *
 * A declared length over the limit is refused unread; a body without one (chunked) is refused where it passes the
 * limit. Throws `tooLarge` with `limit_bytes` and, where known, `got_bytes`.
 */
export async function readBytes(
  c: Context<Env>,
  limit: number,
  tooLarge: ProblemType = "payload-too-large",
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(c.req.header("content-length") ?? NaN);
  if (declared > limit) throw overLimit(tooLarge, limit, declared);
  const stream = c.req.raw.body;
  if (stream === null) return new Uint8Array(0);
  if (declared >= 0) return new Uint8Array(await c.req.raw.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) throw overLimit(tooLarge, limit);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function overLimit(type: ProblemType, limit: number, got?: number): LipcertError {
  return new LipcertError(type, `Cannot read body: it is longer than the ${limit} bytes that this host reads`, {
    limit_bytes: limit,
    ...(got === undefined ? {} : { got_bytes: got }),
  });
}

/**
 * JSON text as a value. A number beyond the range of doubles becomes infinite here and is refused by the schemas.
 *
 * Throws `malformed-body` with `byte_offset` where the parser tells it.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LipcertError("malformed-body", "Cannot parse JSON: the body is not UTF-8", {}, cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LipcertError("malformed-body", `Cannot parse JSON: ${reason}`, offsetOf(reason, text), cause);
  }
}

/** V8 names the position in UTF-16 units, or says that the text ended. */
function offsetOf(reason: string, text: string): { byte_offset?: number } {
  const position = reason.match(/ at position (\d+)/)?.[1] ??
    (/end of JSON input|Unterminated/.test(reason) ? text.length : undefined);
  if (position === undefined) return {};
  return { byte_offset: new TextEncoder().encode(text.slice(0, Number(position))).length };
}

/** The parts of a `multipart/form-data` body by name. Throws `malformed-body`. */
export async function parseMultipart(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch (cause) {
    throw new LipcertError("malformed-body", "Cannot parse body: it is not multipart/form-data", {}, cause);
  }
  const parts = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, part] of form) {
    if (parts.has(name)) {
      throw new LipcertError("malformed-body", `Cannot parse body: part "${name}" is sent twice`);
    }
    parts.set(
      name,
      typeof part === "string" ? new TextEncoder().encode(part) : new Uint8Array(await part.arrayBuffer()),
    );
  }
  return parts;
}
