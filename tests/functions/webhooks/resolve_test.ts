/** Names to addresses, asked of a real DNS server and over HTTPS. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeAddresses, encodeQuestion } from "../../../functions/webhooks/dns_message.ts";
import { parseIp, parseNetwork } from "../../../functions/webhooks/ip.ts";
import { checkAddresses, httpsResolve, type Resolve, systemResolve } from "../../../functions/webhooks/resolve.ts";
import { answerTo, nameServer, type Zone } from "./name_server.ts";

const SEED = 13;
const NAME = "receiver.example.com";

const ZONE: Zone = (name, type) => {
  if (name === "both.example.com") return type === "A" ? ["192.0.43.8", "10.0.0.1"] : ["2600::1"];
  if (name === "half.example.com") return type === "A" ? ["192.0.43.8"] : "fail";
  if (name === "failing.example.com") return "fail";
  return type === "AAAA" && name === "six.example.com" ? ["2600::1"] : [];
};

/** What both ways of asking must agree on. */
async function agrees(resolve: Resolve): Promise<void> {
  const { signal } = new AbortController();
  assert.deepEqual(await resolve("both.example.com", signal), ["192.0.43.8", "10.0.0.1", await longForm(resolve)]);
  assert.deepEqual(await resolve("half.example.com", signal), ["192.0.43.8"]);
  assert.deepEqual(await resolve("nobody.example.com", signal), []);
}

/** Spelling of IPv6 is the resolver's own. */
async function longForm(resolve: Resolve): Promise<string> {
  const [address] = await resolve("six.example.com", new AbortController().signal);
  assert.deepEqual(parseIp(address), parseIp("2600::1"));
  return address;
}

Deno.test("systemResolve() has the addresses of both types from a name server, and ends with its signal", async () => {
  await using server = await nameServer((name, type, asked) =>
    name === "slow.example.com" ? "silent" : ZONE(name, type, asked)
  );
  const resolve = systemResolve(server.at);
  await agrees(resolve);
  assert.deepEqual(await resolve("failing.example.com", new AbortController().signal), []);
  const stop = new AbortController();
  const waiting = resolve("slow.example.com", stop.signal);
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(waiting);
});

Deno.test("httpsResolve() has them too, and rejects what is no answer", async () => {
  const questions: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    assert.equal(request.headers.get("content-type"), "application/dns-message");
    const question = new Uint8Array(await request.arrayBuffer());
    const path = new URL(request.url).pathname;
    if (path === "/error") return new Response("no", { status: 503 });
    if (path === "/redirect") return new Response(null, { status: 302, headers: { location: "/" } });
    if (path === "/page") return new Response("<!doctype html><p>hello");
    if (path === "/long") return new Response(new Uint8Array(100_000));
    return new Response(answerTo(question, ZONE, questions));
  });
  const at = (path: string) => httpsResolve(`http://127.0.0.1:${server.addr.port}${path}`);
  const { signal } = new AbortController();
  try {
    await agrees(at("/"));
    await assert.rejects(at("/")("failing.example.com", signal), /code 2/);
    for (const path of ["/error", "/redirect", "/page", "/long"]) {
      await assert.rejects(at(path)(NAME, signal), Error, path);
    }
  } finally {
    await server.shutdown();
  }
});

Deno.test("checkAddresses() refuses a name for one of its addresses, and does not show it", () => {
  assert.deepEqual(checkAddresses(["8.8.8.8", "2600::1"], []), { addresses: ["8.8.8.8", "2600::1"] });
  for (const address of ["10.1.2.3", "::ffff:127.0.0.1", "fe80::1%eth0", "nonsense", "127.1"]) {
    const checked = checkAddresses(["8.8.8.8", address], []);
    assert.ok("refused" in checked, address);
    assert.ok(!checked.refused.includes(address));
  }
  assert.ok("addresses" in checkAddresses(["10.1.2.3"], [parseNetwork("10.0.0.0/8")]));
});

Deno.test(`decodeAddresses() reads what was encoded, and no garbage as an address it does not hold (seed ${SEED})`, () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,63}$/);
  const addresses = fc.array(fc.ipV4(), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), addresses, (labels, wanted) => {
      const question = encodeQuestion(labels.join("."), "A");
      assert.deepEqual(decodeAddresses(answerTo(question, () => wanted, [])!, "A"), wanted);
    }),
    { seed: SEED, numRuns: 200 },
  );
  const whole = answerTo(encodeQuestion(NAME, "A"), () => ["1.2.3.4", "5.6.7.8"], [])!;
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeAddresses(whole.slice(0, length), "A"), RangeError, `the first ${length} bytes`);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const address of decodeAddresses(bytes, "A")) assert.notEqual(parseIp(address), null);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
    { seed: SEED, numRuns: 2000 },
  );
  for (const name of ["", "a..b", `${"x".repeat(64)}.com`]) assert.throws(() => encodeQuestion(name, "A"), RangeError);
});
