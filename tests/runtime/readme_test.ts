/** What the README has to paste about jobs, pasted. */
import assert from "node:assert/strict";
import { denoHost } from "./hosts.ts";
import type { Issued } from "./requests.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("README.md: the lines about large jobs work as pasted", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const lines = /## Large jobs.*?```sh\n(.*?)```/s.exec(readme)?.[1];
  assert.ok(lines !== undefined);
  const host = await denoHost({ LIPCERT_BODY_MIB: "64" });
  try {
    const script = lines.replaceAll("http://127.0.0.1:8000", host.origin);
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script], cwd: ROOT, stderr: "null" }).output();
    const text = new TextDecoder().decode(stdout);
    assert.match(text, /^\{"id":"sha256:[0-9a-f]{64}"/);
    assert.match(text, /\nevent: progress\ndata: \{"status":"running","progress":\{"nodes":/);
    const last = /event: canceled\ndata: (.*)\n/.exec(text)?.[1];
    assert.ok(last !== undefined, text);
    const { links } = JSON.parse(last) as { links: { certificate: string } };
    const certificate = await (await host.fetch(links.certificate)).json() as Issued;
    assert.equal(certificate.method.search.stopped_by, "canceled");
  } finally {
    await host.close();
  }
});
