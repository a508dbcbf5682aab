/** The contract of {@link Records}: every backend with compare-and-set passes it. */
import assert from "node:assert/strict";
import { RECORD_BYTES, type Records } from "../../functions/storage/port.ts";
import { update } from "../../functions/storage/update.ts";
import { content, ODD_KEYS, WRONG_KEYS } from "./bytes.ts";
import { clientOf, LIFETIME_MS, type Opened, type RecordBackend, testOver } from "./storage.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Creates a record, or fails. */
async function create(records: Records, key: string, seed: number, expiresInMs?: number): Promise<string> {
  const result = await records.compareAndSet(key, null, content(20, seed), { expiresInMs });
  assert.ok(result.written);
  return result.version;
}

export function recordsSuite(backend: RecordBackend): void {
  const test = (fact: string, body: (records: Records, opened: Opened<Records>) => Promise<void>) =>
    testOver(backend, `records ${fact}`, (opened) => body(opened.clients[0], opened));

  test("are absent until they are created, then seen by every client", async (records, opened) => {
    assert.equal(await records.get("a"), null);
    const version = await create(records, "a", 1);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await clientOf(opened, i).get("a"), { bytes: content(20, 1), version });
    }
  });

  test("change from the version that is there, and from no other", async (records) => {
    const first = await create(records, "a", 1);
    const change = await records.compareAndSet("a", first, content(20, 2));
    assert.ok(change.written);
    assert.notEqual(change.version, first);
    const current = { bytes: content(20, 2), version: change.version };
    for (const stale of [first, null, "no version"]) {
      assert.deepEqual(await records.compareAndSet("a", stale, content(20, 3)), { written: false, current });
    }
    assert.deepEqual(await records.get("a"), current);
    assert.deepEqual(await records.compareAndSet("b", first, content(20, 3)), { written: false, current: null });
    assert.equal(await records.get("b"), null);
  });

  test("have a new version after each write, also of the same bytes", async (records) => {
    const versions = [await create(records, "a", 1)];
    for (let i = 0; i < 3; i++) {
      const result = await records.compareAndSet("a", versions.at(-1)!, content(20, 1));
      assert.ok(result.written);
      versions.push(result.version);
    }
    assert.equal(new Set(versions).size, versions.length);
  });

  test("let exactly one of racing creators win, and tell the others who did", async (_, opened) => {
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) => clientOf(opened, i).compareAndSet("a", null, content(20, i))),
    );
    const winners = results.flatMap((result, i) => result.written ? [{ i, version: result.version }] : []);
    assert.equal(winners.length, 1);
    const current = { bytes: content(20, winners[0].i), version: winners[0].version };
    for (const result of results) if (!result.written) assert.deepEqual(result.current, current);
    assert.deepEqual(await clientOf(opened, 1).get("a"), current);
  });

  test("let exactly one of racing changes win", async (records, opened) => {
    let version = await create(records, "a", 0);
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) => clientOf(opened, i).compareAndSet("a", version, content(20, i))),
      );
      assert.equal(results.filter(({ written }) => written).length, 1);
      version = (await records.get("a"))!.version;
    }
  });

  test("lose no update of writers that try again", async (records, opened) => {
    const increment = (current: Uint8Array | null) =>
      encoder.encode(String(Number(decoder.decode(current ?? new Uint8Array())) + 1));
    await Promise.all(Array.from({ length: 6 }, async (_, i) => {
      for (let n = 0; n < 5; n++) await update(clientOf(opened, i), "counter", increment);
    }));
    assert.equal(decoder.decode((await records.get("counter"))!.bytes), "30");
  });

  test("are gone when their time is over, and can be created again", async (records, { pass }) => {
    const version = await create(records, "a", 1, LIFETIME_MS);
    assert.notEqual(await records.get("a"), null);
    await pass(LIFETIME_MS + 100);
    assert.equal(await records.get("a"), null);
    assert.deepEqual(await records.compareAndSet("a", version, content(20, 2)), { written: false, current: null });
    assert.equal(await records.delete("a", version), true);
    await create(records, "a", 3);
    assert.deepEqual((await records.get("a"))?.bytes, content(20, 3));
  });

  test("have the expiry of the last write", async (records, { pass }) => {
    const first = await create(records, "a", 1, LIFETIME_MS);
    assert.ok((await records.compareAndSet("a", first, content(20, 2))).written);
    await pass(LIFETIME_MS + 100);
    assert.deepEqual((await records.get("a"))?.bytes, content(20, 2));
  });

  test("are deleted from the version that is there, and from no other", async (records) => {
    const first = await create(records, "a", 1);
    const second = await records.compareAndSet("a", first, content(20, 2));
    assert.ok(second.written);
    assert.equal(await records.delete("a", first), false);
    assert.notEqual(await records.get("a"), null);
    assert.equal(await records.delete("a", second.version), true);
    assert.equal(await records.get("a"), null);
    assert.equal(await records.delete("a", second.version), true);
    await create(records, "a", 3);
  });

  test("take odd keys, and keep them apart", async (records) => {
    for (const [i, key] of ODD_KEYS.entries()) await create(records, key, i);
    for (const [i, key] of ODD_KEYS.entries()) assert.deepEqual((await records.get(key))?.bytes, content(20, i), key);
  });

  test("hold as much as is promised and refuse more", async (records) => {
    for (const length of [0, 1, RECORD_BYTES]) {
      assert.ok((await records.compareAndSet(`${length}`, null, content(length, length))).written);
      assert.deepEqual((await records.get(`${length}`))?.bytes, content(length, length));
    }
    await assert.rejects(records.compareAndSet("a", null, content(RECORD_BYTES + 1, 1)), RangeError);
    assert.equal(await records.get("a"), null);
  });

  test("refuse keys and lifetimes that not every backend takes", async (records) => {
    for (const key of WRONG_KEYS) {
      await assert.rejects(records.get(key), RangeError);
      await assert.rejects(records.compareAndSet(key, null, content(1, 1)), RangeError);
      await assert.rejects(records.delete(key, "v"), RangeError);
    }
    for (const expiresInMs of [0, -1, 1.5, NaN, Infinity]) {
      await assert.rejects(records.compareAndSet("a", null, content(1, 1), { expiresInMs }), RangeError);
    }
  });
}
