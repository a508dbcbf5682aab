import assert from "node:assert/strict";
import fc from "fast-check";
import { MOST_MINUTES_BACK, turnOf } from "../../../functions/jobs/turn.ts";

const SEED = 5;
const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 24);

const turn = (minute: number, flops: number) =>
  turnOf({ submitted_at: NOW + minute * MINUTE, estimated: { flops, bytes: 1 } });

Deno.test("turnOf() puts what costs little first, among jobs that came in the same minute", () => {
  assert.ok(turn(0, 1e9) < turn(0, 1e13) && turn(0, 1e13) < turn(0, 1e16));
  assert.equal(turn(0, 1e9), turn(0, 1e10));
});

Deno.test(`turnOf() holds no job back for one that came later than the bound (seed ${SEED})`, () => {
  const flops = fc.double({ min: 0, max: 1e300, noNaN: true });
  fc.assert(
    fc.property(flops, flops, fc.nat(500_000), fc.nat(10_000), (mine, other, came, later) => {
      assert.ok(turn(came, mine) <= turn(came + MOST_MINUTES_BACK + later, other));
    }),
    { seed: SEED },
  );
});

Deno.test("turnOf() is a priority that BullMQ takes, at any time and cost", () => {
  for (const at of [0, NOW, 2e12, 4e12]) {
    for (const flops of [0, 1, 1e300, Infinity]) {
      const priority = turnOf({ submitted_at: at, estimated: { flops, bytes: 1 } });
      assert.ok(Number.isInteger(priority) && priority >= 1 && priority <= 2 ** 21 - 1, `${priority}`);
    }
  }
});
