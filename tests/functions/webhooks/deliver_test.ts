/** Deliveries over real sockets: to receivers that keep to the rules, and to all kinds that do not. */
import assert from "node:assert/strict";
import { type Attempt, deliver, type Delivery, type DeliverySettings } from "../../../functions/webhooks/deliver.ts";
import { publicKeyOf } from "../../../functions/webhooks/keys.ts";
import { systemResolve } from "../../../functions/webhooks/resolve.ts";
import type { Send } from "../../../functions/webhooks/send.ts";
import { pinnedSend } from "../../../functions/webhooks/send_pinned.ts";
import { PUBLIC_ONLY } from "../../../functions/webhooks/target.ts";
import { verifySigned } from "../../../functions/webhooks/verify.ts";
import { type NameServer, nameServer, type Zone } from "./name_server.ts";
import { CA, endless, EXPIRED, IDENTITY, INSIDE, OUTSIDE, rawReceiver, receiver, RULES, SECRET } from "./receivers.ts";
import { VECTORS } from "./vectors.ts";

const NAME = "receiver.example.com";
const NOW = 1_800_000_000_000;

const settings: DeliverySettings = {
  rules: RULES,
  resolve: null,
  send: pinnedSend({ ca: [CA] }),
  now: () => NOW,
  timeoutMs: 20_000,
};

/** For what never ends by itself. */
const SHORT = { timeoutMs: 400 };

const delivery = (url: string): Delivery => ({
  id: "msg_1",
  url,
  body: `{"type":"job.failed","ä":"☂"}`,
  keys: [SECRET],
});

const attempt = (url: string, changed: Partial<DeliverySettings> = {}) =>
  deliver(delivery(url), { ...settings, ...changed });

const resolving = (server: NameServer) => ({ resolve: systemResolve(server.at) });

const onlyA = (...addresses: string[]): Zone => (_, type) => type === "A" ? addresses : [];

function assertOutcome(got: Attempt, outcome: Attempt["outcome"], status: number | null, error: string | null) {
  assert.deepEqual([got.outcome, got.status, got.error?.type ?? null], [outcome, status, error], JSON.stringify(got));
}

Deno.test("deliver() hands over a message that the receiver can check with each key", async () => {
  await using server = receiver(OUTSIDE);
  const keys = [SECRET, VECTORS[1].key];
  const message = { ...delivery(`http://${OUTSIDE}:${server.port}/hook?x=1#part`), keys };
  const got = await deliver(message, settings);
  assertOutcome(got, "delivered", 204, null);
  assert.equal(got.started, new Date(NOW).toISOString());
  assert.ok(Number.isInteger(got.took_ms) && got.took_ms >= 0);
  const [{ headers, body }] = server.received;
  assert.equal(new TextDecoder().decode(body), message.body);
  assert.equal(headers.get("content-type"), "application/json");
  assert.equal(headers.get("host"), `${OUTSIDE}:${server.port}`);
  for (const key of [SECRET, await publicKeyOf(VECTORS[1].key)]) {
    assert.deepEqual(await verifySigned(headers, body, [key], NOW / 1000), { ok: true, id: "msg_1" });
  }
});

Deno.test("deliver() tells from the status what follows", async () => {
  const outcomes: [status: number, outcome: Attempt["outcome"]][] = [
    ...[200, 201, 202, 204, 299].map((status): [number, "delivered"] => [status, "delivered"]),
    ...[300, 301, 302, 303, 304, 307, 308].map((status): [number, "failed"] => [status, "failed"]),
    ...[400, 401, 404, 409, 422, 429, 500, 502, 503, 504].map((status): [number, "retry"] => [status, "retry"]),
    [410, "gone"],
  ];
  for (const [status, outcome] of outcomes) {
    await using server = receiver(OUTSIDE, () => new Response(null, { status }));
    assertOutcome(await attempt(`http://${OUTSIDE}:${server.port}/`), outcome, status, null);
  }
});

Deno.test("deliver() keeps the start of an answer and the time its receiver asks for", async () => {
  const text = `ä${"x".repeat(5000)}`;
  await using server = receiver(OUTSIDE, () => new Response(text, { status: 503, headers: { "retry-after": "120" } }));
  const got = await attempt(`http://${OUTSIDE}:${server.port}/`);
  assertOutcome(got, "retry", 503, null);
  assert.equal(got.body_start, text.slice(0, 1023)); // 1024 bytes
  assert.equal(got.retry_after_s, 120);
});

Deno.test("deliver() follows no redirect to the inside", async () => {
  await using inside = receiver(INSIDE);
  const location = `http://${INSIDE}:${inside.port}/`;
  await using server = receiver(OUTSIDE, () => new Response(null, { status: 307, headers: { location } }));
  assertOutcome(await attempt(`http://${OUTSIDE}:${server.port}/`), "failed", 307, null);
  assert.equal(server.received.length, 1);
  assert.equal(inside.received.length, 0);
});

Deno.test("deliver() asks nobody where the URL is refused", async () => {
  await using inside = receiver(INSIDE);
  await using names = await nameServer(onlyA(OUTSIDE));
  for (
    const host of [
      INSIDE,
      "localhost",
      "2130706433",
      "0x7f.1",
      "[::ffff:127.0.0.1]",
      "[::1]",
      "user@receiver.example.com",
    ]
  ) {
    const got = await attempt(`https://${host}:${inside.port}/`, { ...resolving(names), rules: PUBLIC_ONLY });
    assertOutcome(got, "failed", null, "refused");
  }
  assert.equal(inside.received.length, 0);
  assert.deepEqual(names.questions, []);
});

Deno.test("deliver() connects to the address that was checked, though the name leads inside a moment later", async () => {
  await using server = receiver(OUTSIDE);
  await using inside = receiver(INSIDE, undefined, { port: server.port });
  const rebinding: Zone = (_, type, asked) => type === "AAAA" ? [] : asked === 0 ? [OUTSIDE] : [INSIDE];
  await using names = await nameServer(rebinding);
  const url = `http://${NAME}:${server.port}/`;

  assertOutcome(await attempt(url, resolving(names)), "delivered", 204, null);
  assert.equal(server.received[0].headers.get("host"), `${NAME}:${server.port}`);
  assert.deepEqual(names.questions.toSorted(), [`A ${NAME}`, `AAAA ${NAME}`]);
  assertOutcome(await attempt(url, resolving(names)), "failed", null, "refused");
  assert.equal(inside.received.length, 0);

  await using again = await nameServer(rebinding);
  const resolvesTwice: Send = async (message, signal) => {
    const addresses = await systemResolve(again.at)(message.host, signal);
    return await settings.send({ ...message, addresses }, signal);
  };
  assertOutcome(await attempt(url, { ...resolving(again), send: resolvesTwice }), "delivered", 204, null);
  assert.equal(inside.received.length, 1, "a sender that resolves again would have been seen");
});

Deno.test("deliver() refuses a name with one address inside, of either type", async () => {
  await using server = receiver(OUTSIDE);
  const zones: Zone[] = [
    onlyA(OUTSIDE, INSIDE),
    onlyA("10.0.0.1"),
    onlyA("169.254.169.254"),
    (_, type) => type === "A" ? [OUTSIDE] : ["::1"],
    (_, type) => type === "A" ? [OUTSIDE] : ["::ffff:10.0.0.1"],
    (_, type) => type === "A" ? [] : ["fd00:ec2::254"],
  ];
  for (const zone of zones) {
    await using names = await nameServer(zone);
    const got = await attempt(`http://${NAME}:${server.port}/`, resolving(names));
    assertOutcome(got, "failed", null, "refused");
    assert.doesNotMatch(got.error!.detail, /\d/);
  }
  assert.equal(server.received.length, 0);
});

Deno.test("deliver() tries again later where no name server answers or the name has no address", async () => {
  await using names = await nameServer((name) => name.startsWith("silent") ? "silent" : []);
  const lost = await attempt(`http://nobody.example.com:8080/`, resolving(names));
  assertOutcome(lost, "retry", null, "unresolved");
  assertOutcome(
    await attempt(`http://silent.example.com/`, { ...resolving(names), ...SHORT }),
    "retry",
    null,
    "timeout",
  );
  assertOutcome(await attempt(`http://${NAME}:8080/`), "retry", null, "unresolved");
});

Deno.test("deliver() goes on to the next address of a name where nothing listens at the first", async () => {
  await using server = receiver(OUTSIDE);
  await using names = await nameServer(onlyA("127.0.0.3", OUTSIDE));
  const rules = { ...RULES, networks: [...RULES.networks, { base: Uint8Array.of(127, 0, 0, 3), bits: 32 }] };
  assertOutcome(
    await attempt(`http://${NAME}:${server.port}/`, { ...resolving(names), rules }),
    "delivered",
    204,
    null,
  );
  await using none = await nameServer(onlyA("127.0.0.3"));
  const got = await attempt(`http://${NAME}:${server.port}/`, { ...resolving(none), rules });
  assertOutcome(got, "retry", null, "connection");
  assert.doesNotMatch(got.error!.detail, /127/);

  await using broken = rawReceiver(OUTSIDE, [], "close");
  await using second = receiver("127.0.0.3", undefined, { port: broken.port });
  await using both = await nameServer(onlyA(OUTSIDE, "127.0.0.3"));
  const once = await attempt(`http://${NAME}:${broken.port}/`, { ...resolving(both), rules });
  assertOutcome(once, "retry", null, "connection");
  assert.equal(second.received.length, 0, "what the first may have read is not sent to the second");
});

Deno.test("deliver() checks the receiver's certificate against the name", async () => {
  await using server = receiver(OUTSIDE, undefined, IDENTITY);
  await using names = await nameServer(onlyA(OUTSIDE));
  const named = (name: string) => `https://${name}:${server.port}/`;
  assertOutcome(await attempt(named(NAME), resolving(names)), "delivered", 204, null);
  assertOutcome(await attempt(named(`${NAME}.`), resolving(names)), "delivered", 204, null);
  assertOutcome(await attempt(named(OUTSIDE)), "delivered", 204, null);
  assert.equal(server.received.length, 3);

  assertOutcome(await attempt(named("other.example.com"), resolving(names)), "retry", null, "tls");
  assertOutcome(await attempt(named(NAME), { ...resolving(names), send: pinnedSend() }), "retry", null, "tls");
  await using expired = receiver(OUTSIDE, undefined, EXPIRED);
  assertOutcome(await attempt(`https://${NAME}:${expired.port}/`, resolving(names)), "retry", null, "tls");
  await using plain = receiver(OUTSIDE);
  assertOutcome(await attempt(`https://${NAME}:${plain.port}/`, resolving(names)), "retry", null, "tls");
  await using other = receiver("127.0.0.3", undefined, IDENTITY);
  const rules = { ...RULES, networks: [{ base: Uint8Array.of(127, 0, 0, 3), bits: 32 }] };
  assertOutcome(await attempt(`https://127.0.0.3:${other.port}/`, { rules }), "retry", null, "tls");
  assert.equal(server.received.length + expired.received.length + plain.received.length + other.received.length, 3);
});

Deno.test("deliver() ends at its deadline: a receiver that hangs before, in and after the head", async () => {
  const held: [chunks: string[], status: number | null][] = [
    [[], null],
    [["HTTP/1.1 200 OK\r\ncontent-le"], null],
    [["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"], 200],
    [["HTTP/1.1 410 Gone\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"], 410],
    [["HTTP/1.1 100 Continue\r\n\r\n"], null],
  ];
  for (const [chunks, status] of held) {
    await using server = rawReceiver(OUTSIDE, chunks, "hold");
    const got = await attempt(`http://${OUTSIDE}:${server.port}/`, SHORT);
    assertOutcome(got, "retry", status, "timeout");
    if (status !== null) assert.equal(got.body_start, "abc");
    assert.match(server.heard.join(""), /^POST \/ HTTP\/1\.1\r\n/);
  }
  await using silent = rawReceiver(OUTSIDE, [], "hold");
  assertOutcome(await attempt(`https://${OUTSIDE}:${silent.port}/`, SHORT), "retry", null, "timeout");
});

Deno.test("deliver() takes an answer that breaks off for none", async () => {
  const broken: [chunks: string[], status: number | null, error: string][] = [
    [[], null, "connection"],
    [["HTTP/1.1 200 OK\r\ncont"], null, "connection"],
    [["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"], 200, "incomplete"],
    [["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"], 200, "incomplete"],
    [["SSH-2.0-OpenSSH_9.2\r\n"], null, "connection"],
    [["HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"], null, "connection"],
  ];
  for (const [chunks, status, error] of broken) {
    await using server = rawReceiver(OUTSIDE, chunks, "close");
    const got = await attempt(`http://${OUTSIDE}:${server.port}/`, { timeoutMs: 5000 });
    assertOutcome(got, "retry", status, error);
  }
});

Deno.test("deliver() cuts off a body without end, and takes its status", async () => {
  const chunk = "x".repeat(10_000);
  for (const status of [200, 500]) {
    const head = `HTTP/1.1 ${status} X\r\ntransfer-encoding: chunked\r\n\r\n`;
    await using server = rawReceiver(OUTSIDE, endless(head, `${chunk.length.toString(16)}\r\n${chunk}\r\n`), "close");
    const got = await attempt(`http://${OUTSIDE}:${server.port}/`);
    assertOutcome(got, status === 200 ? "delivered" : "retry", status, null);
    assert.equal(got.body_start, "x".repeat(1024));
  }
});

Deno.test("deliver() hangs up on a head without end", async () => {
  await using server = rawReceiver(OUTSIDE, endless("HTTP/1.1 200 OK\r\n", `x: ${"y".repeat(1000)}\r\n`), "close");
  assertOutcome(await attempt(`http://${OUTSIDE}:${server.port}/`), "retry", null, "connection");
  await using early = rawReceiver(OUTSIDE, endless("", "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), "close");
  assertOutcome(await attempt(`http://${OUTSIDE}:${early.port}/`, SHORT), "retry", null, "timeout");
});

Deno.test("deliver() rejects an id or a key that cannot sign before anything is sent", async () => {
  await using server = receiver(OUTSIDE);
  const message = delivery(`http://${OUTSIDE}:${server.port}/`);
  await assert.rejects(deliver({ ...message, id: "a.b" }, settings), RangeError);
  await assert.rejects(deliver({ ...message, keys: ["secret"] }, settings), RangeError);
  assert.equal(server.received.length, 0);
});

Deno.test("deliver() over TLS needs no permission that the service has not, and trusts the runtime's roots", async () => {
  const task = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url))).tasks.start.command;
  const permissions = (task as string).split(" ").filter((word) => word.startsWith("--allow"));
  assert.ok(permissions.length > 1);
  await using server = receiver(OUTSIDE, undefined, IDENTITY);
  const runs: [DENO_CERT: string, outcome: string][] = [["ca.pem", "delivered"], ["expired.pem", "retry"]];
  for (const [root, outcome] of runs) {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check", ...permissions],
        ...[new URL("deliver_once.ts", import.meta.url).href, `https://${OUTSIDE}:${server.port}/`, OUTSIDE],
      ],
      env: { DENO_CERT: new URL(`tls/${root}`, import.meta.url).pathname, NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(JSON.parse(new TextDecoder().decode(stdout)).outcome, outcome);
  }
  assert.equal(server.received.length, 1);
});
