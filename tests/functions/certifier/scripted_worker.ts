/**
 * A Worker that speaks the pool's language and does what the question's `output` says: so that a call can be made to
 * take until it is stopped, not to listen, or to kill its Worker. It asks for the model once, and whether each question is
 * known.
 */
import type { FromWorker, StopFlag, ToWorker } from "../../../functions/certifier/messages.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
};

const STUBBORN_MS = 500;

let stop: StopFlag;
let hasModel = false;
let question = "";

function step(): void {
  if (!hasModel) scope.postMessage({ kind: "need-model" });
  else scope.postMessage({ kind: "resolved", question });
}

scope.onmessage = ({ data }) => {
  if (data.kind === "start") stop = data.stop;
  if (data.kind === "certify") {
    question = data.request.output ?? "";
    if (question === "die") {
      queueMicrotask(() => {
        throw new Error("killed by its question");
      });
      return;
    }
    if (question === "refuse") {
      const failure = { type: "invalid-query", message: "no", members: { errors: [{ pointer: "/x", message: "m" }] } };
      return scope.postMessage({ kind: "failed", failure });
    }
    if (question === "throw") return scope.postMessage({ kind: "failed", failure: { message: "a defect" } });
    step();
  }
  if (data.kind === "model") {
    hasModel = true;
    step();
  }
  if (data.kind === "known") {
    if (question === "spin") {
      while (Atomics.load(stop, 0) === 0);
      return scope.postMessage({ kind: "failed", failure: { message: "stopped" } });
    }
    if (question === "stubborn") {
      for (const start = performance.now(); performance.now() - start < STUBBORN_MS;);
    }
    if (data.found) return scope.postMessage({ kind: "found", question });
    const bytes = new TextEncoder().encode(question);
    scope.postMessage({
      kind: "issued",
      certificate: { id: `id of ${question}`, question, reproducible: true, bytes },
    });
  }
};

scope.postMessage({ kind: "ready" });
