import assert from "node:assert/strict";
import { matches } from "../../../functions/http/etag.ts";

Deno.test("matches() takes the tag itself, in a list, weak, and the star", () => {
  for (const header of ['"sha256:a"', '"b", "sha256:a"', 'W/"sha256:a"', "*"]) {
    assert.ok(matches(header, "sha256:a"), header);
  }
});

Deno.test("matches() takes no other tag and no header", () => {
  for (const header of [undefined, "", '"sha256:b"', "sha256:a", '"sha256:aa"']) {
    assert.ok(!matches(header, "sha256:a"), String(header));
  }
});
