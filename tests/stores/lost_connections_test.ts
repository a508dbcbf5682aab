/** The way to the shared store breaks: nothing is torn, no write is counted twice, and all goes on afterwards. */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { upstashBlobs, upstashClient, upstashRecords } from "../../functions/adapters/upstash.ts";
import { update } from "../../functions/storage/update.ts";
import { LipcertError } from "../../shared/errors.ts";
import { content } from "../suites/bytes.ts";
import { type CuttingProxy, cuttingProxy } from "./cutting_proxy.ts";
import { type FrontServer, frontServer, REDIS_SERVER, type RedisServer, redisServer } from "./servers.ts";

const SHORT_MS = 20;
const LARGE = content(6_000_000, 1);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Way {
  readonly redis: RedisServer;
  readonly front: FrontServer;
  readonly proxy: CuttingProxy;
}

function test(fact: string, body: (way: Way) => Promise<void>): void {
  Deno.test({
    name: `upstash ${fact}`,
    ignore: REDIS_SERVER === null,
    async fn() {
      const redis = await redisServer();
      await redis.start();
      const front = frontServer(redis.address);
      await front.start();
      const proxy = cuttingProxy(new URL(front.url));
      try {
        await body({ redis, front, proxy });
      } finally {
        await front.kill();
        await proxy.close();
        await redis.close();
      }
    },
  });
}

function overProxy({ front, proxy }: Way) {
  return upstashClient({ url: proxy.url, token: front.token });
}

const isUnavailable = (error: unknown) =>
  error instanceof LipcertError && error.type === "store-unavailable" && error.cause !== undefined;

/** Calls until the store can be reached again. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 200 || !isUnavailable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
    }
  }
}

test("records: a write whose answer is lost is told as made, once", async (way) => {
  const records = upstashRecords(overProxy(way));
  let expected: string | null = null;
  for (let i = 0; i < 3; i++) {
    way.proxy.cut(1);
    const result = await records.compareAndSet("a", expected, content(20, i));
    assert.ok(result.written);
    assert.deepEqual(await records.get("a"), { bytes: content(20, i), version: result.version });
    expected = result.version;
  }
  way.proxy.cut(1);
  assert.equal((await records.compareAndSet("a", null, content(20, 9))).written, false);
  way.proxy.cut(1);
  assert.equal(await records.delete("a", expected!), true);
  assert.equal(await records.get("a"), null);
  assert.equal(way.proxy.lost(), 5);
});

test("records: a write whose every answer is lost throws; what is there then is whole and can be gone on from", async (way) => {
  const records = upstashRecords(overProxy(way));
  way.proxy.cut(Infinity);
  await assert.rejects(records.compareAndSet("a", null, content(20, 1)), isUnavailable);
  await assert.rejects(records.get("a"), isUnavailable);
  way.proxy.cut(0);
  const there = await records.get("a");
  assert.deepEqual(there?.bytes, content(20, 1));
  assert.ok((await records.compareAndSet("a", there!.version, content(20, 2))).written);
});

test("records: racing writers whose answers get lost lose no update", async (way) => {
  const clients = [upstashRecords(overProxy(way)), upstashRecords(upstashClient(way.front))];
  const increment = (current: Uint8Array | null) =>
    encoder.encode(String(Number(decoder.decode(current ?? new Uint8Array())) + 1));
  await Promise.all(clients.map(async (records, i) => {
    for (let n = 0; n < 15; n++) {
      if (i === 0 && n % 3 === 0) way.proxy.cut(1);
      await update(records, "counter", increment);
    }
  }));
  assert.ok(way.proxy.lost() > 0);
  // An update that another writer followed before its answer was lost is made again: at least once, as is promised.
  const total = Number(decoder.decode((await clients[1].get("counter"))!.bytes));
  assert.ok(total >= 30 && total <= 30 + way.proxy.lost(), `${total}`);
});

test("blobs: come through lost answers", async (way) => {
  const blobs = upstashBlobs(overProxy(way));
  way.proxy.cut(2);
  await blobs.put("a", LARGE);
  way.proxy.cut(2);
  assert.deepEqual(await blobs.get("a"), LARGE);
  way.proxy.cut(1);
  await blobs.delete("a");
  assert.equal(await blobs.get("a"), null);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Resolves once Redis holds a piece of what is being written. */
async function pieceWritten({ redis }: Way): Promise<void> {
  const client = new Redis(redis.address, { protocol: 2 });
  while (await client.dbsize() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  client.disconnect();
  await new Promise((resolve) => client.once("end", resolve));
}

for (const victim of ["front", "redis"] as const) {
  test(`blobs: ${victim} is killed in the middle of a write: nothing is seen, and the next write completes it`, async (way) => {
    const blobs = upstashBlobs(upstashClient(way.front));
    const writing = assert.rejects(blobs.put("a", LARGE), isUnavailable);
    await pieceWritten(way);
    await way[victim].kill();
    await writing;
    await assert.rejects(blobs.get("a"), isUnavailable);
    await way[victim].start();
    assert.equal(await again(() => blobs.get("a")), null);
    assert.equal(await blobs.has("a"), false);
    await blobs.put("a", LARGE);
    assert.deepEqual(await blobs.get("a"), LARGE);
  });

  test(`blobs: ${victim} is killed in the middle of reads: each throws or is whole`, async (way) => {
    const blobs = upstashBlobs(upstashClient(way.front));
    await blobs.put("a", LARGE);
    const reads = Promise.allSettled([1, 2, 3].map(() => blobs.get("a")));
    await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
    await way[victim].kill();
    for (const read of await reads) {
      if (read.status === "fulfilled") assert.deepEqual(read.value, LARGE);
      else assert.ok(isUnavailable(read.reason), String(read.reason));
    }
    await way[victim].start();
    assert.deepEqual(await again(() => blobs.get("a")), LARGE);
  });

  test(`records: ${victim} is killed between writers: every write that was told as made is there`, async (way) => {
    const WRITERS = 4;
    let [made, unknown, isOver] = [0, 0, false];
    const increment = (current: Uint8Array | null) =>
      encoder.encode(String(Number(decoder.decode(current ?? new Uint8Array())) + 1));
    const writers = Promise.all(Array.from({ length: WRITERS }, async () => {
      const records = upstashRecords(upstashClient(way.front));
      while (!isOver) {
        try {
          await update(records, "counter", increment);
          made++;
        } catch (error) {
          assert.ok(isUnavailable(error), String(error));
          unknown++;
          await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
        }
      }
    }));
    await until(() => made >= 10);
    await way[victim].kill();
    await until(() => unknown >= WRITERS);
    await way[victim].start();
    const before = made;
    await until(() => made >= before + 10);
    isOver = true;
    await writers;
    const records = upstashRecords(upstashClient(way.front));
    const total = Number(decoder.decode((await again(() => records.get("counter")))!.bytes));
    // What was under way when the connection broke may be made twice if another writer came between, as above.
    const most = made + unknown + WRITERS;
    assert.ok(total >= made && total <= most, `${total} there, ${made} made, ${unknown} unknown`);
  });
}
