/** The text of a property file, packed or not. */
import { MAX_PROPERTY_BYTES } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { type CommandHost, tooLong } from "./host.ts";

/** Throws: `not-found`, `payload-too-large` (also where the unpacked text is too long), `malformed-body`. */
export async function readPropertyFile(path: string, host: CommandHost): Promise<string> {
  const bytes = await host.read(path, MAX_PROPERTY_BYTES);
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? await unpack(bytes, path) : bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch (cause) {
    throw new LipcertError("malformed-body", `Cannot read property: ${JSON.stringify(path)} is no text`, {}, cause);
  }
}

/** Stops where the limit is passed: a small file can unpack to anything. */
async function unpack(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))) {
      length += part.length;
      if (length > MAX_PROPERTY_BYTES) throw tooLong(path, MAX_PROPERTY_BYTES);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof LipcertError) throw cause;
    throw new LipcertError(
      "malformed-body",
      `Cannot read property: ${JSON.stringify(path)} is damaged gzip`,
      {},
      cause,
    );
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
