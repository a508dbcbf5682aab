/** The Worker of the pool: reads models, answers one question at a time. */
import type { ModelSource } from "../services.ts";
import { budgetFrom, modelCacheBytes } from "../settings.ts";
import { createKernels } from "../kernels.ts";
import { answerQuestion, checkCertificate, describeModel, type Engine } from "./engine.ts";
import { failureOf, type FromWorker, type ToWorker } from "./messages.ts";
import { ModelCache } from "./model_cache.ts";
import { sharedSignal } from "./shared_signal.ts";

/** What this module uses of a Worker's global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

const scope = self as unknown as WorkerScope;
const environment = (name: string) => Deno.env.get(name);

const budget = budgetFrom(environment);

const engine: Engine = {
  models: new ModelCache(modelCacheBytes(environment)),
  kernels: createKernels(budget.bytes),
  budget,
};

let signal = AbortSignal.abort(); // until the pool hands its flag over

/** Takes the pool's answer to a question of ours, while one is open. */
let reply: ((message: ToWorker) => void) | null = null;

function ask(message: FromWorker): Promise<ToWorker> {
  return new Promise((resolve) => {
    reply = resolve;
    scope.postMessage(message);
  });
}

const model: ModelSource = async () => {
  const message = await ask({ kind: "need-model" });
  return message.kind === "model" ? message.bytes : null;
};

async function known(question: string) {
  const message = await ask({ kind: "resolved", question });
  return message.kind === "known" && message.found ? KEPT_BY_THE_POOL : null;
}

/** The pool holds the certificate that it found; its bytes stay there. */
const KEPT_BY_THE_POOL = { id: "", bytes: new Uint8Array(0) };

async function answer(call: ToWorker): Promise<FromWorker> {
  switch (call.kind) {
    case "describe":
      return { kind: "described", description: await describeModel(engine, call.digest, call.bytes) };
    case "certify": {
      const result = await answerQuestion(engine, { digest: call.digest, request: call.request, model, known, signal });
      return "issued" in result
        ? { kind: "issued", certificate: result.issued }
        : { kind: "found", question: result.question };
    }
    case "verify": {
      const named = call.digest === null ? null : { digest: call.digest, bytes: model };
      return {
        kind: "verified",
        report: await checkCertificate(engine, { certificate: call.certificate, model: named, signal }),
      };
    }
    case "start":
    case "model":
    case "known":
      throw new Error(`"${call.kind}" answers no question`);
  }
}

scope.onmessage = async ({ data }) => {
  if (data.kind === "start") {
    signal = sharedSignal(data.stop);
    return;
  }
  if (reply !== null) {
    const take = reply;
    reply = null;
    take(data);
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
