/** The kernels that this service computes with: the one place of `functions/` that names a backend. */
import type { Kernels } from "../shared/mod.ts";
import { wasmKernels } from "../shared/kernels/wasm.ts";
import kernels from "../wasm/dist/kernels.js";

/** Kernels with memory of their own, at most `maxBytes`. */
export function createKernels(maxBytes: number): Kernels {
  return wasmKernels(kernels, { maxBytes });
}
