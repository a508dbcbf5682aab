import assert from "node:assert/strict";
import { onnxruntime } from "../../../functions/adapters/onnxruntime.ts";

const SAMPLE = new URL("../../../functions/samples/mlp16.onnx", import.meta.url);

Deno.test("onnxruntime() leaves the globals as they were, and Workers that can be talked to", async () => {
  const names = Object.getOwnPropertyNames(globalThis), { location, process } = globalThis;
  const model = await onnxruntime().open(await Deno.readFile(SAMPLE));
  const [outputs] = await model!.evaluate([new Float64Array(16)]);
  assert.ok([...outputs.values()][0].every(Number.isFinite));
  await model!.close();
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), names.sort());
  assert.equal(globalThis.location, location);
  assert.equal(globalThis.process, process);
  const worker = new Worker(new URL("./echo_worker.ts", import.meta.url), { type: "module" });
  const heard = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage("heard");
  });
  assert.equal(heard, "heard");
  worker.terminate();
});

Deno.test("onnxruntime() refuses bytes that are no model, before and after one that is", async () => {
  const runtime = onnxruntime();
  assert.equal(await runtime.open(new Uint8Array(9)), null);
  const model = await runtime.open(await Deno.readFile(SAMPLE));
  await model!.close();
  assert.equal(await runtime.open(new Uint8Array(9)), null);
});
