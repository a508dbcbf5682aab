import assert from "node:assert/strict";
import { sharedSignal } from "../../../functions/certifier/shared_signal.ts";

Deno.test("sharedSignal() is aborted while the flag is 1", () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const signal = sharedSignal(stop);
  signal.throwIfAborted();
  assert.equal(signal.aborted, false);
  stop[0] = 1;
  assert.equal(signal.aborted, true);
  assert.throws(() => signal.throwIfAborted(), { name: "AbortError" });
  stop[0] = 0;
  signal.throwIfAborted();
});
