import { LipcertError } from "./errors.ts";
import type { Work } from "./bounds/pass.ts";
import type { SavedSearch } from "./search/conduct.ts";
import { ENGINE_VERSION } from "./version.ts";

/** A question on its way: a search between rounds, after `attempt` kinds of arithmetic that did not do, whose work is `done`. */
export interface Checkpoint {
  readonly attempt: number;
  readonly done: Work;
  readonly search: SavedSearch;
}

/**
 * A checkpoint as bytes: "LPST", a version, the length of a JSON text, the text (UTF-8), zeros up to a multiple of 8, then the
 * elements of all arrays, little-endian and each array from a multiple of 8. In the text `{"$": [kind, at, length]}` stands for an
 * array and `{"$": "Infinity"}` for a number that JSON has not; an array that several nodes share is written once.
 *
 * Bytes that no engine of this version wrote are refused; what they say of bounds is believed. Who takes them from elsewhere
 * must know that they come from a search of the same question.
 */
const MAGIC = 0x4c505354, VERSION = 1, HEAD = 12;

const KINDS = { f64: Float64Array, f32: Float32Array, i8: Int8Array } as const;

type Kind = keyof typeof KINDS;
type Numbers = Float64Array | Float32Array | Int8Array;

const ODD_NUMBERS: Readonly<Record<string, number>> = { Infinity, "-Infinity": -Infinity, NaN, "-0": -0 };

export function packCheckpoint(saved: Checkpoint): Uint8Array<ArrayBuffer> {
  const places = new Map<Numbers, number>();
  let size = 0;
  function plain(value: unknown): unknown {
    if (typeof value === "number") {
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (typeof value !== "object" || value === null) return value;
    const kind = kindOf(value);
    if (kind !== null) {
      const numbers = value as Numbers;
      let at = places.get(numbers);
      if (at === undefined) {
        places.set(numbers, at = size);
        size += aligned(numbers.byteLength);
      }
      return { $: [kind, at, numbers.length] };
    }
    if (Array.isArray(value)) return value.map(plain);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  }
  const text = new TextEncoder().encode(JSON.stringify({ engine: ENGINE_VERSION, checkpoint: plain(saved) }));
  const start = aligned(HEAD + text.length), bytes = new Uint8Array(start + size), view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, text.length, true);
  bytes.set(text, HEAD);
  for (const [numbers, at] of places) {
    bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), start + at);
  }
  return bytes;
}

/** Throws: `malformed-body` for bytes that are no checkpoint, or one of another engine. */
export function unpackCheckpoint(bytes: Uint8Array): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD || view.getUint32(0) !== MAGIC) throw unreadable("it does not begin as one");
  if (view.getUint32(4, true) !== VERSION) throw unreadable("it has another version");
  const length = view.getUint32(8, true), start = aligned(HEAD + length);
  if (start > bytes.length) throw unreadable("it ends too early");
  const arrays = new Map<string, Numbers>();
  function plain(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(plain);
    if ("$" in value) {
      const { $ } = value;
      return typeof $ === "string" ? oddNumber($) : arrayAt(Array.isArray($) ? $ : []);
    }
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  }
  function arrayAt([kind, at, count]: readonly unknown[]): Numbers {
    const key = `${kind} ${at} ${count}`, known = arrays.get(key);
    if (known) return known;
    const Made = Object.hasOwn(KINDS, String(kind)) ? KINDS[kind as Kind] : null;
    if (!Made || !isCount(at) || !isCount(count)) throw unreadable("an array is none");
    const from = start + at;
    if (from + count * Made.BYTES_PER_ELEMENT > bytes.length) {
      throw unreadable("an array lies outside of it");
    }
    const made = new Made(bytes.slice(from, from + count * Made.BYTES_PER_ELEMENT).buffer);
    arrays.set(key, made);
    return made;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(HEAD, HEAD + length)));
  } catch (cause) {
    throw unreadable("its text is no JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null || !("engine" in parsed) || !("checkpoint" in parsed)) {
    throw unreadable("it holds none");
  }
  if (parsed.engine !== ENGINE_VERSION) throw unreadable(`it is of engine ${parsed.engine}`);
  return plain(parsed.checkpoint) as Checkpoint;
}

function kindOf(value: object): Kind | null {
  for (const [kind, Made] of Object.entries(KINDS)) if (value instanceof Made) return kind as Kind;
  if (ArrayBuffer.isView(value)) throw new TypeError(`Cannot pack a ${value.constructor.name}`);
  return null;
}

function oddNumber(name: string): number {
  if (!Object.hasOwn(ODD_NUMBERS, name)) throw unreadable(`"${name}" is no number`);
  return ODD_NUMBERS[name];
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function unreadable(why: string, cause?: unknown): LipcertError {
  return new LipcertError("malformed-body", `Cannot read a checkpoint: ${why}`, {}, cause);
}
