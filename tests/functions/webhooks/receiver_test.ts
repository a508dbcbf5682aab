/** The receivers of functions/webhooks/README.md, as they are printed there, with real deliveries. */
import assert from "node:assert/strict";
import { deliver } from "../../../functions/webhooks/deliver.ts";
import { certificateIssued } from "../../../functions/webhooks/event.ts";
import { parseNetwork } from "../../../functions/webhooks/ip.ts";
import { publicKeyOf } from "../../../functions/webhooks/keys.ts";
import { pinnedSend } from "../../../functions/webhooks/send_pinned.ts";
import { SECRET } from "./receivers.ts";
import { VECTORS } from "./vectors.ts";

const README = await Deno.readTextFile(new URL("../../../functions/webhooks/README.md", import.meta.url));

const DIGEST = `sha256:${"1".repeat(64)}`;
const ISSUED = certificateIssued(DIGEST, { id: DIGEST, verdict: "certified", reproducible: true }, Date.now());
const BODY = JSON.stringify(ISSUED);

function sample(language: string): string {
  const [, code] = new RegExp("```" + language + " receiver\\n(.*?)```", "s").exec(README) ?? [];
  assert.ok(code !== undefined, `no ${language} sample in the README`);
  return code;
}

/** Status with which a receiver on this port answers a delivery, signed by these keys and sent at this time. */
async function statusOf(port: number, keys: readonly string[], id = "msg_1", now = Date.now()): Promise<number | null> {
  const rules = { http: true, networks: [parseNetwork("127.0.0.1")] };
  const settings = { rules, resolve: null, send: pinnedSend(), now: () => now };
  return (await deliver({ id, url: `http://127.0.0.1:${port}/`, body: BODY, keys }, settings)).status;
}

/** A delivery whose parts do not belong together, and one without any signature. */
async function refusesForgeries(port: number): Promise<void> {
  const post = async (headers: Record<string, string>) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body: BODY });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await post({}), 401);
  const { id, timestamp, signature } = VECTORS[0];
  const now = String(Math.floor(Date.now() / 1000));
  const forged = { "webhook-id": id, "webhook-signature": `${signature} v1a,${signature.slice(3)} v1, v1,*` };
  for (const at of [String(timestamp), now, "hello", ""]) {
    assert.equal(await post({ ...forged, "webhook-timestamp": at }), 401);
  }
}

type Receive = (request: Request, key: string) => Promise<Response>;

Deno.test("the TypeScript receiver takes deliveries signed with its secret or public key, once each, and no others", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const lines: string[] = [];
  const log = console.log;
  try {
    await Deno.writeTextFile(file, sample("ts"));
    const { receive } = await import(`file://${file}`) as { receive: Receive };
    console.log = (...words) => void lines.push(words.join(" "));
    const [secretKey, otherKey] = [VECTORS[1].key, VECTORS[2].key];
    for (const [key, signing] of [[SECRET, SECRET], [await publicKeyOf(secretKey), secretKey]]) {
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => receive(request, key));
      const { port } = server.addr;
      lines.length = 0;
      assert.equal(await statusOf(port, [signing], `msg_${signing.length}`), 204);
      assert.equal(await statusOf(port, [otherKey, signing], `msg_${signing.length}`), 204);
      assert.deepEqual(lines, [`certificate.issued ${DIGEST}`]);
      assert.equal(await statusOf(port, [otherKey]), 401);
      assert.equal(await statusOf(port, [signing], "msg_old", Date.now() - 400_000), 401);
      await refusesForgeries(port);
      assert.equal(lines.length, 1);
      await server.shutdown();
    }
  } finally {
    console.log = log;
    await Deno.remove(file);
  }
});

async function* linesOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    const lines = (text + part).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["-c", "import hmac; hmac.digest"] }).output()).success;
  } catch {
    return false;
  }
}

Deno.test("the Python receiver takes deliveries signed with its secret, and no others", async () => {
  if (!await hasPython()) return console.log("SKIPPED: there is no python3 of at least 3.9 here");
  const command = new Deno.Command("python3", {
    args: ["-"],
    env: { WEBHOOK_SECRET: SECRET, PORT: "0" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  });
  const child = command.spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(sample("py")));
  await input.close();
  const lines = linesOf(child.stdout);
  try {
    const port = Number((await lines.next()).value);
    assert.ok(port > 0);
    assert.equal(await statusOf(port, [SECRET]), 204);
    assert.equal((await lines.next()).value, `certificate.issued ${DIGEST}`);
    assert.equal(await statusOf(port, [VECTORS[2].key, SECRET]), 204);
    assert.equal((await lines.next()).value, `certificate.issued ${DIGEST}`);
    assert.equal(await statusOf(port, [VECTORS[2].key]), 401);
    assert.equal(await statusOf(port, [SECRET], "msg_old", Date.now() - 400_000), 401);
    await refusesForgeries(port);
  } finally {
    child.kill();
    await child.status;
    await lines.return(undefined);
  }
});
