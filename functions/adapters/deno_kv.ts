/**
 * Both stores in Deno KV.
 *
 * A value holds 65,536 bytes and a commit 800 KiB, so bytes are cut into pieces: pieces first, the head last. Without
 * its head an entry is not there, so a writer that stops halfway leaves nothing to see. Keys are digests of what they
 * hold: two writers of one key write the same pieces.
 */
import { LipcertError } from "../../shared/errors.ts";
import type { ModelDescription } from "../../shared/mod.ts";
import type { CertificateStore, FoundCertificate, KeptCertificate, ModelStore } from "../services.ts";

type Key = readonly string[];

interface Head {
  readonly length: number;
  readonly pieces: number;
  /** The bytes themselves where they fit. */
  readonly inline?: Uint8Array<ArrayBuffer>;
}

interface Indexed {
  readonly id: string;
  readonly reproducible: boolean;
}

/** The index entry of a question as it was last seen; a commit holds only if it is still so. */
type Seen = Deno.KvEntryMaybe<Indexed>;

const PIECE_BYTES = 60 * 1024;
const PIECES_PER_COMMIT = 12;
/** `getMany` takes ten keys. */
const PIECES_PER_READ = 10;

export function denoKvCertificates(kv: Deno.Kv): CertificateStore {
  async function find(question: string): Promise<FoundCertificate | null> {
    const { value } = await kv.get<Indexed>(["question", question]);
    if (value === null) return null;
    const bytes = await readBytes(kv, ["certificate", value.id]);
    return bytes === null ? null : { id: value.id, bytes };
  }

  return {
    get: (id) => reached(() => readBytes(kv, ["certificate", id])),
    findByQuestion: (question) => reached(() => find(question)),
    put: (certificate) =>
      reached(async () => {
        const { id, question, reproducible, bytes } = certificate;
        const key = ["certificate", id];
        const head = await writePieces(kv, key, bytes);
        if (certificate.interrupted) {
          await kv.set(key, head);
          return { id, bytes };
        }
        let before: Seen = { key: ["question", question], value: null, versionstamp: null }; // as for a new question
        for (;;) {
          if (before.value !== null && !supersedes(certificate, before.value)) {
            await kv.set(key, head);
            return await find(question) ?? { id, bytes };
          }
          const commit = await kv.atomic().check(before).set(key, head)
            .set(["question", question], { id, reproducible } satisfies Indexed).commit();
          if (commit.ok) return { id, bytes };
          before = await kv.get<Indexed>(["question", question]);
        }
      }),
  };
}

function supersedes(certificate: KeptCertificate, indexed: Indexed): boolean {
  return certificate.reproducible && !indexed.reproducible;
}

export function denoKvModels(kv: Deno.Kv): ModelStore {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  return {
    describe: (digest) =>
      reached(async () => {
        const text = await readBytes(kv, ["model_description", digest]);
        return text === null ? null : JSON.parse(decoder.decode(text)) as ModelDescription;
      }),
    bytes: (digest) => reached(() => readBytes(kv, ["model", digest])),
    put: (digest, bytes, description) =>
      reached(async () => {
        const model = await writePieces(kv, ["model", digest], bytes);
        const text = await writePieces(kv, ["model_description", digest], encoder.encode(JSON.stringify(description)));
        await kv.atomic().set(["model", digest], model).set(["model_description", digest], text).commit();
      }),
  };
}

/** Writes all pieces and returns the head, which the caller commits. */
export async function writePieces(kv: Deno.Kv, key: Key, bytes: Uint8Array<ArrayBuffer>): Promise<Head> {
  if (bytes.length <= PIECE_BYTES) return { length: bytes.length, pieces: 0, inline: bytes };
  const pieces = Math.ceil(bytes.length / PIECE_BYTES);
  for (let first = 0; first < pieces; first += PIECES_PER_COMMIT) {
    let commit = kv.atomic();
    for (let i = first; i < Math.min(first + PIECES_PER_COMMIT, pieces); i++) {
      commit = commit.set([...key, i], bytes.slice(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
    }
    await commit.commit();
  }
  return { length: bytes.length, pieces };
}

export async function readBytes(kv: Deno.Kv, key: Key): Promise<Uint8Array<ArrayBuffer> | null> {
  const { value: head } = await kv.get<Head>(key);
  if (head === null) return null;
  if (head.inline !== undefined) return head.inline;
  const bytes = new Uint8Array(head.length);
  for (let first = 0; first < head.pieces; first += PIECES_PER_READ) {
    const count = Math.min(PIECES_PER_READ, head.pieces - first);
    const keys = Array.from({ length: count }, (_, i) => [...key, first + i]);
    for (const [i, { value }] of (await kv.getMany<Uint8Array[]>(keys)).entries()) {
      if (value === null) throw new Error(`piece ${first + i} of ${key.join("/")} is missing`);
      bytes.set(value, (first + i) * PIECE_BYTES);
    }
  }
  return bytes;
}

export async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new LipcertError("store-unavailable", "Cannot reach the store", { retry_after: 5 }, cause);
  }
}
