/** One Worker of the pool, and the call it works on. */
import { LipcertError } from "../../shared/errors.ts";
import type { FoundCertificate } from "../services.ts";
import { errorOf, type FromWorker, type StopFlag, type ToWorker } from "./messages.ts";

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
  readonly #graceMs: number;
  readonly #stop: StopFlag = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | null;
  /** Whether the Worker has said that it is there: one that dies before would die again, for ever. */
  #isReady = false;
  #open: Open | null = null;

  /** A Worker that does not end its call `graceMs` after it was told to is replaced. */
  constructor(createWorker: () => Worker, graceMs: number) {
    this.#createWorker = createWorker;
    this.#graceMs = graceMs;
    this.#worker = this.#start();
  }

  /**
   * Runs a call to its end, one at a time. Rejects with what the Worker threw, `kernel-failure` if it died, or the
   * signal's reason.
   *
   * A call that is not wanted any more is told so through shared memory, which arithmetic looks at on its way, and
   * the Worker stays warm. Ending the Worker is the last resort: Deno 2.9 does not end one that is busy in a loop
   * (denoland/deno 35657), its thread goes on until the loop ends.
   */
  async run(call: SeatCall, signal?: AbortSignal): Promise<SeatResult> {
    if (this.#open !== null) throw new Error("the seat is taken");
    Atomics.store(this.#stop, 0, 0);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      Atomics.store(this.#stop, 0, 1);
      timer = setTimeout(() => this.#replace(signal?.reason), this.#graceMs);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#open = { call, resolve, reject, found: null };
        this.#worker ??= this.#start();
        this.#worker.postMessage(call.opening);
      });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", stop);
      clearTimeout(timer);
    }
  }

  close(): void {
    Atomics.store(this.#stop, 0, 1);
    this.#worker?.terminate();
    this.#worker = null;
    this.#open?.reject(new Error("the certifier is closed"));
    this.#open = null;
  }

  /** Ends the call and its Worker; a new one, without models, is warm for the next call. */
  #replace(reason: unknown): void {
    const open = this.#open;
    this.#open = null;
    this.#worker?.terminate();
    this.#worker = this.#isReady ? this.#start() : null;
    open?.reject(reason);
  }

  #start(): Worker {
    this.#isReady = false;
    const worker = this.#createWorker();
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (worker === this.#worker) this.#receive(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      if (worker !== this.#worker) return;
      this.#replace(
        new LipcertError("kernel-failure", "The Worker of the question ended", {}, new Error(event.message)),
      );
    };
    worker.postMessage({ kind: "start", stop: this.#stop } satisfies ToWorker);
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.kind === "ready") this.#isReady = true;
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
        if (this.#open === open) this.#worker?.postMessage(reply(value));
      },
      (error) => {
        if (this.#open === open) this.#replace(error);
      },
    );
  }
}
