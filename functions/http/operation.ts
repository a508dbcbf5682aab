/** Routes and their documentation in one stroke; which methods a path has; what is said to the others. */
import { createRoute, type OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { Handler } from "hono";
import { LipcertError } from "../../shared/errors.ts";
import type { Env } from "./env.ts";

export type App = OpenAPIHono<Env>;

/** Mounts the handler and puts the route into the document; a path reads `/v1/models/{digest}`. */
export function operation(app: App, route: RouteConfig & { method: "get" | "post" }, handler: Handler<Env>): void {
  app.openAPIRegistry.registerPath(createRoute(route));
  app.on(route.method.toUpperCase(), route.path.replaceAll(/\{(\w+)\}/g, ":$1"), handler);
}

/**
 * The problem of a request that met no route: `method-not-allowed` with the methods the path has, else `not-found`.
 */
export function noRoute(app: App, method: string, path: string): LipcertError {
  const allowed = app.routes
    .filter((route) => route.method !== "ALL" && patternOf(route.path).test(path))
    .flatMap((route) => route.method === "GET" ? ["GET", "HEAD"] : [route.method]);
  if (allowed.length === 0) {
    return new LipcertError("not-found", `Cannot find ${path}`, { what: "page" });
  }
  return new LipcertError("method-not-allowed", `Cannot ${method} ${path}: it takes ${allowed.join(", ")}`, {
    allowed: [...new Set([...allowed, "OPTIONS"])],
  });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}$`);
}
