import assert from "node:assert/strict";
import { Hono } from "hono";
import { parseJson, parseMultipart, readBytes } from "../../../functions/http/body.ts";
import type { Env } from "../../../functions/http/env.ts";
import { LipcertError, type ProblemType } from "../../../shared/errors.ts";

function problem(type: ProblemType, members?: Record<string, unknown>): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof LipcertError);
    assert.equal(error.type, type);
    if (members !== undefined) assert.deepEqual(error.members, members);
    return true;
  };
}

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("parseJson() counts the place of a fault in bytes, not in characters", () => {
  assert.throws(() => parseJson(utf8('{"ä": 1,}')), problem("malformed-body", { byte_offset: 9 }));
  assert.throws(() => parseJson(utf8('{"ä":')), problem("malformed-body", { byte_offset: 6 }));
  assert.throws(() => parseJson(new Uint8Array(0)), problem("malformed-body", { byte_offset: 0 }));
});

Deno.test("parseJson() refuses NaN, Infinity and bytes that are not UTF-8", () => {
  assert.throws(() => parseJson(utf8('{"a": NaN}')), problem("malformed-body"));
  assert.throws(() => parseJson(utf8('{"a": -Infinity}')), problem("malformed-body"));
  assert.throws(() => parseJson(new Uint8Array([0x22, 0xff, 0x22])), problem("malformed-body"));
});

async function readWithLimit(limit: number, init: RequestInit & { duplex?: "half" }): Promise<number | string> {
  const app = new Hono<Env>();
  app.post("/", async (c) => c.json((await readBytes(c, limit)).length));
  app.onError((error, c) => c.json(error instanceof LipcertError ? error.type : String(error)));
  return await (await app.request("/", { method: "POST", ...init })).json();
}

function chunked(chunks: number, size: number): RequestInit & { duplex: "half" } {
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ === chunks) controller.close();
      else controller.enqueue(new Uint8Array(size));
    },
  });
  return { body, duplex: "half" };
}

Deno.test("readBytes() takes a body of exactly the limit, declared or chunked", async () => {
  assert.equal(await readWithLimit(100, { body: new Uint8Array(100), headers: { "content-length": "100" } }), 100);
  assert.equal(await readWithLimit(100, chunked(10, 10)), 100);
});

Deno.test("readBytes() refuses one byte more, declared or chunked", async () => {
  const declared = { body: new Uint8Array(101), headers: { "content-length": "101" } };
  assert.equal(await readWithLimit(100, declared), "payload-too-large");
  assert.equal(await readWithLimit(100, chunked(101, 1)), "payload-too-large");
});

Deno.test("readBytes() stops reading a chunked body at the limit", async () => {
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(10));
    },
  });
  assert.equal(await readWithLimit(100, { body, duplex: "half" }), "payload-too-large");
  assert.ok(pulled < 20, `pulled ${pulled} chunks`);
});

Deno.test("parseMultipart() hands parts over as bytes and refuses a part sent twice", async () => {
  const form = new FormData();
  form.append("model", new Blob([new Uint8Array([1, 0, 255])]));
  form.append("query", "{}");
  const response = new Response(form);
  const type = response.headers.get("content-type") ?? "";
  const parts = await parseMultipart(new Uint8Array(await response.arrayBuffer()), type);
  assert.deepEqual(parts.get("model"), new Uint8Array([1, 0, 255]));
  assert.deepEqual(parts.get("query"), utf8("{}"));

  form.append("query", "{}");
  const twice = new Response(form);
  const twiceType = twice.headers.get("content-type") ?? "";
  await assert.rejects(
    parseMultipart(new Uint8Array(await twice.arrayBuffer()), twiceType),
    problem("malformed-body"),
  );
});

Deno.test("parseMultipart() refuses a body that is none", async () => {
  await assert.rejects(parseMultipart(utf8("hello"), "multipart/form-data; boundary=x"), problem("malformed-body"));
  await assert.rejects(parseMultipart(utf8("hello"), "multipart/form-data"), problem("malformed-body"));
});
