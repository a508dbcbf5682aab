import type { Kernels } from "../kernels/kernels.ts";
import { coarseSize, fineSize, windowsEntries } from "../kernels/windows.ts";
import type { Work } from "./pass.ts";

/**
 * The same kernels, counting what they compute into `work.flops`: multiplications and additions from the shapes of the
 * calls (a product and a sum are two), so the count is the same on every backend and host.
 */
export function countingKernels(kernels: Kernels, work: Work): Kernels {
  const counting: Kernels = {
    ...bound(kernels),
    get single(): Kernels {
      return kernels.precision === "f32" ? counting : countingKernels(kernels.single, work);
    },
    gemm(call) {
      work.flops += 2 * call.rows * call.k * call.n;
      kernels.gemm(call);
    },
    relaxRows(call) {
      work.flops += 4 * call.rows * call.columns;
      kernels.relaxRows(call);
    },
    absorbRows(call) {
      work.flops += (call.bias ? 4 : 2) * call.rows * call.columns;
      kernels.absorbRows(call);
    },
    concretizeRows(call) {
      work.flops += 4 * call.rows * call.columns;
      kernels.concretizeRows(call);
    },
    scaleColumns(call) {
      work.flops += call.rows * call.columns;
      kernels.scaleColumns(call);
    },
    addRows(call) {
      work.flops += call.rows * call.columns;
      kernels.addRows(call);
    },
    gemmBlocks(call) {
      work.flops += 2 * call.rows * call.blocks.products;
      kernels.gemmBlocks(call);
    },
    windowsBox(call) {
      const all = call.transposed ? fineSize(call.windows) : coarseSize(call.windows);
      // Rows near an edge have fewer entries: some of the rows count as their share of all.
      const share = call.rows === null || all === 0 ? 1 : call.rows.length / all;
      work.flops += 6 * call.groups * Math.round(share * windowsEntries(call.windows));
      kernels.windowsBox(call);
    },
    affineBox(call) {
      work.flops += 6 * call.groups * call.rows * call.columns;
      kernels.affineBox(call);
    },
  };
  return counting;
}

/** The backend's methods as plain functions, so that they may be spread. */
function bound(kernels: Kernels): Kernels {
  return {
    name: kernels.name,
    precision: kernels.precision,
    single: kernels.single,
    vectors: (numbers) => kernels.vectors(numbers),
    allocate: (length) => kernels.allocate(length),
    upload: (values) => kernels.upload(values),
    allocateCoefficients: (length) => kernels.allocateCoefficients(length),
    uploadCoefficients: (values) => kernels.uploadCoefficients(values),
    uploadIndices: (values) => kernels.uploadIndices(values),
    read: (buffer, length) => kernels.read(buffer, length),
    scope: (body) => kernels.scope(body),
    memory: () => kernels.memory(),
    resetPeak: () => kernels.resetPeak(),
    gatherMatrix: (call) => kernels.gatherMatrix(call),
    packMatrix: (call) => kernels.packMatrix(call),
    gemm: (call) => kernels.gemm(call),
    gatherRows: (call) => kernels.gatherRows(call),
    unitRows: (call) => kernels.unitRows(call),
    relaxRows: (call) => kernels.relaxRows(call),
    absorbRows: (call) => kernels.absorbRows(call),
    concretizeRows: (call) => kernels.concretizeRows(call),
    scaleColumns: (call) => kernels.scaleColumns(call),
    addRows: (call) => kernels.addRows(call),
    uploadBlocks: (layout) => kernels.uploadBlocks(layout),
    gemmBlocks: (call) => kernels.gemmBlocks(call),
    packWindows: (call) => kernels.packWindows(call),
    windowsBox: (call) => kernels.windowsBox(call),
    affineBox: (call) => kernels.affineBox(call),
  };
}
