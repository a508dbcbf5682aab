import assert from "node:assert/strict";
import { sharedCopy } from "../../../functions/certifier/shared_copy.ts";

Deno.test("sharedCopy() keeps values, and views of one buffer together, in memory that is shared", () => {
  const all = Float64Array.of(1, 2, 3, -0), part = all.subarray(1, 3);
  const given = { all, part, map: new Map([[4, { lower: new Int8Array([-1]) }]]), names: ["a", null, undefined, true] };
  const copy = sharedCopy(given);
  assert.deepEqual(copy, given);
  assert.ok(copy.all.buffer instanceof SharedArrayBuffer);
  assert.equal(copy.part.buffer, copy.all.buffer);
  all[1] = 7;
  assert.equal(copy.part[0], 2);
});

Deno.test("sharedCopy() refuses what is not plain data", () => {
  assert.throws(() => sharedCopy({ f: () => 1 }), TypeError);
  assert.throws(() => sharedCopy(new Set([1])), TypeError);
});
