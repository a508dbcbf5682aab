/** Calls of a storage's ports as text, with their bytes in base64; both ends of `worker.ts`. */
export interface Call {
  readonly backend: string;
  readonly port: "blobs" | "records";
  readonly method: string;
  readonly args: readonly unknown[];
}

const BYTES = "$bytes";
const ABSENT = "$absent";
const TEXT = "$text";

/** JSON has neither bytes, nor `undefined`, nor lone surrogates, NaN and Infinity: each has a form of its own. */
function pack(value: unknown): unknown {
  if (value === undefined) return { [ABSENT]: true };
  if (value instanceof Uint8Array) return { [BYTES]: value.toBase64() };
  if (typeof value === "number" && !Number.isFinite(value)) return { [TEXT]: String(value) };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, pack(item)]));
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  const fields = value as Record<string, unknown>;
  if (BYTES in fields) return Uint8Array.fromBase64(fields[BYTES] as string);
  if (TEXT in fields) return Number(fields[TEXT]);
  if (ABSENT in fields) return undefined;
  return Object.fromEntries(Object.entries(fields).map(([name, item]) => [name, unpack(item)]));
}

export function encodeCall(call: Call): string {
  return JSON.stringify({ ...call, args: pack(call.args) });
}

export function decodeCall(text: string): Call {
  const { args, ...call } = JSON.parse(text);
  return { ...call, args: unpack(args) };
}

export function encodeAnswer(answer: unknown): string {
  return JSON.stringify(pack(answer));
}

export function decodeAnswer(text: string): unknown {
  return unpack(JSON.parse(text));
}
