/** Signatures: the published ones, and the laws of signing and checking. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { publicKeyOf, signingKey, verifyingKey } from "../../../functions/webhooks/keys.ts";
import { signedHeaders } from "../../../functions/webhooks/sign.ts";
import { TOLERANCE_S, verifySigned } from "../../../functions/webhooks/verify.ts";
import { VECTORS } from "./vectors.ts";

const SEED = 7;

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const base64 = (value: Uint8Array) => new Uint8Array(value).toBase64();

const secret = bytes(24, 64).map((value) => `whsec_${base64(value)}`);
const pair = bytes(32, 32).map((value) => `whsk_${base64(value)}`);
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
const time = fc.integer({ min: 1, max: 4e9 });

/** A signing key with the key that checks it. */
const keys = fc.oneof(secret.map((key) => [key, key] as const), pair.map((key) => [key, null] as const));
const checking = async ([signer, checker]: readonly [string, string | null]) => checker ?? await publicKeyOf(signer);

Deno.test("signedHeaders() are the published ones", async () => {
  for (const { key, id, timestamp, body, signature } of VECTORS) {
    const headers = await signedHeaders(id, timestamp, utf8(body), [key]);
    assert.deepEqual(headers, {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signature,
    });
    const checker = key.startsWith("whsec_") ? key : await publicKeyOf(key);
    const result = await verifySigned(new Headers({ ...headers }), utf8(body), [checker], timestamp);
    assert.deepEqual(result, { ok: true, id });
  }
  assert.equal(await publicKeyOf(VECTORS[2].key), "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
});

Deno.test(`verifySigned() takes what signedHeaders() made, with any one of its keys (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      id,
      time,
      bytes(0, 300),
      fc.array(keys, { minLength: 1, maxLength: 3 }),
      async (id, at, body, all) => {
        const headers = new Headers({ ...await signedHeaders(id, at, body, all.map(([key]) => key)) });
        headers.set("webhook-signature", `v9,AAAA nonsense v1, ${headers.get("webhook-signature")}`);
        for (const one of all) {
          for (const now of [at - TOLERANCE_S, at, at + TOLERANCE_S]) {
            assert.deepEqual(await verifySigned(headers, body, [await checking(one)], now), { ok: true, id });
          }
        }
      },
    ),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test(`verifySigned() refuses a message that was changed anywhere (seed ${SEED})`, async () => {
  const changes = fc.record({
    what: fc.constantFrom("id", "timestamp", "body", "signature"),
    at: fc.nat(),
    by: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(id, time, bytes(1, 300), keys, changes, async (id, at, body, key, { what, at: where, by }) => {
      const headers = new Headers({ ...await signedHeaders(id, at, body, [key[0]]) });
      const changed = new Uint8Array(body);
      let now = at;
      if (what === "id") headers.set("webhook-id", by % 2 === 0 ? `${id}x` : id.length > 1 ? id.slice(1) : "other");
      if (what === "timestamp") headers.set("webhook-timestamp", String(now += 1 + by % 1000));
      if (what === "body") changed[where % changed.length] ^= 1 << by % 8;
      if (what === "signature") {
        const [scheme, text] = headers.get("webhook-signature")!.split(",");
        const signature = Uint8Array.fromBase64(text);
        signature[where % signature.length] ^= 1 << by % 8;
        headers.set("webhook-signature", `${scheme},${base64(signature)}`);
      }
      const result = await verifySigned(headers, changed, [await checking(key)], now);
      assert.deepEqual(result, { ok: false, reason: "signature" }, what);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test(`verifySigned() refuses the key of another scheme or receiver (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(id, bytes(0, 99), keys, keys, async (id, body, ours, theirs) => {
      fc.pre(ours[0] !== theirs[0]);
      const headers = new Headers({ ...await signedHeaders(id, 1000, body, [theirs[0]]) });
      const result = await verifySigned(headers, body, [await checking(ours)], 1000);
      assert.deepEqual(result, { ok: false, reason: "signature" });
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("verifySigned() refuses what is out of time, without headers, or a field moved over the full stop", async () => {
  const [{ key, id, timestamp, body, signature }] = VECTORS;
  const given = { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signature };
  const check = (changed: Record<string, string>, now = timestamp, text = body) =>
    verifySigned(new Headers({ ...given, ...changed }), utf8(text), [key], now);
  assert.deepEqual(await check({}, timestamp + TOLERANCE_S + 1), { ok: false, reason: "too old" });
  assert.deepEqual(await check({}, timestamp - TOLERANCE_S - 1), { ok: false, reason: "too new" });
  for (const name of Object.keys(given)) {
    assert.deepEqual(await check({ [name]: "" }), { ok: false, reason: "headers" });
  }
  for (const text of ["hello", "-1", "1614265330.0", "1e9", "0x10", "99999999999999"]) {
    assert.deepEqual(await check({ "webhook-timestamp": text }), { ok: false, reason: "headers" }, text);
  }
  for (const text of ["v1,", "v1", signature.slice(0, 8), `v2${signature.slice(2)}`, signature.toLowerCase()]) {
    assert.deepEqual(await check({ "webhook-signature": text }), { ok: false, reason: "signature" }, text);
  }
  assert.deepEqual(await check({ "webhook-id": `${id}.${timestamp}` }), { ok: false, reason: "headers" });
  const many = `${"v1,AAAA ".repeat(16)}${signature}`;
  assert.deepEqual(await check({ "webhook-signature": many }), { ok: false, reason: "signature" });
});

Deno.test("signedHeaders() refuses ids that could be read as two fields, and no key", async () => {
  const [{ key }] = VECTORS;
  for (const id of ["", "a.b", "a b", "a\n", "ä", "x".repeat(256)]) {
    await assert.rejects(signedHeaders(id, 1, utf8(""), [key]), RangeError, JSON.stringify(id));
  }
  for (const at of [-1, 1.5, NaN, Infinity]) await assert.rejects(signedHeaders("a", at, utf8(""), [key]), RangeError);
  await assert.rejects(signedHeaders("a", 1, utf8(""), []), RangeError);
});

Deno.test("signingKey() and verifyingKey() refuse other lengths, prefixes and halves, and never show a key", async () => {
  const text = (prefix: string, length: number) => `${prefix}${base64(new Uint8Array(length).fill(0xa5))}`;
  const wrong = [
    ...[text("whsec_", 23), text("whsec_", 65), text("whsk_", 31), text("whsk_", 33), text("whsk_", 64)],
    ...[text("", 32), text("whpk_", 32), "whsec_", "whsk_", "whsec_paWlpaWl=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl"],
  ];
  for (const key of wrong) {
    await assert.rejects(
      signingKey(key),
      (error) => error instanceof RangeError && !/paWlpaWl/.test(error.message),
      key,
    );
  }
  for (const key of [text("whpk_", 31), text("whsk_", 32)]) await assert.rejects(verifyingKey(key), RangeError, key);
  await assert.rejects(publicKeyOf(text("whsec_", 32)), RangeError);
});
