import assert from "node:assert/strict";
import { encodeReply, type Reply } from "../../../functions/redis_front/replies.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("encodeReply() keeps null and numbers, and makes text of strings", () => {
  const reply: Reply = [null, 7, bytes("ключ"), [bytes(""), [-1]]];
  assert.deepEqual(encodeReply(reply, "utf8"), [null, 7, "ключ", ["", [-1]]]);
  assert.equal(encodeReply(new Uint8Array([0xff, 0x61]), "utf8"), "\ufffda");
});

Deno.test("encodeReply() in base64 keeps OK and encodes every other string", () => {
  assert.equal(encodeReply(bytes("OK"), "base64"), "OK");
  assert.equal(encodeReply(bytes("PONG"), "base64"), "UE9ORw==");
  assert.equal(encodeReply(new Uint8Array([0xff, 0]), "base64"), "/wA=");
  assert.deepEqual(encodeReply([bytes("ok"), [bytes("OK")], 1, null], "base64"), ["b2s=", ["OK"], 1, null]);
});

Deno.test("encodeReply() makes a flat list of a hash, and text of an error inside of a list", () => {
  assert.deepEqual(encodeReply({ a: bytes("1"), b: bytes("2") }, "utf8"), ["a", "1", "b", "2"]);
  assert.deepEqual(encodeReply([new Error("ERR x")], "base64"), ["ERR x"]);
});
