import assert from "node:assert/strict";

/** Reads standard output until it holds the request to paste. */
async function pastedRequest(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const line = /^curl .*$/m.exec(text)?.[0];
    if (line !== undefined && text.endsWith("\n\n")) return line;
  }
  throw new Error(`start printed no request: ${text}`);
}

Deno.test("start.ts prints a request that works as pasted, and ends on SIGTERM", async () => {
  const folder = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../../functions/start.ts", import.meta.url).pathname],
    env: { PORT: "0", HOST: "127.0.0.1", LIPCERT_KV: `${folder}/nested/store.sqlite3` },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new Response(child.stderr).text();
  try {
    const line = await pastedRequest(child.stdout);
    const answer = await new Deno.Command("sh", { args: ["-c", line], stdout: "piped", stderr: "piped" }).output();
    const certificate = JSON.parse(new TextDecoder().decode(answer.stdout));
    assert.equal(certificate.schema, "lipcert.certificate/1");
    assert.ok(certificate.finding.upper > 0);
  } finally {
    child.kill("SIGTERM");
  }
  assert.equal((await child.status).code, 0);
  const [record] = (await log).split("\n").filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
  assert.equal(record.path, "/v1/certify");
  assert.equal(record.status, 200);
  assert.equal(typeof record.ms, "number");
  await Deno.remove(folder, { recursive: true });
});
