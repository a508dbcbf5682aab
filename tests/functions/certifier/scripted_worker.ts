/**
 * A Worker that speaks the pool's language and does what the question's `output` says: so that a call can be made to
 * take until it is stopped, not to listen, or to kill its Worker. It asks for the model once.
 */
import { type CallFlags, FINISH, type FromWorker, STOP, type ToWorker } from "../../../functions/certifier/messages.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
};

const STUBBORN_MS = 500;

let flags: CallFlags;
let hasModel = false;
let question = "";
let watched = false;

function step(): void {
  if (!hasModel) return scope.postMessage({ kind: "need-model" });
  scope.postMessage({ kind: "resolved", question });
  if (question === "spin") {
    for (let nodes = 0; Atomics.load(flags, STOP) === 0; nodes++) {
      if (Atomics.load(flags, FINISH) === 1) return issue("finished");
      if (watched && nodes < 3) {
        scope.postMessage({ kind: "progress", progress: { nodes, open: 1, rounds: nodes, upper: 2, lower: 1 } });
      }
    }
    return scope.postMessage({ kind: "failed", failure: { message: "stopped" } });
  }
  if (question === "stubborn") {
    for (const start = performance.now(); performance.now() - start < STUBBORN_MS;);
  }
  issue(question);
}

function issue(text: string): void {
  const bytes = new TextEncoder().encode(text);
  scope.postMessage({ kind: "issued", certificate: { id: `id of ${text}`, question, reproducible: true, bytes } });
}

scope.onmessage = ({ data }) => {
  if (data.kind === "start") flags = data.flags;
  if (data.kind === "model") {
    hasModel = true;
    step();
  }
  if (data.kind !== "certify") return;
  question = data.request.output ?? "";
  watched = data.watched;
  if (question === "die") {
    queueMicrotask(() => {
      throw new Error("killed by its question");
    });
  } else if (question === "refuse") {
    const failure = { type: "invalid-query", message: "no", members: { errors: [{ pointer: "/x", message: "m" }] } };
    scope.postMessage({ kind: "failed", failure });
  } else if (question === "throw") scope.postMessage({ kind: "failed", failure: { message: "a defect" } });
  else step();
};

scope.postMessage({ kind: "ready" });
