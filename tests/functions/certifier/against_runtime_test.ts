import assert from "node:assert/strict";
import { onnxruntime } from "../../../functions/adapters/onnxruntime.ts";
import { againstRuntime } from "../../../functions/certifier/against_runtime.ts";
import type { Evaluator } from "../../../functions/services.ts";
import { LipcertError } from "../../../shared/errors.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { readModel } from "../../../shared/mod.ts";

const BYTES = await Deno.readFile(new URL("../../../functions/samples/mlp16.onnx", import.meta.url));

/** onnxruntime with one output moved by `offset`. */
function moved(offset: number): Evaluator {
  const runtime = onnxruntime();
  return {
    async open(bytes) {
      const opened = await runtime.open(bytes);
      return opened && {
        ...opened,
        async evaluate(points) {
          const found = await opened.evaluate(points);
          for (const outputs of found) for (const values of outputs.values()) values[3] += offset;
          return found;
        },
      };
    },
  };
}

Deno.test("againstRuntime() agrees with onnxruntime on the sample model", async () => {
  await againstRuntime(onnxruntime(), referenceKernels())(await readModel(BYTES), BYTES);
});

Deno.test("againstRuntime() is model-misread when the runtime's output lies elsewhere", async () => {
  const check = againstRuntime(moved(0.01), referenceKernels());
  await assert.rejects(
    check(await readModel(BYTES), BYTES),
    (error) => error instanceof LipcertError && error.type === "model-misread",
  );
});

Deno.test("againstRuntime() compares nothing when the runtime refuses the model", async () => {
  const refusing: Evaluator = { open: () => Promise.resolve(null) };
  await againstRuntime(refusing, referenceKernels())(await readModel(BYTES), BYTES);
});

Deno.test("onnxruntime().open() refuses what is no model", async () => {
  assert.equal(await onnxruntime().open(new Uint8Array(100)), null);
});
