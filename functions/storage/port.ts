/**
 * The ports of storage: what every backend can honour, in two kinds.
 *
 * {@link Blobs} are values that never change under their key (a certificate under its id, a model under its digest), of
 * any size; every backend has them. {@link Records} are small values that change, each change only from a version that
 * was seen; a backend without compare-and-set (Workers KV) has none.
 *
 * Every method throws `store-unavailable` when the backend cannot be reached, and `RangeError` for a key, a value or a
 * lifetime that no backend may be given.
 */
export type Bytes = Uint8Array<ArrayBuffer>;

export interface Expiry {
  /** Milliseconds from now after which the value is gone, on the backend's clock where it has one. Absent: kept. */
  readonly expiresInMs?: number;
}

/**
 * Immutable values. A value is seen whole or not at all, also while it is written and after a writer died halfway.
 *
 * Nobody changes an array that was put or got. What was put may be seen late elsewhere where the backend says so.
 */
export interface Blobs {
  get(key: string): Promise<Bytes | null>;
  has(key: string): Promise<boolean>;
  /** Keeps `bytes`; done again it renews the expiry, and restores what the backend lost of it. */
  put(key: string, bytes: Bytes, expiry?: Expiry): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A value with the name of this state of it: another write has another version. */
export interface Versioned {
  readonly bytes: Bytes;
  readonly version: string;
}

/** What a conditional write did; if it was not made, what is there instead. */
export type WriteResult =
  | { readonly written: true; readonly version: string }
  | { readonly written: false; readonly current: Versioned | null };

/**
 * Mutable values of up to {@link RECORD_BYTES}; larger content is a blob that a record names.
 *
 * A write whose answer was lost is sent again and then tells that it was made. One that threw may have been made:
 * read before the next one.
 */
export interface Records {
  get(key: string): Promise<Versioned | null>;
  /** Writes if the record is still at `expected`, or absent for null. Of any number of writers exactly one does. */
  compareAndSet(key: string, expected: string | null, bytes: Bytes, expiry?: Expiry): Promise<WriteResult>;
  /** Removes the record if it is still at `expected`; true when nothing is there afterwards. */
  delete(key: string, expected: string): Promise<boolean>;
}

/** What a host keeps things in. */
export interface Storage {
  readonly blobs: Blobs;
  /** Null: the backend has no compare-and-set. */
  readonly records: Records | null;
}

/** Milliseconds since the epoch; handed in, so that nothing here has a clock of its own. */
export type Now = () => number;

/** Below the value limit of the narrowest backend (Deno KV: 65,536 bytes, its envelope included). */
export const RECORD_BYTES = 48 * 1024;
/** In UTF-8: with what is put before it, a key fits the narrowest backend (Workers KV: 512 bytes). */
export const KEY_BYTES = 256;

const encoder = new TextEncoder();

/** Throws `RangeError` unless the key is 1 to {@link KEY_BYTES} bytes of well-formed Unicode. */
export function checkKey(key: string): void {
  const bytes = encoder.encode(key).length;
  if (!key.isWellFormed() || bytes < 1 || bytes > KEY_BYTES) {
    throw new RangeError(`A key is 1 to ${KEY_BYTES} bytes of well-formed text, got ${bytes} bytes`);
  }
}

/** Throws `RangeError` unless the lifetime is absent or a positive whole number of milliseconds. */
export function checkExpiry({ expiresInMs }: Expiry): void {
  if (expiresInMs !== undefined && !(Number.isSafeInteger(expiresInMs) && expiresInMs > 0)) {
    throw new RangeError(`A lifetime is a positive whole number of milliseconds, got ${expiresInMs}`);
  }
}

/** Throws `RangeError` for a value that no record may have. */
export function checkRecord(bytes: Bytes): void {
  if (bytes.length > RECORD_BYTES) {
    throw new RangeError(`A record holds ${RECORD_BYTES} bytes, got ${bytes.length}: keep it as a blob`);
  }
}
