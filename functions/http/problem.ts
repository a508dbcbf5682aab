/** Problems as HTTP answers (RFC 9457). The one place below which nothing is caught but to add a cause. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { LipcertError, PROBLEMS, type ProblemType } from "../../shared/errors.ts";
import type { Env } from "./env.ts";

/** Types whose cause is ours: the caller gets the request id and no detail. */
const OURS: ReadonlySet<ProblemType> = new Set<ProblemType>(["internal", "kernel-failure"]);

/** Status of an answer that nobody waits for: the client went away (a convention of servers, not of a standard). */
const CLIENT_CLOSED_REQUEST = 499;

/** The answer to anything thrown by a handler. */
export function problemOf(error: unknown, c: Context<Env>): Response {
  if (error instanceof LipcertError) {
    if (PROBLEMS[error.type].status >= 500) c.set("failure", describeFailure(error));
    return problemResponse(c, error.type, error.message, error.members);
  }
  if (c.req.raw.signal?.aborted) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  if (error instanceof HTTPException && error.status < 500) {
    return problemResponse(c, "malformed-body", error.message || "Cannot read the request", {});
  }
  c.set("failure", describeFailure(error));
  return problemResponse(c, "internal", "", {});
}

/** `{type, title, status, detail, instance, request_id, …members}` with the headers that belong to the type. */
export function problemResponse(
  c: Context<Env>,
  type: ProblemType,
  detail: string,
  members: Readonly<Record<string, unknown>>,
): Response {
  const { status, title } = PROBLEMS[type];
  const requestId = c.get("requestId");
  const body = {
    ...(OURS.has(type) ? {} : members),
    type: `/problems/${type}`,
    title,
    status,
    detail: OURS.has(type) ? `Cannot answer request ${requestId}: the failure is logged under this id` : detail,
    instance: c.req.path,
    request_id: requestId,
  };
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  if (Array.isArray(members.allowed) && status === 405) headers.allow = members.allowed.join(", ");
  if (typeof members.retry_after === "number") headers["retry-after"] = String(members.retry_after);
  return c.body(JSON.stringify(body), status, headers);
}

/** A failure and its causes, for the log. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `; cause: ${describeFailure(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
