/**
 * What the pool and its Workers say to each other. A Worker has one call at a time, so messages need no numbers.
 *
 * The pool starts the Worker, then opens a call; the Worker may ask for the model's bytes, says which question it answers
 * and goes on at once, tells of a search that is watched, and ends the call with one of the last five.
 */
import { LipcertError, type ProblemMembers, PROBLEMS, type ProblemType } from "../../shared/errors.ts";
import type {
  Budget,
  Certificate,
  ModelDescription,
  QuestionRequest,
  SearchProgress,
  VerifyReport,
} from "../../shared/mod.ts";
import type { KeptCertificate, PricedQuestion } from "../services.ts";

export type ToWorker =
  | { readonly kind: "start"; readonly flags: CallFlags }
  | { readonly kind: "describe"; readonly digest: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
    readonly kind: "certify";
    readonly digest: string;
    readonly request: QuestionRequest;
    /** Whether somebody hears of a search or may finish it: only then does it pause. */
    readonly watched: boolean;
    /** A question that may cost more is only priced. */
    readonly ceiling?: Budget;
    /** From where to go on. */
    readonly checkpoint?: Uint8Array<ArrayBuffer>;
    /** Whether somebody keeps checkpoints. */
    readonly saved: boolean;
  }
  | { readonly kind: "verify"; readonly certificate: Certificate; readonly digest: string | null }
  | { readonly kind: "model"; readonly bytes: Uint8Array<ArrayBuffer> | null };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "need-model" }
  | { readonly kind: "resolved"; readonly question: string }
  | { readonly kind: "progress"; readonly progress: SearchProgress }
  | { readonly kind: "checkpoint"; readonly checkpoint: Uint8Array<ArrayBuffer> }
  | { readonly kind: "described"; readonly description: ModelDescription }
  | { readonly kind: "issued"; readonly certificate: KeptCertificate }
  | { readonly kind: "priced"; readonly question: string; readonly priced: PricedQuestion }
  | { readonly kind: "verified"; readonly report: VerifyReport }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Shared memory, seen without waiting for a message: 1 at {@link STOP} or {@link FINISH} where the call under way is to end. */
export type CallFlags = Int32Array<SharedArrayBuffer>;

/** The call is not wanted any more. */
export const STOP = 0;
/** Its search is to end with the best bounds so far. */
export const FINISH = 1;

export function callFlags(): CallFlags {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** An error that can be cloned. `type` is absent when it is not a {@link LipcertError}. */
export interface Failure {
  readonly type?: string;
  readonly message: string;
  readonly stack?: string;
  readonly members?: ProblemMembers;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof LipcertError) return { type: error.type, message: error.message, members: error.members };
  if (!(error instanceof Error)) return { message: String(error) };
  return error.stack === undefined ? { message: error.message } : { message: error.message, stack: error.stack };
}

export function errorOf(failure: Failure): Error {
  if (failure.type !== undefined && Object.hasOwn(PROBLEMS, failure.type)) {
    return new LipcertError(failure.type as ProblemType, failure.message, failure.members);
  }
  const error = new Error(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
