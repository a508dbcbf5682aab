/** When attempts are made. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { delayBefore, DELAYS_S, retryAfterSeconds } from "../../../functions/webhooks/schedule.ts";

const SEED = 17;
const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempt = fc.nat(DELAYS_S.length - 1);

Deno.test("delayBefore() without chance is the standard's schedule, and ends", () => {
  const delays = DELAYS_S.map((_, i) => delayBefore(i, 0)!);
  assert.deepEqual(delays, [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  assert.equal(delays.reduce((sum, value) => sum + value), (75 * 60 + 35) * 60 + 5); // 75:35:05 in the standard
  for (const none of [DELAYS_S.length, 11, 1000]) assert.equal(delayBefore(none, 0.5, 60), null);
});

Deno.test(`delayBefore() is never earlier than planned, a fifth later at most, and grows (seed ${SEED})`, () => {
  fc.assert(
    fc.property(attempt, random, random, (attempt, a, b) => {
      const delay = delayBefore(attempt, a)!;
      assert.ok(delay >= DELAYS_S[attempt] && delay <= DELAYS_S[attempt] * 1.2);
      const next = delayBefore(attempt + 1, b);
      if (next !== null && attempt > 0) assert.ok(next > DELAYS_S[attempt]);
      assert.equal(delayBefore(attempt, 0.5), DELAYS_S[attempt] * 1.1);
    }),
    { seed: SEED },
  );
});

Deno.test(`delayBefore() gives a receiver the time it asks for, up to a day (seed ${SEED})`, () => {
  fc.assert(
    fc.property(attempt, random, fc.double({ min: 0, max: 1e12, noNaN: true }), (attempt, random, asked) => {
      const planned = delayBefore(attempt, random)!;
      assert.equal(delayBefore(attempt, random, asked), Math.max(planned, Math.min(asked, 86_400)));
    }),
    { seed: SEED },
  );
});

Deno.test("retryAfterSeconds() reads seconds and dates, and nothing else", () => {
  const read: Record<string, number | null> = {
    "0": 0,
    "120": 120,
    "9999999999": 9999999999,
    "Tue, 24 Nov 2026 12:01:30 GMT": 90,
    "Tue, 24 Nov 2026 11:00:00 GMT": 0,
    "-5": null,
    "1.5": null,
    "1e3": null,
    "99999999999": null,
    "": null,
    "soon": null,
    "2026-11-24T13:00:00Z": null,
    "Tue, 99 Nov 2026 12:01:30 GMT": null,
  };
  for (const [value, seconds] of Object.entries(read)) assert.equal(retryAfterSeconds(value, NOW), seconds, value);
  assert.equal(retryAfterSeconds(null, NOW), null);
});
