/** The kernels that this service computes with: the one place of `functions/` that names a backend. */
import type { Kernels } from "../shared/mod.ts";
import { referenceKernels } from "../shared/kernels/reference.ts";

export function createKernels(): Kernels {
  return referenceKernels();
}
