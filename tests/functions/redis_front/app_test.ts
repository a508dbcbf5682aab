import assert from "node:assert/strict";
import { Redis } from "@upstash/redis/cloudflare";
import { createFront } from "../../../functions/redis_front/app.ts";
import { FrontError } from "../../../functions/redis_front/commands.ts";
import { connectRedis, type RedisConnection } from "../../../functions/redis_front/redis.ts";
import { cuttingProxy } from "../../stores/cutting_proxy.ts";
import { REDIS_SERVER, type RedisServer, redisServer } from "../../stores/servers.ts";

const TOKEN = "a-token-of-the-tests";
const LIMITS = { bodyBytes: 2000, commands: 5 };
let server: RedisServer;
let redis: RedisConnection;

Deno.test.beforeAll(async () => {
  if (REDIS_SERVER === null) return;
  server = await redisServer();
  await server.start();
  redis = await connectRedis(server.address);
});

Deno.test.afterAll(async () => {
  if (REDIS_SERVER === null) return;
  redis.close();
  await server.close();
});

function test(fact: string, fn: () => Promise<void>): void {
  Deno.test({ name: `createFront() ${fact}`, ignore: REDIS_SERVER === null, fn });
}

/** What is in an answer that failed or did not; a list of them for a list of commands. */
interface Answer {
  readonly result?: unknown;
  readonly error: string;
  readonly [place: number]: Answer;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await createFront(redis, TOKEN, LIMITS).request(path, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() as Answer };
}

const BASE64 = { "upstash-encoding": "base64" };
const ok = (result: unknown) => ({ status: 200, body: { result } });

test("answers a command with its result, in text or in base64", async () => {
  assert.deepEqual(await post("/", ["SET", "k", "ключ"]), ok("OK"));
  assert.deepEqual(await post("/", ["GET", "k"]), ok("ключ"));
  assert.deepEqual(await post("/", ["GET", "k"], BASE64), ok("0LrQu9GO0Yc="));
  assert.deepEqual(await post("/", ["SET", "k", "v"], BASE64), ok("OK"));
  assert.deepEqual(await post("/", ["GET", "none"]), ok(null));
  assert.deepEqual(await post("/", ["STRLEN", "k"]), ok(1));
  assert.deepEqual(await post("/", ["HSET", "h", "a", 1, "b", "2"]), ok(2));
  assert.deepEqual(await post("/", ["HGETALL", "h"]), ok(["a", "1", "b", "2"]));
  assert.deepEqual(await post("/", ["EVAL", "return {1, false, 'x', {ARGV[1]}}", 0, "y"]), ok([1, null, "x", ["y"]]));
});

test("answers 400 with Redis's words for a command that fails, and to a body that is none", async () => {
  await post("/", ["SET", "k", "v"]);
  const wrongType = await post("/", ["LPUSH", "k", "x"]);
  assert.equal(wrongType.status, 400);
  assert.match(wrongType.body.error, /^WRONGTYPE /);
  for (const body of ["{", "{}", "[]", '["GET", null]', ""]) {
    const { status, body: { error } } = await post("/", body);
    assert.equal(status, 400, body);
    assert.match(error, /^ERR failed to parse/);
  }
});

test("refuses what is not for many users of one connection", async () => {
  for (
    const command of [
      ["SELECT", "1"],
      ["MULTI"],
      ["SUBSCRIBE", "x"],
      ["BLPOP", "l", 0],
      ["MONITOR"],
      ["CLIENT", "KILL", "x"],
      ["CONFIG", "GET", "*"],
      ["FLUSHALL"],
      ["SHUTDOWN"],
      ["AUTH", "x"],
      ["HELLO", "3"],
      ["QUIT"],
      ["DEBUG", "SLEEP", "1"],
    ]
  ) {
    const { status, body } = await post("/", command);
    assert.equal(status, 400);
    assert.match(body.error, /^ERR Command is not available/);
  }
  assert.deepEqual(await post("/", ["PING"]), ok("PONG"));
});

test("answers a pipeline one by one, in order, with the errors in their places", async () => {
  const commands = [["SET", "n", 1], ["INCR", "n"], ["SELECT", 1], ["LPUSH", "n", 1], ["GET", "n"]];
  const { status, body } = await post("/pipeline", commands, BASE64);
  assert.equal(status, 200);
  assert.deepEqual([body[0], body[1], body[4]], [{ result: "OK" }, { result: 2 }, { result: "Mg==" }]);
  assert.match(body[2].error, /not available/);
  assert.match(body[3].error, /WRONGTYPE/);
});

test("carries out a transaction whole or not at all", async () => {
  await post("/", ["SET", "n", 1]);
  const { status, body } = await post("/multi-exec", [["INCR", "n"], ["LPUSH", "n", 1], ["GET", "n"]]);
  assert.equal(status, 200);
  assert.deepEqual([body[0], body[2]], [{ result: 2 }, { result: "2" }]);
  assert.match(body[1].error, /WRONGTYPE/);
  const discarded = await post("/multi-exec", [["INCR", "n"], ["GET"]]);
  assert.equal(discarded.status, 400);
  assert.match(discarded.body.error, /EXECABORT/);
  assert.equal((await post("/multi-exec", [["INCR", "n"], ["SELECT", 1]])).status, 400);
  assert.deepEqual(await post("/", ["GET", "n"]), ok("2"));
});

test("asks for the token, and says nothing to whoever has another", async () => {
  for (const authorization of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, "Bearer ", `Basic ${TOKEN}`, ""]) {
    const { status, body } = await post("/", ["GET", "k"], { authorization });
    assert.ok(status === 401 || status === 400, `${authorization}: ${status}`);
    assert.deepEqual(body, { error: "Unauthorized" });
  }
});

test("has its limits, and answers in JSON to everything", async () => {
  const large = await post("/", ["SET", "k", "v".repeat(LIMITS.bodyBytes)]);
  assert.equal(large.status, 413);
  assert.match(large.body.error, /max request size exceeded. Limit: 2000 bytes/);
  const many = await post("/pipeline", new Array(LIMITS.commands + 1).fill(["PING"]));
  assert.deepEqual(many, { status: 400, body: { error: "ERR too many commands: 6, at most 5" } });
  assert.equal((await post("/pipeline", { a: 1 })).status, 400);
  assert.deepEqual(await post("/get/k", ""), { status: 404, body: { error: "Not Found" } });
});

test("serves the client it is made for, whatever the client's settings", async () => {
  const front = createFront(redis, TOKEN, { bodyBytes: 2 ** 20, commands: 100 });
  await using listening = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, front.fetch);
  for (const responseEncoding of ["base64", false] as const) {
    for (const enableAutoPipelining of [true, false]) {
      const url = `http://127.0.0.1:${listening.addr.port}`;
      const client = new Redis({ url, token: TOKEN, responseEncoding, enableAutoPipelining });
      await client.set("json", { a: ["ключ", 1] });
      assert.deepEqual(await client.get("json"), { a: ["ключ", 1] });
      await client.del("h");
      await client.hset("h", { a: 1, b: "two" });
      assert.deepEqual(await client.hgetall("h"), { a: 1, b: "two" });
      assert.deepEqual(await Promise.all([client.get("json"), client.hget("h", "b"), client.ping()]), [
        { a: ["ключ", 1] },
        "two",
        "PONG",
      ]);
      assert.deepEqual(await client.multi().set("n", 1).incr("n").get("n").exec(), ["OK", 2, 2]);
      assert.deepEqual(await client.pipeline().incr("n").mget("n", "none").exec(), [3, [3, null]]);
      assert.equal(await client.createScript<number>("return tonumber(ARGV[1]) + 1").exec([], ["1"]), 2);
      await client.del("z");
      await client.zadd("z", { score: 1.5, member: "m" });
      assert.deepEqual(await client.zrange("z", 0, -1, { withScores: true }), ["m", 1.5]);
      await assert.rejects(client.lpush("json", 1), /WRONGTYPE/);
    }
  }
});

test("answers 503 at once while Redis is away, and serves again when it is back", async () => {
  await post("/", ["SET", "kept", "v"]);
  await server.kill();
  for (
    const [path, body] of [["/", ["GET", "kept"]], ["/pipeline", [["PING"]]], ["/multi-exec", [["PING"]]]] as const
  ) {
    assert.deepEqual(await post(path, body), { status: 503, body: { error: "ERR Redis cannot be reached" } }, path);
  }
  await server.start();
  while ((await post("/", ["PING"])).status === 503) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await post("/", ["GET", "kept"]), ok("v"));
});

test("sends nothing twice when the connection to Redis breaks before the answer", async () => {
  await post("/", ["SET", "n", 1]);
  const proxy = cuttingProxy(new URL(server.address));
  const overProxy = await connectRedis(server.address.replace(/\d+$/, new URL(proxy.url).port));
  try {
    proxy.cut(1);
    await assert.rejects(overProxy.call(["INCR", "n"]), (error) => error instanceof FrontError && error.status === 503);
    await again(() => overProxy.call(["PING"]));
    proxy.cut(1);
    await assert.rejects(overProxy.transaction([["INCR", "n"], ["PING"]]), FrontError);
    await again(() => overProxy.call(["PING"]));
    assert.deepEqual(await post("/", ["GET", "n"]), ok("3"));
    assert.equal(proxy.lost(), 2);
  } finally {
    overProxy.close();
    await proxy.close();
  }
});

/** Calls until Redis can be reached again. */
async function again(call: () => Promise<unknown>): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return void await call();
    } catch (error) {
      if (tries === 200 || !(error instanceof FrontError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

Deno.test({
  name: "connectRedis() says why it cannot, and no password",
  ignore: REDIS_SERVER === null,
  async fn() {
    await assert.rejects(connectRedis("redis://:secret@127.0.0.1:1"), (error: Error) => {
      assert.match(error.message, /Redis does not answer: .*ECONNREFUSED/);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  },
});
