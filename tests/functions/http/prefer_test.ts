import assert from "node:assert/strict";
import { MOST_WAIT_S, preferenceApplied, preferenceOf } from "../../../functions/http/prefer.ts";

Deno.test("preferenceOf() reads RFC 7240 and leaves out what is not known", () => {
  const read = (header?: string) => preferenceOf(header);
  assert.deepEqual(read(), { respondAsync: false, wait: null });
  assert.deepEqual(read("respond-async"), { respondAsync: true, wait: null });
  assert.deepEqual(read("Respond-Async, WAIT=10"), { respondAsync: true, wait: 10 });
  assert.deepEqual(read("respond-async;q=0.5 , wait = 5;x"), { respondAsync: true, wait: 5 });
  assert.deepEqual(read('return=minimal, note="respond-async, wait=3"'), { respondAsync: false, wait: null });
  assert.deepEqual(read("wait=1, wait=2"), { respondAsync: false, wait: 1 });
  assert.equal(read(`wait=${MOST_WAIT_S + 1}`).wait, MOST_WAIT_S);
  for (const wait of ["wait", "wait=", "wait=-1", "wait=1.5", "wait=x", 'wait="3"']) {
    assert.equal(read(wait).wait, null);
  }
});

Deno.test("preferenceApplied() names what had a say", () => {
  assert.equal(preferenceApplied({ respondAsync: false, wait: null }), null);
  assert.equal(preferenceApplied({ respondAsync: true, wait: null }), "respond-async");
  assert.equal(preferenceApplied({ respondAsync: true, wait: 0 }), "respond-async, wait=0");
});
