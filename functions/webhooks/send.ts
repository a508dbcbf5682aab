/** One exchange with a receiver, as data. How the bytes travel is a platform's: `send_pinned.ts`, `send_fetch.ts`. */

export interface Message {
  readonly url: URL;
  /** The host of the URL without brackets and final dot. */
  readonly host: string;
  readonly isAddress: boolean;
  /** The only addresses that may be connected to; null where a runtime does not let one choose. */
  readonly addresses: readonly string[] | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What kind of failure kept an answer away, or cut it. */
export type FailureType = "refused" | "unresolved" | "connection" | "tls" | "timeout" | "incomplete";

export interface Failure {
  readonly type: FailureType;
  /** In words; never an address of a name. */
  readonly detail: string;
}

/** What came back. Both a status and a failure: the answer began and broke off. */
export interface Answer {
  readonly status: number | null;
  readonly failure: Failure | null;
  readonly retry_after: string | null;
  /** The first KiB of the body. */
  readonly body_start: string;
}

/** Never rejects. `signal` ends it at its deadline. */
export type Send = (message: Message, signal: AbortSignal) => Promise<Answer>;

export function failed(type: FailureType, detail: string): Answer {
  return { status: null, failure: { type, detail }, retry_after: null, body_start: "" };
}

/** Bytes of an answer that are read before the rest is cut off, and those of them that are kept. */
const READ_BYTES = 65_536;
const KEPT_BYTES = 1024;

/**
 * An answer from its status and its chunks: what is longer than 64 KiB is cut off and counts as whole.
 *
 * A body that breaks off before is `incomplete`, or `timeout` at the deadline, whatever its status was: a receiver that
 * dies while it answers may not have kept the message, and sending it again does no harm.
 */
export async function readAnswer(
  status: number,
  retryAfter: string | null,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Answer> {
  const kept: number[] = [];
  let length = 0;
  let failure: Failure | null = null;
  try {
    for await (const chunk of chunks) {
      for (const byte of chunk.subarray(0, KEPT_BYTES - kept.length)) kept.push(byte);
      length += chunk.length;
      if (length >= READ_BYTES) break;
    }
  } catch {
    failure = signal.aborted ? TIMEOUT : { type: "incomplete", detail: "the answer broke off" };
  }
  const body_start = new TextDecoder().decode(new Uint8Array(kept));
  return { status, failure, retry_after: retryAfter, body_start };
}

export const TIMEOUT: Failure = { type: "timeout", detail: "no whole answer before the deadline" };
