import assert from "node:assert/strict";
import { lineWriter } from "../../../functions/adapters/line_writer.ts";

Deno.test("lineWriter() writes every line in order through a stream that takes a few bytes at a time", async () => {
  const taken: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const wanted = Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join("");
  const write = lineWriter({
    write(bytes) {
      const some = bytes.subarray(0, 7);
      taken.push(...some);
      if (taken.length === wanted.length) resolve();
      return Promise.resolve(some.length);
    },
  });
  for (const line of wanted.match(/.*\n/g) ?? []) write(line);
  await promise;
  assert.equal(new TextDecoder().decode(new Uint8Array(taken)), wanted);
});

Deno.test("lineWriter() does not fail where its stream does", async () => {
  let writes = 0;
  const write = lineWriter({
    write() {
      writes++;
      return Promise.reject(new Error("closed"));
    },
  });
  write("a\n");
  await new Promise((resolve) => setTimeout(resolve, 0));
  write("b\n");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(writes, 2);
});
