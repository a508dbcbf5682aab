/** A process is killed while it writes to a file of Deno KV: what it told as made is there, and nothing is torn. */
import assert from "node:assert/strict";
import { denoKvBlobs, denoKvRecords } from "../../functions/adapters/deno_kv.ts";
import { content } from "../suites/bytes.ts";

const WRITER = new URL("./deno_kv_writer.ts", import.meta.url).pathname;
const LINES = 6;

Deno.test("deno kv keeps what a killed writer told as made, whole", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.sqlite3`;
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", WRITER, path], stdout: "piped" }).spawn();
  let told = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    told += text.split("\n").length - 1;
    if (told === LINES) await new Promise((resolve) => setTimeout(resolve, 20)); // in the middle of the next
    if (told >= LINES) break;
  }
  child.kill("SIGKILL");
  await child.status;

  const kv = await Deno.openKv(path);
  try {
    const blobs = denoKvBlobs(kv, Date.now);
    const counter = await denoKvRecords(kv, Date.now).get("counter");
    const counted = counter?.bytes[0] ?? 0;
    assert.ok(counted >= told, `${told} were told, ${counted} are counted`);
    for (let i = 0; i < counted; i++) assert.deepEqual(await blobs.get(`blob${i}`), content(1_000_000, i));
    const next = await blobs.get(`blob${counted}`);
    if (next !== null) assert.deepEqual(next, content(1_000_000, counted));
    await blobs.put(`blob${counted}`, content(1_000_000, counted));
    assert.deepEqual(await blobs.get(`blob${counted}`), content(1_000_000, counted));
  } finally {
    kv.close();
    await Deno.remove(folder, { recursive: true });
  }
});
