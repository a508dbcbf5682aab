import assert from "node:assert/strict";
import { LipcertError } from "../../shared/errors.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import module from "../../wasm/dist/kernels.js";
import { kernelsSuite } from "../suites/kernels.ts";
import { singleSuite } from "../suites/kernels_single.ts";

kernelsSuite("wasm", () => wasmKernels(module));
singleSuite("wasm", () => wasmKernels(module));

const MEGABYTE = 2 ** 20;

Deno.test("wasmKernels() reuses its memory: 1,000 scopes of 800 KB fit in 1 MB", async () => {
  const kernels = wasmKernels(module, { maxBytes: MEGABYTE });
  for (let i = 0; i < 1000; i++) {
    await kernels.scope(() => Promise.resolve(kernels.allocate(100_000)));
  }
  assert.deepEqual(kernels.memory(), { bytes: 0, peakBytes: 800_000 });
});

Deno.test("wasmKernels() over maxBytes is over-budget with figures, and what was there stays", async () => {
  const kernels = wasmKernels(module, { maxBytes: MEGABYTE });
  await kernels.scope(async () => {
    const before = kernels.upload(Float64Array.of(1, 2, 3));
    const { bytes } = kernels.memory();
    for (const refused of [() => kernels.allocate(131_072), () => kernels.upload(new Float64Array(200_000))]) {
      assert.throws(refused, (error) => {
        assert.ok(error instanceof LipcertError);
        assert.equal(error.type, "over-budget");
        assert.equal(error.members.allowed_bytes, MEGABYTE);
        assert.ok(Number(error.members.bytes) > MEGABYTE);
        return true;
      });
    }
    assert.equal(kernels.memory().bytes, bytes);
    const after = kernels.allocate(131_072 - 600);
    assert.deepEqual([...await kernels.read(before)], [1, 2, 3]);
    assert.deepEqual([...await kernels.read(after, 2)], [0, 0]);
  });
  assert.equal(kernels.memory().bytes, 0);
});

Deno.test("wasmKernels() refuses a maxBytes it cannot keep", () => {
  for (const maxBytes of [0, 65_535, NaN, 2 ** 32]) {
    assert.throws(() => wasmKernels(module, { maxBytes }), RangeError, `${maxBytes}`);
  }
});
