/** Nodes of a search that is not told how many. */
export const DEFAULT_NODES = 10_000;

/** The most nodes that one question may ask for. */
export const MOST_NODES = 1_000_000;

/**
 * The most nodes of a search that is recorded, and the numbers that its record holds at most. A number takes up to 25 bytes of
 * JSON, so a record at most 6.5 MB: an isolate of 128 MB makes it, a host that reads bodies of 16 MiB reads it. One size for
 * all hosts, as it decides where a search ends.
 */
export const MOST_RECORDED_NODES = 10_000;
export const MOST_RECORDED_NUMBERS = 2 ** 18;

/** The most time that one question may ask for: a day. */
export const MOST_TIME_MS = 86_400_000;

/** Bytes that open nodes may take where a host does not say. */
export const OPEN_BYTES = 2 ** 30;

/** A host's clock; the engine has none. */
export interface Clock {
  /** Milliseconds from any fixed moment. */
  now(): number;
  /** Awaited between rounds: lets the host's timers and messages have their turn, and a clock that stands still go on. */
  pause(): Promise<void>;
}

/** What a host has a say in. Where one of these ends a search, its answer is not reproducible. */
export interface Interruptions {
  /** Aborts: nothing is answered, the reason is thrown. */
  readonly signal?: AbortSignal;
  /** Finishes: the search stops and keeps the best bounds so far. */
  readonly finish?: AbortSignal;
  readonly clock?: Clock | null;
  /** When to stop, on that clock. */
  readonly deadline?: number;
  /** Bytes that open nodes may take (default {@link OPEN_BYTES}). */
  readonly openBytes?: number;
  /** Whether the arithmetic is done that a time limit was announced with: as if the time had passed. */
  readonly isSpent?: () => boolean;
}

/** Flops that a search is announced with for each millisecond of its time limit and each thread: more than a core does. */
export const FLOPS_A_MILLISECOND = 5e7;

/** What interrupts a search between rounds, if anything does. */
export function interruption(
  { finish, clock, deadline, openBytes = OPEN_BYTES, isSpent }: Interruptions,
  bytes: number,
): "canceled" | "time" | "memory" | null {
  if (finish?.aborted) return "canceled";
  if (deadline !== undefined && clock && clock.now() >= deadline) return "time";
  if (isSpent?.()) return "time";
  return bytes > openBytes ? "memory" : null;
}
