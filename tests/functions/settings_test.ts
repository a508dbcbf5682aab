import assert from "node:assert/strict";
import {
  addressFrom,
  frontFrom,
  graceMsFrom,
  jobSettingsFrom,
  limitsFrom,
  nodeFrom,
  nodeKeysFrom,
  poolSizeFrom,
  redisFrom,
  searchThreadsFrom,
  storePathFrom,
  upstashFrom,
} from "../../functions/settings.ts";

const from = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("poolSizeFrom() leaves one core free where there is more than one", () => {
  assert.equal(poolSizeFrom(from({}), 1).workers, 1);
  assert.equal(poolSizeFrom(from({}), 2).workers, 1);
  assert.equal(poolSizeFrom(from({}), 16).workers, 15);
  assert.equal(poolSizeFrom(from({ LIPCERT_WORKERS: "3" }), 16).workers, 3);
});

Deno.test("limitsFrom() takes positive numbers and nothing else", () => {
  assert.equal(limitsFrom(from({ LIPCERT_BODY_MIB: "0.5" })).body_bytes, 2 ** 19);
  assert.equal(limitsFrom(from({ LIPCERT_BODY_MIB: "" })).body_bytes, 64 * 2 ** 20);
  for (const text of ["0", "-1", "NaN", "Infinity", "much"]) {
    assert.throws(() => limitsFrom(from({ LIPCERT_BODY_MIB: text })), RangeError, text);
  }
});

Deno.test("addressFrom() listens on the machine itself unless told", () => {
  assert.deepEqual(addressFrom(from({})), { hostname: "127.0.0.1", port: 8000 });
  assert.deepEqual(addressFrom(from({ HOST: "::", PORT: "0" })), { hostname: "::", port: 0 });
  for (const PORT of ["x", "-1", "65536", "1.5"]) assert.throws(() => addressFrom(from({ PORT })), RangeError, PORT);
});

Deno.test("storePathFrom() is the named file, else one of the user's data", () => {
  assert.equal(storePathFrom(from({ LIPCERT_KV: ":memory:", HOME: "/home/u" })), ":memory:");
  assert.equal(storePathFrom(from({ HOME: "/home/u" })), "/home/u/.local/share/lipcert/store.sqlite3");
  assert.equal(storePathFrom(from({ HOME: "/home/u", XDG_DATA_HOME: "/data" })), "/data/lipcert/store.sqlite3");
});

Deno.test("searchThreadsFrom() is one thread unless told", () => {
  assert.equal(searchThreadsFrom(from({})), 1);
  assert.equal(searchThreadsFrom(from({ LIPCERT_SEARCH_THREADS: "3.7" })), 3);
  assert.throws(() => searchThreadsFrom(from({ LIPCERT_SEARCH_THREADS: "0" })), RangeError);
});

Deno.test("jobSettingsFrom() runs one job at a time unless told, and none for 0", () => {
  assert.deepEqual(jobSettingsFrom(from({})), {
    slots: 1,
    most: 256,
    gflopAtOnce: 1000,
    bytesAtOnce: 2048 * 2 ** 20,
  });
  const told = {
    LIPCERT_JOB_WORKERS: "0",
    LIPCERT_JOBS: "10",
    LIPCERT_GFLOP_AT_ONCE: "0.5",
    LIPCERT_MEMORY_AT_ONCE_MIB: "64",
  };
  assert.equal(jobSettingsFrom(from({}), 8).slots, 8);
  assert.deepEqual(jobSettingsFrom(from(told)), { slots: 0, most: 10, gflopAtOnce: 0.5, bytesAtOnce: 64 * 2 ** 20 });
  for (const LIPCERT_JOB_WORKERS of ["-1", "x"]) {
    assert.throws(() => jobSettingsFrom(from({ LIPCERT_JOB_WORKERS })), RangeError, LIPCERT_JOB_WORKERS);
  }
  assert.throws(() => jobSettingsFrom(from({ LIPCERT_JOBS: "513" })), /at most 512/);
});

const SECRET = "hunter2-hunter2-hunter2";

/** The call throws `RangeError` and names `name` without the secret. */
function refuses(call: () => unknown, name: string): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof RangeError && error.message.includes(name), String(error));
    assert.ok(!error.message.includes(SECRET));
    return true;
  });
}

Deno.test("upstashFrom() is both settings or none", () => {
  const of = (url?: string, token?: string) => () =>
    upstashFrom((name) => name === "UPSTASH_REDIS_REST_URL" ? url : name === "UPSTASH_REDIS_REST_TOKEN" ? token : "");
  assert.equal(of()(), null);
  assert.equal(of("", "")(), null);
  assert.deepEqual(of("https://eu.example", SECRET)(), { url: "https://eu.example", token: SECRET });
  refuses(of("https://eu.example"), "UPSTASH_REDIS_REST_TOKEN is missing");
  refuses(of(undefined, SECRET), "UPSTASH_REDIS_REST_URL is missing");
  for (const url of ["eu.example", "redis://eu.example", `https://u:${SECRET}@eu.example`, `https://x/?t=${SECRET}`]) {
    refuses(of(url, SECRET), "UPSTASH_REDIS_REST_URL must be");
  }
  for (const token of [` ${SECRET}`, `${SECRET}\n`, `${SECRET}é`]) {
    refuses(of("https://eu.example", token), "TOKEN must");
  }
});

Deno.test("frontFrom() asks for a token that is worth its name, and takes a local Redis unless told", () => {
  const token = SECRET;
  const { redis, limits } = frontFrom(from({ LIPCERT_FRONT_TOKEN: token }));
  assert.equal(redis, "redis://127.0.0.1:6379");
  assert.equal(limits.bodyBytes, 10 * 2 ** 20);
  assert.equal(
    frontFrom(from({ LIPCERT_FRONT_TOKEN: token, LIPCERT_REDIS: "/run/redis.sock" })).redis,
    "/run/redis.sock",
  );
  for (const wrong of [undefined, "", "short", `${SECRET} `, `${SECRET}!`]) {
    refuses(() => frontFrom((name) => name === "LIPCERT_FRONT_TOKEN" ? wrong : undefined), "LIPCERT_FRONT_TOKEN");
  }
  refuses(() => frontFrom(from({ LIPCERT_FRONT_TOKEN: token, LIPCERT_REDIS: `http://:${SECRET}@x` })), "LIPCERT_REDIS");
});

const NODE_KEY = `whsec_${"A".repeat(43)}=`;

Deno.test("nodeKeysFrom() reads keys parted by spaces, and none that is weak", () => {
  assert.equal(nodeKeysFrom(from({})), null);
  assert.deepEqual(nodeKeysFrom(from({ LIPCERT_NODE_KEYS: ` ${NODE_KEY}  ${NODE_KEY} ` })), [NODE_KEY, NODE_KEY]);
  for (
    const wrong of [SECRET, `whsec_${SECRET}`, `${NODE_KEY},${NODE_KEY}`, `whpk_${"A".repeat(43)}=`, `${NODE_KEY} x`]
  ) {
    refuses(() => nodeKeysFrom(from({ LIPCERT_NODE_KEYS: wrong })), "LIPCERT_NODE_KEYS must be");
  }
});

Deno.test("nodeFrom() asks for an address, a key and the store that is shared", () => {
  const good = {
    LIPCERT_NODE: "https://node.example/",
    LIPCERT_NODE_KEYS: NODE_KEY,
    UPSTASH_REDIS_REST_URL: "https://eu.example",
    UPSTASH_REDIS_REST_TOKEN: SECRET,
  };
  const node = (more: Record<string, string>) => () => nodeFrom(from({ ...good, ...more }));
  assert.equal(node({ LIPCERT_NODE: "" })(), null);
  assert.deepEqual(node({})(), { url: "https://node.example", keys: [NODE_KEY] });
  for (
    const LIPCERT_NODE of ["node.example", "redis://node.example", `https://u:${SECRET}@x`, `https://x/?k=${SECRET}`]
  ) {
    refuses(node({ LIPCERT_NODE }), "LIPCERT_NODE must be");
  }
  refuses(node({ LIPCERT_NODE_KEYS: "" }), "LIPCERT_NODE_KEYS is missing");
  refuses(node({ UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" }), "UPSTASH_REDIS_REST_URL is missing");
});

Deno.test("redisFrom() and graceMsFrom() have defaults; no message holds a password", () => {
  assert.equal(redisFrom(from({})), "redis://127.0.0.1:6379");
  refuses(() => redisFrom(from({ LIPCERT_REDIS: `http://:${SECRET}@x` })), "LIPCERT_REDIS");
  assert.deepEqual(["", "0", "1.5"].map((LIPCERT_GRACE_S) => graceMsFrom(from({ LIPCERT_GRACE_S }))), [
    20_000,
    0,
    1500,
  ]);
});
