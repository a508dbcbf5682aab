/** One attempt to hand a message to its receiver: data in, data out. */
import { checkAddresses, type Resolve } from "./resolve.ts";
import { retryAfterSeconds } from "./schedule.ts";
import { type Answer, failed, type Failure, type Send, TIMEOUT } from "./send.ts";
import { signedHeaders } from "./sign.ts";
import { type Target, targetOf, type TargetRules } from "./target.ts";

/** What is to be delivered: the same in every attempt. */
export interface Delivery {
  /** Goes into `webhook-id`; a receiver knows a message again by it. Visible ASCII without a full stop. */
  readonly id: string;
  readonly url: string;
  /** The body, byte for byte what is signed. */
  readonly body: string;
  /** `whsec_` or `whsk_` texts; each signs. */
  readonly keys: readonly string[];
}

/** How a platform delivers. */
export interface DeliverySettings {
  readonly rules: TargetRules;
  /** Null where a runtime resolves by itself and no resolver is configured. */
  readonly resolve: Resolve | null;
  readonly send: Send;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For the whole attempt, name and body included; 20 s unless told. */
  readonly timeoutMs?: number;
}

/**
 * What follows from an attempt: nothing more is to be done (`delivered`); the receiver wants no more messages (`gone`);
 * another attempt would end the same (`failed`: a redirect, or a URL that must not be called); try later (`retry`).
 */
export type Outcome = "delivered" | "gone" | "failed" | "retry";

/** One line of the delivery log. */
export interface Attempt {
  /** RFC 3339, in UTC. */
  readonly started: string;
  readonly took_ms: number;
  readonly outcome: Outcome;
  /** Null where no answer began. */
  readonly status: number | null;
  /** Null where an answer came whole. */
  readonly error: Failure | null;
  /** The first KiB of the answer's body. */
  readonly body_start: string;
  /** Seconds that the receiver asked for. */
  readonly retry_after_s: number | null;
}

const TIMEOUT_MS = 20_000;

/**
 * Makes one attempt. Addresses are checked every time: what a name leads to may have changed.
 *
 * Throws: `RangeError` for an id or a key that cannot sign
 */
export async function deliver(delivery: Delivery, settings: DeliverySettings): Promise<Attempt> {
  const now = settings.now();
  const clock = performance.now();
  const body = new TextEncoder().encode(delivery.body);
  const headers = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": "lipcert",
    ...await signedHeaders(delivery.id, Math.floor(now / 1000), body, delivery.keys),
  };
  const target = targetOf(delivery.url, settings.rules);
  const answer = "refused" in target
    ? failed("refused", target.refused)
    : await exchange(target, headers, body, settings);
  return {
    started: new Date(now).toISOString(),
    took_ms: Math.round(performance.now() - clock),
    outcome: outcomeOf(answer),
    status: answer.status,
    error: answer.failure,
    body_start: answer.body_start,
    retry_after_s: retryAfterSeconds(answer.retry_after, settings.now()),
  };
}

async function exchange(
  target: Target,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer>,
  { rules, resolve, send, timeoutMs = TIMEOUT_MS }: DeliverySettings,
): Promise<Answer> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    const found = await addressesOf(target, rules, resolve, deadline.signal);
    if (found !== null && "failure" in found) return found;
    return await send({ ...target, addresses: found, headers, body }, deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The checked addresses of a target; null where nobody here resolves names. */
async function addressesOf(
  { host, isAddress }: Target,
  rules: TargetRules,
  resolve: Resolve | null,
  signal: AbortSignal,
): Promise<readonly string[] | null | Answer> {
  if (isAddress) return [host];
  if (resolve === null) return null;
  let addresses: string[];
  try {
    addresses = await resolve(host, signal);
  } catch {
    return signal.aborted ? failed(TIMEOUT.type, TIMEOUT.detail) : failed("unresolved", "no name server answered");
  }
  if (addresses.length === 0) return failed("unresolved", "its name has no address");
  const checked = checkAddresses(addresses, rules.networks);
  return "refused" in checked ? failed("refused", checked.refused) : checked.addresses;
}

function outcomeOf({ status, failure }: Answer): Outcome {
  if (failure !== null) return failure.type === "refused" ? "failed" : "retry";
  if (status === null) return "retry";
  if (status >= 200 && status < 300) return "delivered";
  if (status === 410) return "gone";
  return status >= 300 && status < 400 ? "failed" : "retry";
}
