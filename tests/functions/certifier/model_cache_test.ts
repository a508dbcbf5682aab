import assert from "node:assert/strict";
import { ModelCache } from "../../../functions/certifier/model_cache.ts";
import { digestOf, LipcertError } from "../../../shared/mod.ts";
import { buildModel, declare, floats, node } from "../../models/build.ts";

/** A convolution of nine numbers: its dense form holds 38 x 38 x 40 x 40 of them. */
function convolution(): Uint8Array {
  return buildModel({
    input: [declare("x", [1, 1, 40, 40], "float32")],
    output: [declare("y", [1, 1, 38, 38], "float32")],
    node: [node("Conv", ["x", "w"], ["y"])],
    initializer: [floats("w", [1, 1, 3, 3], new Array(9).fill(1), "float32")],
  });
}

Deno.test("ModelCache refuses a model whose dense form is larger than the cache, with the figures", async () => {
  const bytes = convolution();
  const digest = await digestOf(bytes);
  await assert.rejects(new ModelCache(2 ** 20).read(digest, bytes), (error) => {
    assert.ok(error instanceof LipcertError && error.type === "unsupported-attribute");
    assert.equal(error.members.limit, 2 ** 17);
    assert.ok(Number(error.members.got) > 2 ** 17);
    return true;
  });
  const model = await new ModelCache(2 ** 28).read(digest, bytes);
  assert.ok(model.bytes > 8 * 38 * 38 * 40 * 40);
});
