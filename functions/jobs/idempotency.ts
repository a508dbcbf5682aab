/** Requests by the key that a client gave them, in records that are forgotten after a day. */
import { digestOf, LipcertError } from "../../shared/mod.ts";
import type { Idempotency, IdempotentAnswer } from "../services.ts";
import type { Bytes, Records } from "../storage/port.ts";
import { update } from "../storage/update.ts";

interface Entry {
  /** The digest of the request. */
  readonly request: string;
  readonly answer: IdempotentAnswer | null;
}

/** How long a key is remembered, from its request and again from its answer on. */
const KEPT_MS = 24 * 3600 * 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keys are kept as their digests: they may be longer than a record's name. */
export function recordedIdempotency(records: Records): Idempotency {
  /** The entry under the key, after `write` had its say. */
  async function entry(key: string, request: string, write: (there: Entry | null) => Entry | null): Promise<Entry> {
    const name = `idempotency/${await digestOf(encoder.encode(key))}`;
    const step = (bytes: Bytes | null) => {
      const next = write(bytes === null ? null : JSON.parse(decoder.decode(bytes)) as Entry);
      return next === null ? null : encoder.encode(JSON.stringify(next));
    };
    const bytes = await update(records, name, step, { expiresInMs: KEPT_MS });
    const there = JSON.parse(decoder.decode(bytes!)) as Entry;
    if (there.request === request) return there;
    throw new LipcertError("idempotency-mismatch", "Cannot answer: the Idempotency-Key was sent with another question");
  }

  return {
    async claim(key, request) {
      return (await entry(key, request, (there) => there === null ? { request, answer: null } : null)).answer;
    },
    async keep(key, request, answer) {
      const mine = { request, answer };
      const there = await entry(key, request, (there) => there === null || isOpen(there, request) ? mine : null);
      return there.answer ?? answer;
    },
  };
}

function isOpen(there: Entry, request: string): boolean {
  return there.answer === null && there.request === request;
}
