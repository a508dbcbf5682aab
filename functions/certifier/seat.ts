/** One Worker of the pool, and the call it works on. */
import { LipcertError } from "../../shared/errors.ts";
import type { FoundCertificate } from "../services.ts";
import { errorOf, type FromWorker, type ToWorker } from "./messages.ts";

/** A call, as a seat sees it: its opening message and the answers to the Worker's questions on the way. */
export interface SeatCall {
  readonly opening: ToWorker;
  readonly model: () => Promise<Uint8Array<ArrayBuffer> | null>;
  readonly known: (question: string) => Promise<FoundCertificate | null>;
}

/** The last message of a call; `found` carries what `known` handed back. */
export type SeatResult = { readonly message: FromWorker; readonly found: FoundCertificate | null };

interface Open {
  readonly call: SeatCall;
  readonly resolve: (result: SeatResult) => void;
  readonly reject: (error: unknown) => void;
  found: FoundCertificate | null;
}

export class Seat {
  readonly #createWorker: () => Worker;
  #worker: Worker;
  #open: Open | null = null;

  constructor(createWorker: () => Worker) {
    this.#createWorker = createWorker;
    this.#worker = this.#start();
  }

  /** Runs a call to its end. One at a time. Rejects with what the Worker threw, or `kernel-failure` if it died. */
  run(call: SeatCall): Promise<SeatResult> {
    if (this.#open !== null) throw new Error("the seat is taken");
    return new Promise((resolve, reject) => {
      this.#open = { call, resolve, reject, found: null };
      this.#worker.postMessage(call.opening);
    });
  }

  /** Ends the call by ending its Worker; a new one is warm for the next call, without models. */
  abandon(reason: unknown): void {
    const open = this.#open;
    this.#open = null;
    this.#worker.terminate();
    this.#worker = this.#start();
    open?.reject(reason);
  }

  close(): void {
    this.#worker.terminate();
    this.#open?.reject(new Error("the certifier is closed"));
    this.#open = null;
  }

  #start(): Worker {
    const worker = this.#createWorker();
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (worker === this.#worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      if (worker !== this.#worker) return;
      this.abandon(
        new LipcertError("kernel-failure", "The Worker of the question ended", {}, new Error(event.message)),
      );
    };
    return worker;
  }

  #receive(message: FromWorker): void {
    const open = this.#open;
    if (open === null || message.kind === "ready") return;
    if (message.kind === "need-model") {
      this.#answer(open, open.call.model(), (bytes) => ({ kind: "model", bytes }));
      return;
    }
    if (message.kind === "resolved") {
      this.#answer(open, open.call.known(message.question), (found) => {
        open.found = found;
        return { kind: "known", found: found !== null };
      });
      return;
    }
    this.#open = null;
    if (message.kind === "failed") open.reject(errorOf(message.failure));
    else open.resolve({ message, found: open.found });
  }

  /** A store that fails on the way ends the call; the Worker waits for an answer and must go with it. */
  #answer<T>(open: Open, value: Promise<T>, reply: (value: T) => ToWorker): void {
    value.then(
      (value) => {
        if (this.#open === open) this.#worker.postMessage(reply(value));
      },
      (error) => {
        if (this.#open === open) this.abandon(error);
      },
    );
  }
}
