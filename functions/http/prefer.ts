/** `Prefer` (RFC 7240): whether a caller would rather have a job than wait, and how long it would wait. */

export interface Preference {
  readonly respondAsync: boolean;
  /** Seconds; null where none are named. */
  readonly wait: number | null;
}

/** The longest that anybody is kept waiting for a job, in seconds. */
export const MOST_WAIT_S = 60;

/** What is not understood is left out, as the RFC has it; of a preference named twice the first counts. */
export function preferenceOf(header: string | undefined): Preference {
  const named = new Map<string, string>();
  // A quoted word may hold commas and semicolons; no preference that is known here has one.
  for (const item of (header ?? "").replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').split(",")) {
    const [token, value = ""] = item.split(";", 1)[0].split("=", 2).map((part) => part.trim());
    if (!named.has(token.toLowerCase())) named.set(token.toLowerCase(), value);
  }
  const wait = named.get("wait");
  return {
    respondAsync: named.get("respond-async") === "",
    wait: wait !== undefined && /^\d+$/.test(wait) ? Math.min(Number(wait), MOST_WAIT_S) : null,
  };
}

/** `Preference-Applied` of an answer. */
export function preferenceApplied({ respondAsync, wait }: Preference): string | null {
  const applied = [...(respondAsync ? ["respond-async"] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  return applied.length === 0 ? null : applied.join(", ");
}
