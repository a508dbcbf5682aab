/** Values against schemas: what does not fit becomes one problem that points at every place. */
import type { z } from "@hono/zod-openapi";
import { LipcertError, type PointedMessage } from "../../shared/errors.ts";

type Issue = z.core.$ZodIssue;

/** An option that a later version has: named where it is asked for, so that the caller learns what is missing. */
export interface LaterOption {
  /** Path of the member, e.g. ["options", "search"]. */
  readonly path: readonly string[];
  /** The value that is not supported yet; absent when no value is. */
  readonly value?: string;
}

const MOST_ERRORS = 20;

/**
 * The value, checked.
 *
 * Throws `unsupported-option` when an option of a later version is asked for, else `invalid-query` with a JSON pointer
 * and a message for each wrong place (the first {@link MOST_ERRORS}).
 */
export function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  later: readonly LaterOption[] = [],
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const asked = later.filter((option) => asks(value, option));
  if (asked.length > 0) {
    const errors = asked.map(({ path }) => ({ pointer: pointerOf(path), message: "not supported by this version" }));
    const options = asked.map(({ path, value }) =>
      value === undefined ? path.join(".") : `${path.join(".")} "${value}"`
    );
    throw new LipcertError(
      "unsupported-option",
      `Cannot answer: option ${options.join(", ")} is not supported by this version, see /v1/capabilities`,
      { errors, options },
    );
  }
  const errors = result.error.issues.flatMap((issue) => flatten(issue, value, [])).slice(0, MOST_ERRORS);
  throw new LipcertError("invalid-query", `Cannot read body: ${errors[0].message} at "${errors[0].pointer}"`, {
    errors,
  });
}

function asks(value: unknown, option: LaterOption): boolean {
  let at: unknown = value;
  for (const name of option.path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return false;
    at = (at as Record<string, unknown>)[name];
  }
  return option.value === undefined || at === option.value;
}

/** The places of an issue; of a union, those of the alternative that fits best. */
function flatten(issue: Issue, root: unknown, base: readonly PropertyKey[]): PointedMessage[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), message: "unknown member" }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const best = issue.errors.reduce((a, b) => misfit(b) < misfit(a) ? b : a);
    return best.flatMap((inner) => flatten(inner, root, path));
  }
  return [{
    pointer: pointerOf(path),
    message: isMissing(root, path) ? "missing" : issue.message.replace("Invalid input: ", ""),
  }];
}

/** How far a value is from an alternative of a union: members that it lacks or that are unknown count most. */
function misfit(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? 100 * issue.keys.length : 1), 0);
}

function isMissing(root: unknown, path: readonly PropertyKey[]): boolean {
  if (path.length === 0) return false;
  let at: unknown = root;
  for (const name of path) {
    if (typeof at !== "object" || at === null) return false;
    at = (at as Record<PropertyKey, unknown>)[name];
  }
  return at === undefined;
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
