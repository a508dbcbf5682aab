import assert from "node:assert/strict";
import { callFlags, FINISH, STOP } from "../../../functions/certifier/messages.ts";
import { sharedSignal } from "../../../functions/certifier/shared_signal.ts";

Deno.test("sharedSignal() is aborted while its flag is 1, whatever the other is", () => {
  const flags = callFlags(), signal = sharedSignal(flags, FINISH, "enough");
  flags[STOP] = 1;
  signal.throwIfAborted();
  assert.equal(signal.aborted, false);
  flags[FINISH] = 1;
  assert.equal(signal.aborted, true);
  assert.throws(() => signal.throwIfAborted(), { name: "AbortError", message: "enough" });
  flags[FINISH] = 0;
  signal.throwIfAborted();
});
