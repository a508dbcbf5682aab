import assert from "node:assert/strict";
import { eventStream, lastEventId, type ServerEvent } from "../../../functions/http/event_stream.ts";

const unexpected = (error: unknown): never => {
  throw error;
};
const NEVER = 1_000_000;
const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();

Deno.test("eventStream() writes each event once and ends with them", async () => {
  async function* two(): AsyncGenerator<ServerEvent> {
    yield { id: 1, event: "progress", data: { a: "x\ny" } };
    await Promise.resolve();
    yield { id: 2, event: "succeeded", data: null };
  }
  const written = await text(eventStream(two, NEVER, unexpected));
  const wanted = 'id: 1\nevent: progress\ndata: {"a":"x\\ny"}\n\nid: 2\nevent: succeeded\ndata: null\n\n';
  assert.match(written, /^retry: \d+\n\n/);
  assert.equal(written.replace(/^retry: \d+\n\n/, ""), wanted);
});

Deno.test("eventStream() ends when its events fail, and says so to its host only", async () => {
  let failure: unknown = null;
  // deno-lint-ignore require-yield
  async function* broken(): AsyncGenerator<ServerEvent> {
    await Promise.resolve();
    throw new Error("secret");
  }
  const written = await text(eventStream(broken, NEVER, (error) => failure = error));
  assert.ok(!written.includes("secret"));
  assert.match(String(failure), /secret/);
});

/** Waits for the reader to leave. */
// deno-lint-ignore require-yield
async function* silent(signal: AbortSignal): AsyncGenerator<ServerEvent> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

Deno.test("eventStream() tells its events when the reader leaves, and shows that it is alive until then", async () => {
  let signal: AbortSignal | null = null;
  const stream = eventStream((left) => silent(signal = left), 1, unexpected);
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  assert.equal((await reader.read()).value, ": alive\n\n");
  await reader.cancel();
  assert.equal(signal!.aborted, true);
});

Deno.test("eventStream() lets go of a reader that reads nothing", async () => {
  let sent = 0;
  async function* endless(signal: AbortSignal): AsyncGenerator<ServerEvent> {
    while (!signal.aborted) yield { id: ++sent, event: "progress", data: {} };
    await Promise.resolve();
  }
  const stream = eventStream(endless, NEVER, unexpected);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sent, 0); // an answer to HEAD begins nothing
  const reader = stream.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(sent > 0 && sent < 1000, `${sent} events wait for nobody`);
  while (!(await reader.read()).done);
});

Deno.test("lastEventId() takes numbers that were given out and nothing else", () => {
  assert.equal(lastEventId("12"), 12);
  for (const header of [undefined, "", "x", "-1", "1.5", "1e3", "9".repeat(16)]) {
    assert.equal(lastEventId(header), null);
  }
});
