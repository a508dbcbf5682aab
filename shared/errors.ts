/** The closed set of problems a caller can meet; each has a page at `/problems/<type>`. */
export const PROBLEMS = {
  "malformed-body": { status: 400, title: "The body cannot be parsed" },
  "unauthorized": { status: 401, title: "Authentication is required" },
  "forbidden": { status: 403, title: "This is not yours to use" },
  "not-found": { status: 404, title: "There is nothing here" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "payload-too-large": { status: 413, title: "The body is too large" },
  "model-too-large": { status: 413, title: "The model is too large" },
  "unsupported-media-type": { status: 415, title: "The media type is not supported" },
  "invalid-query": { status: 422, title: "The question is not valid" },
  "unsupported-option": { status: 422, title: "The option is not supported by this version" },
  "idempotency-mismatch": { status: 422, title: "The idempotency key belongs to another request" },
  "over-budget": { status: 422, title: "The question costs more than this host may spend" },
  "unreadable-model": { status: 422, title: "The model cannot be read" },
  "unsupported-operator": { status: 422, title: "The model uses an operator that is not supported" },
  "unsupported-attribute": { status: 422, title: "The model uses an operator in a form that is not supported" },
  "shape-mismatch": { status: 422, title: "Shapes do not fit together" },
  "empty-region": { status: 422, title: "The region is empty" },
  "too-many-requests": { status: 429, title: "Too many requests" },
  "model-misread": { status: 500, title: "Our reading of the model disagrees with the reference runtime" },
  "kernel-failure": { status: 500, title: "A computation failed" },
  "job-abandoned": { status: 500, title: "The job could not be finished" },
  "internal": { status: 500, title: "Something went wrong on our side" },
  "queue-unavailable": { status: 503, title: "The queue of jobs cannot be reached" },
  "store-unavailable": { status: 503, title: "The store cannot be reached" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemType = keyof typeof PROBLEMS;

/** One wrong place in a body: a JSON pointer (RFC 6901) and what is wrong there. */
export interface PointedMessage {
  readonly pointer: string;
  readonly message: string;
}

/** Members of the problem body beside the standard ones: `errors`, `node`, `operator`, `supported`, figures. */
export type ProblemMembers = Readonly<Record<string, unknown>> & { readonly errors?: readonly PointedMessage[] };

/**
 * The one error class that crosses module borders; `functions/http/problem.ts` turns it into RFC 9457.
 *
 * A programmer's mistake inside `shared/` throws `RangeError` or `TypeError` instead and becomes `internal`.
 */
export class LipcertError extends Error {
  override readonly name = "LipcertError";
  readonly type: ProblemType;
  readonly members: ProblemMembers;

  constructor(type: ProblemType, detail: string, members: ProblemMembers = {}, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.type = type;
    this.members = members;
  }
}

/** An `invalid-query` problem that points at one place of the body. */
export function invalidQuery(pointer: string, message: string): LipcertError {
  return new LipcertError("invalid-query", `Cannot read question: ${message}`, { errors: [{ pointer, message }] });
}
