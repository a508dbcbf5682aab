/**
 * Keys of Standard Webhooks 1.0 as they are handed around: base64 behind a prefix that names the scheme.
 *
 * `whsec_` is a shared secret of 24 to 64 bytes, `whsk_` an ed25519 secret key, `whpk_` its public key.
 */
type Bytes = Uint8Array<ArrayBuffer>;

/** Identifiers of the two schemes in `webhook-signature`. */
export type Scheme = "v1" | "v1a";

/** A key that signs. */
export interface SigningKey {
  readonly scheme: Scheme;
  readonly key: CryptoKey;
}

/** A key that checks signatures; of `v1` it is the key that makes them. */
export type VerifyingKey = SigningKey;

const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/** Lengths of a shared secret in bytes. Source: Standard Webhooks 1.0, "Signature scheme". */
const SECRET_BYTES = { min: 24, max: 64 } as const;

const SEED_BYTES = 32;

/** What PKCS #8 puts before the 32 bytes of an ed25519 seed. Source: RFC 8410, section 7. */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b657004220420");

/**
 * The signing key of a `whsec_` or `whsk_` text.
 *
 * A secret ed25519 key is its seed of 32 bytes, or the 64 bytes of seed and public key that some libraries write.
 * Throws `RangeError` for any other prefix, length or alphabet, and for a public half that is not the seed's; the
 * message never holds the key.
 */
export async function signingKey(text: string): Promise<SigningKey> {
  if (text.startsWith("whsec_")) return { scheme: "v1", key: await hmacKey(text) };
  if (!text.startsWith("whsk_")) {
    throw new RangeError("Cannot read signing key: it starts with neither whsec_ nor whsk_");
  }
  const bytes = decode(text, "whsk_");
  if (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES) {
    throw new RangeError(`Cannot read signing key: an ed25519 key has 32 or 64 bytes, got ${bytes.length}`);
  }
  const key = await ed25519Key(bytes.subarray(0, SEED_BYTES));
  if (bytes.length > SEED_BYTES && await publicText(key) !== `whpk_${bytes.subarray(SEED_BYTES).toBase64()}`) {
    throw new RangeError("Cannot read signing key: its public half belongs to another secret");
  }
  return { scheme: "v1a", key };
}

/** The verifying key of a `whsec_` or `whpk_` text. Throws `RangeError` as {@link signingKey}. */
export async function verifyingKey(text: string): Promise<VerifyingKey> {
  if (text.startsWith("whsec_")) return { scheme: "v1", key: await hmacKey(text) };
  if (!text.startsWith("whpk_")) throw new RangeError("Cannot read key: it starts with neither whsec_ nor whpk_");
  const bytes = decode(text, "whpk_");
  if (bytes.length !== 32) throw new RangeError(`Cannot read key: a public key has 32 bytes, got ${bytes.length}`);
  return { scheme: "v1a", key: await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]) };
}

/** The `whpk_` text of a `whsk_` text: what a receiver is told. Throws `RangeError` as {@link signingKey}. */
export async function publicKeyOf(secret: string): Promise<string> {
  const { scheme, key } = await signingKey(secret);
  if (scheme !== "v1a") throw new RangeError("Cannot tell the public key: a shared secret has none");
  return await publicText(key);
}

async function hmacKey(text: string): Promise<CryptoKey> {
  const bytes = decode(text, "whsec_");
  const { min, max } = SECRET_BYTES;
  if (bytes.length < min || bytes.length > max) {
    throw new RangeError(`Cannot read secret: it has ${min} to ${max} bytes, got ${bytes.length}`);
  }
  return await crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);
}

/** Extractable, because only its JWK form tells the public half. */
async function ed25519Key(seed: Bytes): Promise<CryptoKey> {
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + SEED_BYTES);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(seed, PKCS8_HEAD.length);
  return await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
}

async function publicText(key: CryptoKey): Promise<string> {
  const { x } = await crypto.subtle.exportKey("jwk", key);
  return `whpk_${Uint8Array.fromBase64(x!, { alphabet: "base64url" }).toBase64()}`;
}

/** Strict base64: each text has one reading, and each key one text. */
function decode(text: string, prefix: string): Bytes {
  try {
    return Uint8Array.fromBase64(text.slice(prefix.length), { lastChunkHandling: "strict" });
  } catch {
    throw new RangeError(`Cannot read key: what follows ${prefix} is not base64`);
  }
}
