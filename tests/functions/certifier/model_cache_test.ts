import assert from "node:assert/strict";
import { ModelCache } from "../../../functions/certifier/model_cache.ts";
import { digestOf, LipcertError } from "../../../shared/mod.ts";
import { buildModel, declare, floats, node } from "../../models/build.ts";

/** A product of 400 rows with nine numbers: its dense form holds 1200 x 1200 of them. */
function product(): Uint8Array {
  return buildModel({
    input: [declare("x", [1, 400, 3], "float32")],
    output: [declare("y", [1, 400, 3], "float32")],
    node: [node("MatMul", ["x", "w"], ["y"])],
    initializer: [floats("w", [3, 3], new Array(9).fill(1), "float32")],
  });
}

Deno.test("ModelCache refuses a model whose dense form is larger than the cache, with the figures", async () => {
  const bytes = product();
  const digest = await digestOf(bytes);
  await assert.rejects(new ModelCache(2 ** 20).read(digest, bytes), (error) => {
    assert.ok(error instanceof LipcertError && error.type === "unsupported-attribute");
    assert.equal(error.members.limit, 2 ** 17);
    assert.ok(Number(error.members.got) > 2 ** 17);
    return true;
  });
  const model = await new ModelCache(2 ** 28).read(digest, bytes);
  assert.ok(model.bytes > 8 * 1200 * 1200);
});
