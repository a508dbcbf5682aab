/** When a message is sent again. Source of the delays: Standard Webhooks 1.0, "Deliverability and reliability". */

const MINUTE = 60;
const HOUR = 3600;

/** Seconds from the end of one attempt to the next; the first is made at once. */
export const DELAYS_S: readonly number[] = [
  ...[0, 5, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
];

/** A delay is drawn out by up to this part of it, so that what failed together does not come back together. */
const JITTER = 0.2;

/** The longest that a receiver may ask us to wait. */
const MAX_RETRY_AFTER_S = 24 * HOUR;

/**
 * Seconds to wait before an attempt, or null when all were made.
 *
 * `attempt` counts from 0; `random` is in [0, 1). A receiver may ask for more time (`Retry-After`), not for less, and
 * for a day at most.
 */
export function delayBefore(attempt: number, random: number, retryAfterS: number | null = null): number | null {
  if (attempt >= DELAYS_S.length) return null;
  const planned = DELAYS_S[attempt] * (1 + JITTER * random);
  return Math.max(planned, Math.min(retryAfterS ?? 0, MAX_RETRY_AFTER_S));
}

/**
 * Seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3): a number of them or a date; null for anything else.
 *
 * `now` in milliseconds since 1970.
 */
export function retryAfterSeconds(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d{1,10}$/.test(value)) return Number(value);
  const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000);
}
