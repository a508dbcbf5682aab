/** One Worker of the pool, and the call it works on. */
import { LipcertError } from "../../shared/errors.ts";
import type { SearchProgress } from "../../shared/mod.ts";
import type { CertifyCall, FoundCertificate } from "../services.ts";
import { callFlags, errorOf, FINISH, type FromWorker, STOP, type ToWorker } from "./messages.ts";

/** A call, as a seat sees it: its opening message, and what is asked of the pool on the way. */
export interface SeatCall extends Pick<CertifyCall, "finish" | "onSearch" | "onCheckpoint"> {
  readonly opening: ToWorker;
  readonly model: () => Promise<Uint8Array<ArrayBuffer> | null>;
  readonly known: (question: string) => Promise<FoundCertificate | null>;
}

/** The last message of a call, or the certificate that `known` found first. */
export type SeatResult =
  | Exclude<FromWorker, { kind: "ready" | "need-model" | "resolved" | "progress" | "checkpoint" | "failed" }>
  | { readonly kind: "found"; readonly question: string; readonly found: FoundCertificate };

export interface SeatRun {
  /** Rejects with what the Worker threw, `kernel-failure` if it died, or the signal's reason. */
  readonly result: Promise<SeatResult>;
  /** Resolves when the seat is free for the next call: not before the result, sometimes later. */
  readonly free: Promise<void>;
}

interface Open {
  readonly call: SeatCall;
  readonly resolve: (result: SeatResult) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
  grace?: ReturnType<typeof setTimeout>;
}

/**
 * A call that is not wanted any more (its client is gone, its certificate was found) is told so through shared memory,
 * which arithmetic looks at on its way, and the Worker stays warm; so is a search that is to finish. Ending the Worker is the last resort: Deno 2.9 does not
 * end one that is busy in a loop (denoland/deno 35657), its thread goes on until the loop ends.
 */
export class Seat {
  readonly #createWorker: () => Worker;
  readonly #graceMs: number;
  readonly #flags = callFlags();
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

  /** Runs a call to its end, one at a time. */
  run(call: SeatCall, signal?: AbortSignal): SeatRun {
    if (this.#open !== null) throw new Error("the seat is taken");
    this.#flags.fill(0);
    const result = Promise.withResolvers<SeatResult>();
    const free = Promise.withResolvers<void>();
    const abort = () => {
      result.reject(signal?.reason);
      this.#stopCall();
    };
    signal?.addEventListener("abort", abort, { once: true });
    const { finish } = call, finishCall = () => void Atomics.store(this.#flags, FINISH, 1);
    if (finish?.aborted) finishCall();
    finish?.addEventListener("abort", finishCall, { once: true });
    const leave = () => {
      signal?.removeEventListener("abort", abort);
      finish?.removeEventListener("abort", finishCall);
      free.resolve();
    };
    this.#open = { call, resolve: result.resolve, reject: result.reject, leave };
    this.#worker ??= this.#start();
    this.#worker.postMessage(call.opening);
    return { result: result.promise, free: free.promise };
  }

  close(): void {
    Atomics.store(this.#flags, STOP, 1);
    this.#worker?.terminate();
    this.#worker = null;
    this.#end()?.reject(new Error("the certifier is closed"));
  }

  /** Asks the Worker to end its call, and replaces it if it does not. */
  #stopCall(): void {
    const open = this.#open;
    if (open === null) return;
    Atomics.store(this.#flags, STOP, 1);
    open.grace ??= setTimeout(() => this.#replace(new Error("the call did not stop")), this.#graceMs);
  }

  /** The call is over: the seat is free. */
  #end(): Open | null {
    const open = this.#open;
    this.#open = null;
    clearTimeout(open?.grace);
    open?.leave();
    return open;
  }

  /** Ends the Worker with its call; a new one, without models, is warm for the next call. */
  #replace(reason: unknown): void {
    this.#worker?.terminate();
    this.#worker = this.#isReady ? this.#start() : null;
    this.#end()?.reject(reason);
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
      const cause = new Error(event.message);
      this.#replace(new LipcertError("kernel-failure", "The Worker of the question ended", {}, cause));
    };
    worker.postMessage({ kind: "start", flags: this.#flags } satisfies ToWorker);
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.kind === "ready") this.#isReady = true;
    const open = this.#open;
    if (open === null || message.kind === "ready") return;
    if (message.kind === "need-model") this.#handModelOver(open);
    else if (message.kind === "resolved") this.#lookUp(open, message.question);
    else if (message.kind === "progress") this.#tell(open, message.progress);
    else if (message.kind === "checkpoint") this.#keep(open, message.checkpoint);
    else if (message.kind === "failed") this.#end()?.reject(errorOf(message.failure));
    else this.#end()?.resolve(message);
  }

  /** Whoever left hears nothing more. */
  #tell({ call, grace }: Open, progress: SearchProgress): void {
    if (grace === undefined) call.onSearch?.(progress);
  }

  #keep({ call, grace }: Open, checkpoint: Uint8Array<ArrayBuffer>): void {
    if (grace === undefined) call.onCheckpoint?.(checkpoint);
  }

  /** The Worker waits for the model, so it goes with a store that fails. */
  #handModelOver(open: Open): void {
    open.call.model().then(
      (bytes) => {
        if (this.#open === open) this.#worker?.postMessage({ kind: "model", bytes } satisfies ToWorker);
      },
      (error) => {
        if (this.#open === open) this.#replace(error);
      },
    );
  }

  /** The Worker computes meanwhile: a new question, which is what takes time, does not wait for the store. */
  #lookUp(open: Open, question: string): void {
    open.call.known(question).then(
      (found) => {
        if (found === null || this.#open !== open) return;
        open.resolve({ kind: "found", question, found });
        this.#stopCall();
      },
      (error) => {
        if (this.#open !== open) return;
        open.reject(error);
        this.#stopCall();
      },
    );
  }
}
