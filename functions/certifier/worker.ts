/** The Worker of the pool: reads models, answers one question at a time. */
import { onnxruntime } from "../adapters/onnxruntime.ts";
import type { ModelSource } from "../services.ts";
import { budgetFrom, modelCacheBytes, searchThreadsFrom } from "../settings.ts";
import { pausingClock, TURN_MS } from "../clock.ts";
import { createKernels } from "../kernels.ts";
import { againstRuntime } from "./against_runtime.ts";
import { createThread } from "./create_thread.ts";
import { answerQuestion, checkCertificate, describeModel, type Engine } from "./engine.ts";
import { failureOf, type FromWorker, type ToWorker } from "./messages.ts";
import { ModelCache } from "./model_cache.ts";
import { sharedSignal } from "./shared_signal.ts";
import { searchThreads } from "./threads.ts";

/** What this module uses of a Worker's global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

const scope = self as unknown as WorkerScope;
const environment = (name: string) => Deno.env.get(name);

const budget = budgetFrom(environment);

const kernels = createKernels(budget.bytes);

const { distribute } = searchThreads({ count: searchThreadsFrom(environment), createWorker: createThread });

const engine: Engine = {
  models: new ModelCache(modelCacheBytes(environment)),
  kernels,
  budget,
  clock: pausingClock(TURN_MS),
  distribute,
  crossCheck: againstRuntime(onnxruntime(), kernels),
};

let signal = AbortSignal.abort(); // until the pool hands its flag over

/** Takes the model that was asked for, while one is. */
let takeModel: ((bytes: Uint8Array<ArrayBuffer> | null) => void) | null = null;

const model: ModelSource = () =>
  new Promise((resolve) => {
    takeModel = resolve;
    scope.postMessage({ kind: "need-model" });
  });

/** The pool looks the question up meanwhile, and stops us if its certificate is there. */
function known(question: string): Promise<null> {
  scope.postMessage({ kind: "resolved", question });
  return Promise.resolve(null);
}

async function answer(call: ToWorker): Promise<FromWorker> {
  switch (call.kind) {
    case "describe":
      return { kind: "described", description: await describeModel(engine, call.digest, call.bytes) };
    case "certify": {
      const result = await answerQuestion(engine, { digest: call.digest, request: call.request, model, known, signal });
      if ("issued" in result) return { kind: "issued", certificate: result.issued };
      throw new Error("only the pool finds certificates");
    }
    case "verify": {
      const named = call.digest === null ? null : { digest: call.digest, bytes: model };
      const report = await checkCertificate(engine, { certificate: call.certificate, model: named, signal });
      return { kind: "verified", report };
    }
    case "start":
    case "model":
      throw new Error(`"${call.kind}" opens no call`);
  }
}

scope.onmessage = async ({ data }) => {
  if (data.kind === "start") {
    signal = sharedSignal(data.stop);
    return;
  }
  if (data.kind === "model") {
    takeModel?.(data.bytes);
    takeModel = null;
    return;
  }
  try {
    const message = await answer(data);
    scope.postMessage(message, message.kind === "issued" ? [message.certificate.bytes.buffer] : []);
  } catch (error) {
    scope.postMessage({ kind: "failed", failure: failureOf(error) });
  }
};

scope.postMessage({ kind: "ready" });
