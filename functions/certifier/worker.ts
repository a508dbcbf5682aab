/** The Worker of the pool: reads models, answers one question at a time. */
import { onnxruntime } from "../adapters/onnxruntime.ts";
import type { CertifyCall, ModelSource } from "../services.ts";
import { budgetFrom, modelCacheBytes, searchThreadsFrom } from "../settings.ts";
import { pausingClock, TURN_MS } from "../clock.ts";
import { createKernels } from "../kernels.ts";
import { againstRuntime } from "./against_runtime.ts";
import { createThread } from "./create_thread.ts";
import { answerQuestion, checkCertificate, describeModel, type Engine } from "./engine.ts";
import { failureOf, FINISH, type FromWorker, STOP, type ToWorker } from "./messages.ts";
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

/** Milliseconds between two reports of a search. */
const REPORT_MS = 100;

const kernels = createKernels(budget.bytes);

const { distribute, threads } = searchThreads({ count: searchThreadsFrom(environment), createWorker: createThread });

const engine: Engine = {
  models: new ModelCache(modelCacheBytes(environment)),
  kernels,
  budget,
  clock: pausingClock(TURN_MS),
  distribute,
  threads,
  crossCheck: againstRuntime(onnxruntime(), kernels),
};

// Until the pool hands its flags over.
let signal = AbortSignal.abort(), finish = AbortSignal.abort();

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

/** Tells of a search's first round, and of later ones now and then. */
function reports(): NonNullable<CertifyCall["onSearch"]> {
  let next = 0;
  return (progress) => {
    const now = performance.now();
    if (now < next) return;
    next = now + REPORT_MS;
    scope.postMessage({ kind: "progress", progress });
  };
}

function keep(checkpoint: Uint8Array<ArrayBuffer>): void {
  scope.postMessage({ kind: "checkpoint", checkpoint }, [checkpoint.buffer]);
}

async function answer(call: ToWorker): Promise<FromWorker> {
  switch (call.kind) {
    case "describe":
      return { kind: "described", description: await describeModel(engine, call.digest, call.bytes) };
    case "certify": {
      const { digest, request, ceiling, checkpoint } = call;
      const result = await answerQuestion(engine, {
        ...{ digest, request, model, known, signal },
        ...(call.watched && { finish, onSearch: reports() }),
        ...(ceiling && { ceiling }),
        ...(checkpoint && { checkpoint }),
        ...(call.saved && { onCheckpoint: keep }),
      });
      if ("priced" in result) return { kind: "priced", ...result };
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
    signal = sharedSignal(data.flags, STOP, "The question is not wanted any more");
    finish = sharedSignal(data.flags, FINISH, "The search is to end");
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
