import assert from "node:assert/strict";
import { connectToRedis, ioredisStorage } from "../../functions/adapters/ioredis.ts";
import { upstashBlobs, upstashClient, upstashRecords } from "../../functions/adapters/upstash.ts";
import { LipcertError } from "../../shared/errors.ts";
import { storageSuite } from "../suites/all_storage.ts";
import { content } from "../suites/bytes.ts";
import { realTime } from "../suites/storage.ts";
import { frontServer, REDIS_SERVER, type RedisServer, redisServer } from "./servers.ts";

const ignore = REDIS_SERVER === null;
let redis: RedisServer;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  redis = await redisServer();
  await redis.start();
});

Deno.test.afterAll(async () => {
  if (!ignore) await redis.close();
});

storageSuite({
  name: "ioredis",
  ignore,
  hasRecords: true,
  async open() {
    await redis.flush();
    const connections = await Promise.all([1, 2, 3].map(() => connectToRedis(redis.address)));
    return {
      clients: connections.map((connection) => ioredisStorage(connection)),
      pass: realTime,
      close: async () => void await Promise.all(connections.map((connection) => connection.quit())),
    };
  },
});

Deno.test({
  name: "ioredis and upstash over the same Redis see each other's blobs and records",
  ignore,
  async fn() {
    const front = frontServer(redis.address), connection = await connectToRedis(redis.address);
    await front.start();
    try {
      const here = ioredisStorage(connection), client = upstashClient(front);
      const there = { blobs: upstashBlobs(client), records: upstashRecords(client) };
      const bytes = content(2_000_000, 3);
      await here.blobs.put("large", bytes);
      assert.deepEqual(await there.blobs.get("large"), bytes);
      const first = await there.records.compareAndSet("r", null, content(10, 1));
      assert.ok(first.written);
      const second = await here.records!.compareAndSet("r", first.version, content(10, 2));
      assert.ok(second.written);
      const late = await there.records.compareAndSet("r", first.version, content(10, 3));
      assert.ok(!late.written && late.current?.version === second.version);
    } finally {
      await connection.quit();
      await front.kill();
    }
  },
});

Deno.test({
  name: "ioredis without Redis is store-unavailable in time, and the same connection serves when it is back",
  ignore,
  async fn() {
    const connection = await connectToRedis(redis.address, 300), { records, blobs } = ioredisStorage(connection);
    try {
      await blobs.put("kept", content(10, 1));
      await redis.kill();
      for (const call of [() => records!.get("a"), () => blobs.put("secret", content(10, 1))]) {
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof LipcertError && error.type === "store-unavailable");
          assert.ok(!JSON.stringify(error.cause).includes("lipcert:"));
          return true;
        });
      }
      await redis.start();
      for (let i = 0; i < 50; i++) {
        const kept = await blobs.get("kept").catch(() => null);
        if (kept === null) continue;
        assert.deepEqual(kept, content(10, 1));
        return;
      }
      assert.fail("the connection is not made again");
    } finally {
      connection.disconnect();
    }
  },
});
