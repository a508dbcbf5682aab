/**
 * Blobs of any size over a backend whose single entries are small.
 *
 * The bytes are cut into pieces: pieces first, the head that makes them visible last. Pieces are named by the digest of
 * the whole, so writers of different bytes never mix theirs, and a reader joins what one writer wrote or sees nothing.
 */
import { type Blobs, type Bytes, checkExpiry, checkKey } from "./port.ts";

export type Entry = readonly [name: string, bytes: Bytes];

/** The single entries of a backend. `get` is null once an entry has expired. */
export interface Entries {
  get(name: string): Promise<Bytes | null>;
  has(name: string): Promise<boolean>;
  /** Writes at most as many as are in flight; whether all at once is up to the backend. */
  set(entries: readonly Entry[], expiresInMs?: number): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface PieceSizes {
  /** Up to here the bytes are in the head itself. */
  readonly inlineBytes: number;
  readonly pieceBytes: number;
  /** Pieces that are under way at the same time. */
  readonly inFlight: number;
}

/** Where the pieces of a blob are. */
interface Head {
  readonly length: number;
  readonly piece_bytes: number;
  /** SHA-256 of the whole, in hex. */
  readonly digest: string;
}

/** The first byte of a head says what follows. */
const INLINE = 0;
const PIECES = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function piecedBlobs(entries: Entries, { inlineBytes, pieceBytes, inFlight }: PieceSizes): Blobs {
  const nameOfHead = (key: string) => `b:${key}`;
  const namesOfPieces = (key: string, { length, piece_bytes, digest }: Head) =>
    Array.from({ length: Math.ceil(length / piece_bytes) }, (_, i) => `p:${digest}:${i}:${key}`);

  /** `work` on every name, some at a time. */
  async function each(names: readonly string[], work: (name: string, i: number) => Promise<void>): Promise<void> {
    for (let first = 0; first < names.length; first += inFlight) {
      await Promise.all(names.slice(first, first + inFlight).map((name, i) => work(name, first + i)));
    }
  }

  async function join(key: string, head: Head): Promise<Bytes | null> {
    const bytes = new Uint8Array(head.length);
    let isWhole = true;
    await each(namesOfPieces(key, head), async (name, i) => {
      const piece = isWhole ? await entries.get(name) : null;
      if (piece === null) isWhole = false; // expired, evicted or deleted meanwhile
      else bytes.set(piece, i * head.piece_bytes);
    });
    return isWhole ? bytes : null;
  }

  return {
    async get(key) {
      checkKey(key);
      const head = await entries.get(nameOfHead(key));
      if (head === null) return null;
      return head[0] === INLINE ? head.slice(1) : await join(key, readHead(head));
    },
    async has(key) {
      checkKey(key);
      return await entries.has(nameOfHead(key));
    },
    async put(key, bytes, expiry = {}) {
      checkKey(key);
      checkExpiry(expiry);
      if (bytes.length <= inlineBytes) {
        return await entries.set([[nameOfHead(key), tagged(INLINE, bytes)]], expiry.expiresInMs);
      }
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      const head: Head = { length: bytes.length, piece_bytes: pieceBytes, digest };
      const names = namesOfPieces(key, head);
      for (let first = 0; first < names.length; first += inFlight) {
        const pieces = names.slice(first, first + inFlight).map((name, i): Entry => {
          const start = (first + i) * pieceBytes;
          return [name, bytes.slice(start, start + pieceBytes)];
        });
        await entries.set(pieces, expiry.expiresInMs);
      }
      await entries.set([[nameOfHead(key), tagged(PIECES, encoder.encode(JSON.stringify(head)))]], expiry.expiresInMs);
    },
    async delete(key) {
      checkKey(key);
      const head = await entries.get(nameOfHead(key));
      if (head === null) return;
      await entries.delete(nameOfHead(key));
      if (head[0] === PIECES) await each(namesOfPieces(key, readHead(head)), (name) => entries.delete(name));
    },
  };
}

function tagged(tag: number, bytes: Uint8Array): Bytes {
  const head = new Uint8Array(bytes.length + 1);
  head[0] = tag;
  head.set(bytes, 1);
  return head;
}

function readHead(head: Bytes): Head {
  return JSON.parse(decoder.decode(head.subarray(1))) as Head;
}
