import assert from "node:assert/strict";
import { recordedIdempotency } from "../../../functions/jobs/idempotency.ts";
import { LipcertError } from "../../../shared/mod.ts";
import { fakeStore } from "./fake_records.ts";

const isMismatch = (error: unknown) => error instanceof LipcertError && error.type === "idempotency-mismatch";

Deno.test("a key belongs to the first request that has it, and to the first answer", async () => {
  const idempotency = recordedIdempotency(fakeStore().records);
  assert.equal(await idempotency.claim("k", "r1"), null);
  assert.equal(await idempotency.claim("k", "r1"), null); // sent again before it was answered
  await assert.rejects(() => idempotency.claim("k", "r2"), isMismatch);
  await assert.rejects(() => idempotency.keep("k", "r2", { certificate: "c" }), isMismatch);
  assert.deepEqual(await idempotency.keep("k", "r1", { certificate: "c1" }), { certificate: "c1" });
  assert.deepEqual(await idempotency.keep("k", "r1", { certificate: "c2" }), { certificate: "c1" });
  assert.deepEqual(await idempotency.claim("k", "r1"), { certificate: "c1" });
  assert.equal(await idempotency.claim("other", "r2"), null);
});

Deno.test("of many answers under one key at the same time one counts", async () => {
  const { records } = fakeStore(), many = Array.from({ length: 10 }, () => recordedIdempotency(records));
  const answers = await Promise.all(many.map((one, i) => one.keep("k", "r", { job: `j${i}` })));
  assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
});

Deno.test("a key of any text and length names a record", async () => {
  const store = fakeStore(), idempotency = recordedIdempotency(store.records);
  await idempotency.claim("é/".repeat(100), "r");
  assert.match(store.keys()[0], /^idempotency\/sha256:[0-9a-f]{64}$/);
});
