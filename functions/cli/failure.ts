/** How a command ends: its exit code, and a problem as the HTTP API would word it. */
import { LipcertError, PROBLEMS } from "../../shared/errors.ts";

export const EXIT = {
  certified: 0,
  refuted: 1,
  unknown: 2,
  badInput: 3,
  stopped: 4,
  failed: 5,
} as const;

export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** The exit codes as the help lists them, for the words of one command. */
export function describeExits(yes: string, no: string): string {
  return `Exit codes: ${EXIT.certified} ${yes}, ${EXIT.refuted} ${no}, ${EXIT.unknown} unknown, ` +
    `${EXIT.badInput} bad input, ${EXIT.stopped} over budget or out of time, ${EXIT.failed} a failure of ours.
A problem is told on stderr as problem+json (RFC 9457), with what is wrong, where, and what is supported.`;
}

export function exitOf(error: unknown): ExitCode {
  if (!(error instanceof LipcertError)) return EXIT.failed;
  if (error.type === "over-budget") return EXIT.stopped;
  return PROBLEMS[error.type].status < 500 ? EXIT.badInput : EXIT.failed;
}

/** The problem+json of an error; a failure of ours comes with its stack. */
export function problemText(error: unknown): string {
  if (error instanceof LipcertError) {
    const { type, message, members } = error;
    const { title, status } = PROBLEMS[type];
    return `${JSON.stringify({ ...members, type: `/problems/${type}`, title, status, detail: message }, null, 2)}\n`;
  }
  const { title, status } = PROBLEMS.internal;
  const detail = error instanceof Error ? error.stack ?? error.message : String(error);
  return `${JSON.stringify({ type: "/problems/internal", title, status, detail }, null, 2)}\n`;
}
