/** The same deliveries from workerd: by `fetch`, with DNS over HTTPS as the check of names. */
import assert from "node:assert/strict";
import type { Attempt } from "../../../functions/webhooks/deliver.ts";
import { verifySigned } from "../../../functions/webhooks/verify.ts";
import type { Order } from "./edge_worker.ts";
import { answerTo, type Zone } from "./name_server.ts";
import { endless, INSIDE, OUTSIDE, rawReceiver, receiver, SECRET } from "./receivers.ts";
import { workerd } from "./workerd.ts";

type Deliver = (url: string, changed?: Partial<Order>) => Promise<Attempt>;

function assertOutcome(got: Attempt, outcome: Attempt["outcome"], status: number | null, error: string | null) {
  assert.deepEqual([got.outcome, got.status, got.error?.type ?? null], [outcome, status, error], JSON.stringify(got));
}

async function takesAndRefuses(deliver: Deliver): Promise<void> {
  await using inside = receiver(INSIDE);
  await using server = receiver(OUTSIDE);
  assertOutcome(await deliver(`http://${OUTSIDE}:${server.port}/`), "delivered", 204, null);
  const [{ headers, body }] = server.received;
  assert.deepEqual(await verifySigned(headers, body, [SECRET], Date.now() / 1000), { ok: true, id: "msg_1" });

  const location = `http://${INSIDE}:${inside.port}/`;
  await using redirecting = receiver(OUTSIDE, () => new Response(null, { status: 308, headers: { location } }));
  assertOutcome(await deliver(`http://${OUTSIDE}:${redirecting.port}/`), "failed", 308, null);
  await using gone = receiver(OUTSIDE, () => new Response(null, { status: 410 }));
  assertOutcome(await deliver(`http://${OUTSIDE}:${gone.port}/`), "gone", 410, null);
  for (const host of [INSIDE, "localhost", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254", "[fd00:ec2::254]"]) {
    assertOutcome(await deliver(`https://${host}:${inside.port}/`, { networks: [] }), "failed", null, "refused");
    if (host !== "localhost") assertOutcome(await deliver(`http://${host}:${inside.port}/`), "failed", null, "refused");
  }
  assert.equal(inside.received.length, 0);
}

async function survivesFaults(deliver: Deliver): Promise<void> {
  await using silent = rawReceiver(OUTSIDE, [], "hold");
  assertOutcome(await deliver(`http://${OUTSIDE}:${silent.port}/`, { timeoutMs: 400 }), "retry", null, "timeout");
  const head = (more: string) => `HTTP/1.1 200 OK\r\n${more}\r\n\r\n`;
  await using slow = rawReceiver(OUTSIDE, [`${head("content-length: 100")}abc`], "hold");
  assertOutcome(await deliver(`http://${OUTSIDE}:${slow.port}/`, { timeoutMs: 400 }), "retry", 200, "timeout");
  await using dying = rawReceiver(OUTSIDE, [`${head("content-length: 100")}abc`], "close");
  assertOutcome(await deliver(`http://${OUTSIDE}:${dying.port}/`), "retry", 200, "incomplete");
  await using noisy = rawReceiver(OUTSIDE, ["SSH-2.0-OpenSSH_9.2\r\n"], "close");
  assertOutcome(await deliver(`http://${OUTSIDE}:${noisy.port}/`), "retry", null, "connection");
  const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
  await using long = rawReceiver(OUTSIDE, endless(head("transfer-encoding: chunked"), chunk), "close");
  const got = await deliver(`http://${OUTSIDE}:${long.port}/`);
  assertOutcome(got, "delivered", 200, null);
  assert.equal(got.body_start, "x".repeat(1024));
}

async function checksNames(deliver: Deliver): Promise<void> {
  const zone: Zone = (name, type) => {
    if (name === "silent.example.com") return "fail";
    return type === "A" ? [name === "inside.example.com" ? "10.0.0.1" : OUTSIDE] : ["::1"];
  };
  const questions: string[] = [];
  const dns = Deno.serve({ hostname: INSIDE, port: 0, onListen() {} }, async (request) => {
    return new Response(answerTo(new Uint8Array(await request.arrayBuffer()), zone, questions));
  });
  const resolver = `http://${INSIDE}:${dns.addr.port}/dns-query`;
  for (const name of ["inside.example.com", "half.example.com"]) {
    assertOutcome(await deliver(`https://${name}/`, { resolver }), "failed", null, "refused");
  }
  assertOutcome(await deliver("https://silent.example.com/", { resolver }), "retry", null, "unresolved");
  assert.equal(questions.length, 6);
  await dns.shutdown();
  assertOutcome(await deliver("https://half.example.com/", { resolver }), "retry", null, "unresolved");
}

Deno.test("workerd signs, refuses, follows no redirect, survives broken receivers and checks names", async (t) => {
  await using host = await workerd(new URL("edge_worker.ts", import.meta.url).pathname);
  const deliver: Deliver = async (url, changed = {}) => {
    const delivery = { id: "msg_1", url, body: `{"type":"job.failed"}`, keys: [SECRET] };
    const order: Order = { delivery, networks: [OUTSIDE], resolver: null, timeoutMs: 20_000, ...changed };
    const response = await host.fetch("/", { method: "POST", body: JSON.stringify(order) });
    assert.equal(response.status, 200);
    return await response.json() as Attempt;
  };
  await t.step("the published signatures", async () => {
    assert.deepEqual(await (await host.fetch("/vectors")).json(), [true, true, true]);
  });
  await t.step("takes and refuses", () => takesAndRefuses(deliver));
  await t.step("faults", () => survivesFaults(deliver));
  await t.step("names", () => checksNames(deliver));
});
