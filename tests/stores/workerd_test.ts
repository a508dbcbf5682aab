import { upstashBlobs, upstashClient, upstashRecords } from "../../functions/adapters/upstash.ts";
import { storageSuite } from "../suites/all_storage.ts";
import { blobsSuite } from "../suites/blobs.ts";
import { realTime } from "../suites/storage.ts";
import { type FrontServer, frontServer, REDIS_SERVER, type RedisServer, redisServer } from "./servers.ts";
import { type WorkerdStorage, workerdStorage } from "./workerd.ts";

const hasRedis = REDIS_SERVER !== null;
let redis: RedisServer;
let front: FrontServer;
let workerd: WorkerdStorage;

Deno.test.beforeAll(async () => {
  const vars: Record<string, string> = {};
  if (hasRedis) {
    redis = await redisServer();
    await redis.start();
    front = frontServer(redis.address);
    await front.start();
    vars.UPSTASH_REDIS_REST_URL = front.url;
    vars.UPSTASH_REDIS_REST_TOKEN = front.token;
  }
  workerd = await workerdStorage(vars);
});

Deno.test.afterAll(async () => {
  await workerd.close();
  if (!hasRedis) return;
  await front.kill();
  await redis.close();
});

function workersKv(backend: "kv" | "kv_pieces") {
  return async () => {
    await workerd.forget();
    return { clients: [workerd.storage(backend)], pass: realTime, close() {} };
  };
}

storageSuite({ name: "workers kv", keepsResources: true, hasRecords: false, open: workersKv("kv") });

blobsSuite({
  name: "workers kv in pieces",
  keepsResources: true,
  async open() {
    const { clients, ...opened } = await workersKv("kv_pieces")();
    return { ...opened, clients: clients.map(({ blobs }) => blobs) };
  },
});

storageSuite({
  name: "upstash from workerd and from deno",
  ignore: !hasRedis,
  keepsResources: true,
  hasRecords: true,
  async open() {
    await redis.flush();
    const client = upstashClient(front);
    const deno = { blobs: upstashBlobs(client), records: upstashRecords(client) };
    return { clients: [workerd.storage("upstash"), deno], pass: realTime, close() {} };
  },
});
