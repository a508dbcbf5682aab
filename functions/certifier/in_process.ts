/** The certifier of a host without threads: questions run in the isolate that serves. */
import type { Budget, Clock, Kernels } from "../../shared/mod.ts";
import type { Certifier } from "../services.ts";
import { answerQuestion, checkCertificate, describeModel, type Engine } from "./engine.ts";
import { ModelCache } from "./model_cache.ts";

/**
 * A question holds its kernels until it ends, for their memory is a stack; questions that overlap (a handler waits for
 * a store) get kernels of their own, which wait for the next question afterwards.
 */
export function inProcessCertifier(
  createKernels: () => Kernels,
  budget: Budget,
  modelBytes: number,
  clock?: Clock,
): Certifier {
  const models = new ModelCache(modelBytes);
  const free: Kernels[] = [];

  async function withEngine<T>(body: (engine: Engine) => Promise<T>): Promise<T> {
    const kernels = free.pop() ?? createKernels();
    const result = await body({ models, kernels, budget, ...(clock && { clock }) });
    free.push(kernels); // not after a throw: what it left behind is not known
    return result;
  }

  return {
    describe: (digest, bytes) => withEngine((engine) => describeModel(engine, digest, bytes)),
    certify: (call) => withEngine((engine) => answerQuestion(engine, call)),
    verify: (call) => withEngine((engine) => checkCertificate(engine, call)),
  };
}
