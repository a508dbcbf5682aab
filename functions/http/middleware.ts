/** What happens around every request: an id, headers for browsers, one line of the log. */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import type { Log } from "../services.ts";
import type { Env } from "./env.ts";

/** Pages hold no script but those served from here, and the API's answers hold none at all. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self' 'unsafe-inline'";

/** Swagger UI has its script and style here, its icons in `data:` addresses. */
export const DOCS_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; " +
  "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

export const identify: MiddlewareHandler<Env> = requestId();

/** Nothing here depends on cookies, so any origin may ask. */
export const shareWithOrigins: MiddlewareHandler<Env> = cors({
  origin: "*",
  allowMethods: ["GET", "HEAD", "POST"],
  allowHeaders: ["Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "X-Request-Id"],
  exposeHeaders: [
    "ETag",
    "Content-Location",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "Server-Timing",
    "X-Request-Id",
  ],
  maxAge: 86400,
});

export const secure: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", CONTENT_SECURITY_POLICY);
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  headers.set("cross-origin-resource-policy", "cross-origin");
  headers.set("strict-transport-security", "max-age=15552000");
};

/** One line a request, after its answer is made. */
export function logRequests(log: Log): MiddlewareHandler<Env> {
  return async (c, next) => {
    const start = performance.now();
    await next();
    const failure = c.get("failure");
    log.request({
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round((performance.now() - start) * 1000) / 1000,
      request_id: c.get("requestId"),
      ...(failure === undefined ? {} : { error: failure }),
    });
  };
}
