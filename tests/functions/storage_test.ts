import assert from "node:assert/strict";
import type { KVNamespace } from "@cloudflare/workers-types";
import { openDenoStorage } from "../../functions/storage_deno.ts";
import { workerStorage } from "../../functions/storage_worker.ts";

const SECRET = "hunter2-hunter2-hunter2";
const SHARED = { UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: SECRET };
const NAMESPACE = {} as KVNamespace;

const from = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("openDenoStorage() says which store does not answer, and no token", async () => {
  await assert.rejects(openDenoStorage(from(SHARED)), (error: Error) => {
    assert.match(error.message, /store at http:\/\/127\.0\.0\.1:1 \(UPSTASH_REDIS_REST_URL\) does not answer/);
    assert.ok(!Deno.inspect(error).includes(SECRET));
    return true;
  });
});

Deno.test("openDenoStorage() and workerStorage() take one store, not two", async () => {
  await assert.rejects(openDenoStorage(from({ ...SHARED, LIPCERT_KV: ":memory:" })), /choose one store/);
  assert.throws(() => workerStorage(from(SHARED), NAMESPACE), /choose one store/);
  assert.throws(() => workerStorage(from({ UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1" }), undefined), RangeError);
});

Deno.test("workerStorage() has records with the shared store and in memory, not in Workers KV", () => {
  assert.notEqual(workerStorage(from(SHARED), undefined).records, null);
  assert.notEqual(workerStorage(from({}), undefined).records, null);
  assert.equal(workerStorage(from({}), NAMESPACE).records, null);
});
