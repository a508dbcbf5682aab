/** The ports of the HTTP application: what it needs from a platform. Each entry builds one {@link Services} by hand. */
import type {
  Budget,
  Certificate,
  Evaluate,
  ModelDescription,
  Query,
  QuestionRequest,
  SearchProgress,
  VerifyReport,
} from "../shared/mod.ts";
import type { Holder, Job, JobEnd, JobProblem, JobProgress } from "./jobs/job.ts";
import type { Bytes } from "./storage/port.ts";

/** A certificate as it is kept: its canonical bytes, and what the index needs to know about it. */
export interface KeptCertificate {
  /** `sha256:<hex>`, of the body without `id`. */
  readonly id: string;
  /** `sha256:<hex>` of the resolved question: the cache key. */
  readonly question: string;
  readonly reproducible: boolean;
  /** Time, memory or a cancellation ended its search: it is kept by its id and never found by its question. */
  readonly interrupted?: boolean;
  /** The canonical JSON (RFC 8785), served byte for byte. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Certificates by id, and by the question they answer. A certificate never changes once put.
 *
 * Every method throws `store-unavailable` when the store cannot be reached.
 */
export interface CertificateStore {
  get(id: string): Promise<Uint8Array<ArrayBuffer> | null>;
  findByQuestion(question: string): Promise<FoundCertificate | null>;
  /**
   * Keeps a certificate and hands back the one that answers its question from now on.
   *
   * The first reproducible certificate of a question stays; it replaces one that is not. Of two writers at the same
   * time both get the same answer. An interrupted one answers no question: it is handed back itself.
   */
  put(certificate: KeptCertificate): Promise<FoundCertificate>;
}

/** The certificate that answers a question. */
export interface FoundCertificate {
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** ONNX files by the digest of their bytes. A model never changes; it is seen whole or not at all. */
export interface ModelStore {
  describe(digest: string): Promise<ModelDescription | null>;
  bytes(digest: string): Promise<Uint8Array<ArrayBuffer> | null>;
  put(digest: string, bytes: Uint8Array<ArrayBuffer>, description: ModelDescription): Promise<void>;
}

/** Hands the bytes of a model over when the certifier does not have it prepared; null when nobody has them. */
export type ModelSource = () => Promise<Uint8Array<ArrayBuffer> | null>;

/** A question about a model named by its digest. */
export interface CertifyCall {
  readonly digest: string;
  readonly request: QuestionRequest;
  readonly model: ModelSource;
  /** A question that may cost more is not answered but handed back, unless its certificate is found. Absent: the host's. */
  readonly ceiling?: Budget;
  /** Asked once the question is resolved; a certificate that is found ends the call. */
  readonly known: (question: string) => Promise<FoundCertificate | null>;
  /** Aborts: the question is not wanted any more, nothing is issued. */
  readonly signal?: AbortSignal;
  /** Aborts: a search ends with the best bounds so far, in a certificate. Where none is asked for nothing changes. */
  readonly finish?: AbortSignal;
  /** Hears how far a search is, now and then; not of its last round. */
  readonly onSearch?: (progress: SearchProgress) => void;
  /** From where to go on: what `onCheckpoint` heard of the same question. The certificate is the one without a stop. */
  readonly checkpoint?: Bytes;
  /** Hears of a search that lasts what is needed to go on with it, now and then, unless that is too much. */
  readonly onCheckpoint?: (checkpoint: Bytes) => void;
}

/** A certificate found under the question, a new one that is not kept yet, or a question that costs more than the ceiling. */
export type CertifyResult =
  | { readonly question: string; readonly found: FoundCertificate }
  | { readonly question: string; readonly issued: KeptCertificate }
  | { readonly question: string; readonly priced: PricedQuestion };

/** A resolved question and what it may cost. */
export interface PricedQuestion {
  readonly query: Query;
  readonly estimated: Budget;
}

/** A question that is to become a job. */
export interface JobSubmission extends PricedQuestion {
  /** The digest of the question, and so the job's id. */
  readonly question: string;
  /** Told of the end, too. */
  readonly callback: string | null;
  /** Whether a job that has succeeded is to run again: its certificate is gone. */
  readonly restart: boolean;
}

/**
 * Jobs as callers see them. Of one question there is one job.
 *
 * Every method throws `store-unavailable` when the jobs cannot be reached.
 */
export interface Jobs {
  /**
   * The job of the question: the one under way, or the one that has succeeded; else a new run of it, which is not lost any
   * more. Throws `too-many-requests` where too many wait, `invalid-query` where the job has no place for the callback.
   */
  submit(submission: JobSubmission): Promise<Job>;
  get(id: string): Promise<Job | null>;
  /**
   * The job each time something happened to it, and lastly as it has ended. `last` is the last event seen (null: none).
   * Ends early, without a word, when the job is not known or the signal aborts.
   */
  watch(id: string, last: number | null, signal: AbortSignal): AsyncIterable<Job>;
  /** Ends a job that waits; one that runs ends with its best bounds soon. Null: there is none. */
  cancel(id: string): Promise<Job | null>;
}

/** A job in a runner's hands. */
export interface TakenJob {
  readonly job: Job;
  readonly holder: Holder;
  /** Null: the store has lost it. */
  readonly query: Query | null;
  /** What an earlier runner left to go on with. */
  readonly checkpoint: Bytes | null;
}

/** The bounds of a search so far; null where there are none yet. */
export type SearchSoFar = Omit<JobProgress, "elapsed_ms">;

/** Jobs as runners see them. A runner that is not heard of for a while loses its job to another. */
export interface JobQueue {
  /** Waits for a job; null when the signal aborts. */
  take(runner: string, signal: AbortSignal): Promise<TakenJob | null>;
  /** The runner is alive. Returns the job, or null where it is the runner's no more. */
  hear(id: string, holder: Holder, search: SearchSoFar | null): Promise<Job | null>;
  /** Keeps what another runner goes on with, in place of what was kept before. */
  save(id: string, holder: Holder, checkpoint: Bytes): Promise<void>;
  /** The job waits again; `counts`: as an attempt that was made. */
  giveBack(id: string, holder: Holder, counts: boolean): Promise<void>;
  end(id: string, holder: Holder, end: JobEnd): Promise<Job | null>;
  /** Resolves when the job may have changed, after `ms`, or when the signal aborts. */
  changed(id: string, ms: number, signal: AbortSignal): Promise<void>;
}

/** The end of a job, as its callbacks are told. */
export interface JobEnded {
  readonly type: "certificate.issued" | "job.failed" | "job.canceled";
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly job_id: string;
  readonly certificate_id: string | null;
  readonly problem: JobProblem | null;
}

/** Tells those who asked to be told. */
export interface Notifier {
  /** Why this URL cannot be told, in words; null where it can. */
  refusal(url: string): string | null;
  /** Returns once the event is safe with the notifier. It may be told twice of one. */
  notify(event: JobEnded, urls: readonly string[]): Promise<void>;
}

/** Lets other hosts hand jobs to this one. */
export interface Gateway {
  /** Throws `unauthorized` for a message that no such host has signed, or that was seen before. */
  admit(headers: Headers, body: Uint8Array): Promise<void>;
}

export interface VerifyCall {
  readonly certificate: Certificate;
  /** The model to replay on, or null: then only the checks that need none are made. */
  readonly model: { readonly digest: string; readonly bytes: ModelSource } | null;
  readonly signal?: AbortSignal;
}

/** Runs the engine: in this isolate, or in a pool of Workers. Throws `LipcertError`. */
export interface Certifier {
  /** Reads a model; on a host with another runtime, also checks that it reads the same there (`model-misread`). */
  describe(digest: string, bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<ModelDescription>;
  certify(call: CertifyCall): Promise<CertifyResult>;
  verify(call: VerifyCall): Promise<VerifyReport>;
}

/** A model opened in another runtime. */
export interface OpenModel {
  readonly evaluate: Evaluate;
  close(): Promise<void>;
}

/** An independent forward pass of a model, in the model's own precision. */
export interface Evaluator {
  /** Null when the runtime refuses the model: its rules on a file's versions and unused parts differ from ours. */
  open(bytes: Uint8Array): Promise<OpenModel | null>;
}

/** The files of the API's documentation page, served from here and not from elsewhere. */
export interface Assets {
  read(name: "swagger-ui-bundle.js" | "swagger-ui.css"): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** One line of the log for each request; never a body, never a point of a question. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly request_id: string;
  /** What went wrong on our side, for statuses of 500 and more. */
  readonly error?: string;
}

/** What was answered under a client's key. */
export type IdempotentAnswer = { readonly certificate: string } | { readonly job: string };

/** Requests by the key that a client gave them, so that one that is sent again is not done again. */
export interface Idempotency {
  /**
   * Claims the key for a request with this digest and returns what was answered under it, or null.
   *
   * Throws `idempotency-mismatch` where another request has the key.
   */
  claim(key: string, request: string): Promise<IdempotentAnswer | null>;
  /** Keeps the answer, and returns the one that counts: the first. */
  keep(key: string, request: string, answer: IdempotentAnswer): Promise<IdempotentAnswer>;
}

export interface Log {
  request(record: RequestRecord): void;
  /** Something worth knowing that is no failure. */
  note(what: string, about: Readonly<Record<string, unknown>>): void;
  /** A failure that no answer tells of. */
  failure(what: string, error: unknown): void;
}

/** What this host allows. */
export interface Limits {
  /** Largest body that is read. */
  readonly body_bytes: number;
  /** Arithmetic one question may cost. */
  readonly gflop: number;
  /** Arithmetic up to which a question is answered at once, on a host that has jobs: above it is a job. */
  readonly gflop_at_once?: number;
  /** Memory one question may need. */
  readonly memory_bytes: number;
  /** Memory up to which a question is answered at once, where that is less. */
  readonly memory_bytes_at_once?: number;
}

export interface Services {
  readonly certificates: CertificateStore;
  readonly models: ModelStore;
  readonly certifier: Certifier;
  readonly assets: Assets;
  readonly log: Log;
  readonly limits: Limits;
  /** Absent where questions are answered at once or not at all. */
  readonly jobs?: Jobs;
  /** Absent where nobody can be called back. */
  readonly notifier?: Notifier;
  /** Absent where jobs come from callers only. */
  readonly gateway?: Gateway;
  /** Absent where nothing can be remembered of a request but its answer. */
  readonly idempotency?: Idempotency;
}
