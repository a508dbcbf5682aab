import assert from "node:assert/strict";
import fc from "fast-check";
import { countingKernels } from "../../shared/bounds/work.ts";
import { paddedLength } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { windowsEntries } from "../../shared/kernels/windows.ts";
import { generator } from "../suites/kernel_numbers.ts";
import { denseWindows, drawWindows, kernelLength } from "../suites/window_geometries.ts";

Deno.test("windowsEntries() counts the entries of the matrix, which countingKernels() charges six times a group", () => {
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), (seed, transposed) => {
      const windows = drawWindows(generator(seed)), dense = denseWindows(windows, transposed);
      const entries = dense.reduce((sum, row) => sum + row.filter((entry) => entry >= 0).length, 0);
      assert.equal(windowsEntries(windows), entries);
      const work = { flops: 0 }, kernels = countingKernels(referenceKernels(), work as never);
      kernels.windowsBox({
        out: kernels.allocate(8 * paddedLength(dense.length)),
        rows: null,
        kernel: kernels.allocate(kernelLength(windows)),
        windows,
        transposed,
        box: kernels.allocate(4 * paddedLength(dense[0].length)),
        groups: 2,
      });
      assert.equal(work.flops, 12 * entries);
    }),
    { numRuns: 100 },
  );
});

Deno.test("countingKernels() charges two for each product of a block and a row", () => {
  const work = { flops: 0 }, kernels = countingKernels(referenceKernels(), work as never);
  const blocks = kernels.uploadBlocks({
    k: 5,
    n: 3,
    blocks: [
      { columns: Int32Array.of(0, 1, 4), outputs: Int32Array.of(0, 2) },
      { columns: Int32Array.of(3), outputs: Int32Array.of(1) },
    ],
  });
  const [out, a] = [kernels.allocate(28), kernels.allocate(56)];
  kernels.gemmBlocks({ out, a, blocks, packed: kernels.allocate(blocks.packedLength), rows: 7, accumulate: false });
  assert.equal(work.flops, 2 * 7 * 7);
});
