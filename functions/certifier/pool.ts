/** The certifier of a host with threads: each question has a Worker to itself, so that serving never waits for it. */
import { LipcertError } from "../../shared/errors.ts";
import type { Certifier, CertifyCall, VerifyCall } from "../services.ts";
import type { ToWorker } from "./messages.ts";
import { Seat, type SeatCall, type SeatResult } from "./seat.ts";

export interface PoolSettings {
  readonly workers: number;
  /** Questions that may wait for a Worker; one more is `too-many-requests`. */
  readonly queue: number;
  readonly createWorker: () => Worker;
  /** How long a call that is not wanted any more may take to stop before its Worker is replaced. */
  readonly graceMs: number;
}

/** Seconds after which a caller that was turned away may try again. */
const RETRY_AFTER = 2;

interface Waiting {
  readonly start: (seat: Seat) => void;
  readonly refuse: (reason: unknown) => void;
}

export interface Pool extends Certifier {
  /** Ends all Workers; calls under way are rejected. */
  close(): void;
}

/**
 * Warm Workers, the last used first (it is the likeliest to have the model prepared), and a bounded queue.
 *
 * A call whose signal aborts leaves the queue, or is stopped where it is. One that is to finish keeps its place: its search
 * ends once it has begun.
 */
export function certifierPool(settings: PoolSettings): Pool {
  const seats = Array.from({ length: settings.workers }, () => new Seat(settings.createWorker, settings.graceMs));
  const idle = [...seats];
  const waiting = new Set<Waiting>();

  function release(seat: Seat): void {
    const [next] = waiting;
    if (next === undefined) {
      idle.push(seat);
      return;
    }
    waiting.delete(next);
    next.start(seat);
  }

  function acquire(signal: AbortSignal | undefined): Promise<Seat> {
    const seat = idle.pop();
    if (seat !== undefined) return Promise.resolve(seat);
    if (waiting.size >= settings.queue) {
      throw new LipcertError("too-many-requests", `Cannot take the question: ${settings.queue} are waiting already`, {
        retry_after: RETRY_AFTER,
      });
    }
    return new Promise((start, refuse) => {
      const entry = { start, refuse };
      waiting.add(entry);
      signal?.addEventListener("abort", () => {
        if (waiting.delete(entry)) refuse(signal.reason);
      }, { once: true });
    });
  }

  async function run(call: SeatCall, signal: AbortSignal | undefined): Promise<SeatResult> {
    signal?.throwIfAborted();
    const seat = await acquire(signal);
    if (signal?.aborted) {
      release(seat);
      throw signal.reason;
    }
    const { result, free } = seat.run(call, signal);
    void free.then(() => release(seat));
    return await result;
  }

  return {
    async describe(digest, bytes, signal) {
      const opening = { kind: "describe", digest, bytes } as const;
      const last = await run({ opening, model: () => Promise.resolve(bytes), known: nothing }, signal);
      if (last.kind === "described") return last.description;
      throw unexpected(last.kind);
    },
    async certify({ digest, request, ceiling, checkpoint, model, known, signal, ...heard }: CertifyCall) {
      const { finish, onSearch, onCheckpoint } = heard;
      const watched = finish !== undefined || onSearch !== undefined, saved = onCheckpoint !== undefined;
      const opening: ToWorker = {
        ...{ kind: "certify", digest, request, watched, saved },
        ...(ceiling && { ceiling }),
        ...(checkpoint && { checkpoint }),
      };
      const last = await run({ opening, model, known, ...heard }, signal);
      if (last.kind === "issued") return { question: last.certificate.question, issued: last.certificate };
      if (last.kind === "priced") return { question: last.question, priced: last.priced };
      if (last.kind === "found") return { question: last.question, found: last.found };
      throw unexpected(last.kind);
    },
    async verify({ certificate, model, signal }: VerifyCall) {
      const opening = { kind: "verify", certificate, digest: model?.digest ?? null } as const;
      const last = await run({ opening, model: model?.bytes ?? nothing, known: nothing }, signal);
      if (last.kind === "verified") return last.report;
      throw unexpected(last.kind);
    },
    close() {
      for (const entry of waiting) entry.refuse(new Error("the certifier is closed"));
      waiting.clear();
      for (const seat of seats) seat.close();
    },
  };
}

const nothing = () => Promise.resolve(null);

function unexpected(kind: string): Error {
  return new Error(`the Worker ended its call with "${kind}"`);
}
