/** Writes blobs and counts them in a record until it is killed; a line for each that is made. */
import { denoKvBlobs, denoKvRecords } from "../../functions/adapters/deno_kv.ts";
import { update } from "../../functions/storage/update.ts";
import { content } from "../suites/bytes.ts";

const kv = await Deno.openKv(Deno.args[0]);
const blobs = denoKvBlobs(kv, Date.now);
const records = denoKvRecords(kv, Date.now);
for (let i = 0; i < 100; i++) {
  await blobs.put(`blob${i}`, content(1_000_000, i));
  await update(records, "counter", (current) => Uint8Array.of((current?.[0] ?? 0) + 1));
  console.log(i);
}
