import assert from "node:assert/strict";
import { pingUpstash, upstashBlobs, upstashClient, upstashRecords } from "../../functions/adapters/upstash.ts";
import type { Storage } from "../../functions/storage/port.ts";
import { LipcertError } from "../../shared/errors.ts";
import { storageSuite } from "../suites/all_storage.ts";
import { content } from "../suites/bytes.ts";
import { realTime } from "../suites/storage.ts";
import { type FrontServer, frontServer, REDIS_SERVER, type RedisServer, redisServer } from "./servers.ts";

const ignore = REDIS_SERVER === null;
let redis: RedisServer;
let front: FrontServer;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  redis = await redisServer();
  await redis.start();
  front = frontServer(redis.address);
  await front.start();
});

Deno.test.afterAll(async () => {
  if (ignore) return;
  await front.kill();
  await redis.close();
});

function storage(): Storage {
  const client = upstashClient(front);
  return { blobs: upstashBlobs(client), records: upstashRecords(client) };
}

storageSuite({
  name: "upstash",
  ignore,
  hasRecords: true,
  async open() {
    await redis.flush();
    return { clients: [storage(), storage(), storage()], pass: realTime, close() {} };
  },
});

/** Every message of an error and its causes. */
function messages(error: unknown): string {
  return error instanceof Error ? `${error.stack} ${error.message} ${messages(error.cause)}` : String(error);
}

async function failure(call: Promise<unknown>): Promise<LipcertError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof LipcertError && error.type === "store-unavailable");
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test({
  name: "upstash with a wrong token is store-unavailable; no message holds the token or what was to be kept",
  ignore,
  async fn() {
    const token = "not-the-token-of-the-front";
    const client = upstashClient({ url: front.url, token });
    const bytes = content(3000, 1);
    for (
      const call of [
        () => pingUpstash(client),
        () => upstashBlobs(client).put("a", bytes),
        () => upstashRecords(client).compareAndSet("a", null, bytes),
      ]
    ) {
      const text = messages(await failure(call()));
      assert.match(text, /The store refuses: Unauthorized/);
      assert.ok(!text.includes(token) && !text.includes(bytes.toBase64().slice(0, 40)));
    }
    assert.equal(await storage().blobs.get("a"), null);
  },
});

Deno.test({
  name: "upstash that refuses a write is store-unavailable, with Redis's words and without what was to be kept",
  ignore,
  async fn() {
    const client = upstashClient(front);
    await client.hset("lipcert:b:a", { field: "value" }); // no string: GET is refused
    const text = messages(await failure(upstashBlobs(client).get("a")));
    assert.match(text, /WRONGTYPE/);
    assert.ok(!text.includes("command was"));
    await client.del("lipcert:b:a");
  },
});

Deno.test("upstash that nobody serves is store-unavailable after its retries", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const error = await failure(upstashBlobs(upstashClient({ url, token: "token" })).get("a"));
  assert.equal(error.members.retry_after, 5);
  assert.notEqual(error.cause, undefined);
});

Deno.test("upstash that does not answer is store-unavailable when the time is over", async () => {
  const waiting: Deno.Conn[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) waiting.push(connection);
  })();
  const client = upstashClient({ url: `http://127.0.0.1:${listener.addr.port}`, token: "token" }, 200);
  assert.match(messages(await failure(upstashBlobs(client).get("a"))), /TimeoutError|timed out/);
  for (const connection of waiting) connection.close();
  listener.close();
  await accepting;
});
