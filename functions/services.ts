/** The ports of the HTTP application: what it needs from a platform. Each entry builds one {@link Services} by hand. */
import type {
  Certificate,
  Evaluate,
  ModelDescription,
  QuestionRequest,
  SearchProgress,
  VerifyReport,
} from "../shared/mod.ts";

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
  /** Asked once the question is resolved; a certificate that is found ends the call. */
  readonly known: (question: string) => Promise<FoundCertificate | null>;
  /** Aborts: the question is not wanted any more, nothing is issued. */
  readonly signal?: AbortSignal;
  /** Aborts: a search ends with the best bounds so far, in a certificate. Where none is asked for nothing changes. */
  readonly finish?: AbortSignal;
  /** Hears how far a search is, now and then; not of its last round. */
  readonly onSearch?: (progress: SearchProgress) => void;
}

/** Either a certificate found under the question, or a new one that is not kept yet. */
export type CertifyResult =
  | { readonly question: string; readonly found: FoundCertificate }
  | { readonly question: string; readonly issued: KeptCertificate };

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

export interface Log {
  request(record: RequestRecord): void;
  /** A failure that no answer tells of. */
  failure(what: string, error: unknown): void;
}

/** What this host allows. */
export interface Limits {
  /** Largest body that is read. */
  readonly body_bytes: number;
  /** Arithmetic one question may cost. */
  readonly gflop: number;
  /** Memory one question may need. */
  readonly memory_bytes: number;
}

export interface Services {
  readonly certificates: CertificateStore;
  readonly models: ModelStore;
  readonly certifier: Certifier;
  readonly assets: Assets;
  readonly log: Log;
  readonly limits: Limits;
}
