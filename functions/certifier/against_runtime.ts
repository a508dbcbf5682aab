import { crossCheck, type Kernels, type Model } from "../../shared/mod.ts";
import type { Evaluator } from "../services.ts";

/** Compares our reading of a model with another runtime's, where that opens it; throws `model-misread`. */
export function againstRuntime(
  evaluator: Evaluator,
  kernels: Kernels,
): (model: Model, bytes: Uint8Array) => Promise<void> {
  return async (model, bytes) => {
    const opened = await evaluator.open(bytes);
    if (opened === null) return;
    try {
      await crossCheck(model, opened.evaluate, kernels);
    } finally {
      await opened.close();
    }
  };
}
