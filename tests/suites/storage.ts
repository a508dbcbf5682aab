/** What the contracts of storage share: how a backend is opened, and tests that may have to be skipped. */
import type { Blobs, Records } from "../../functions/storage/port.ts";

export interface Opened<T> {
  /** Several clients of the same storage, empty at first; at least one. */
  readonly clients: readonly T[];
  /** Lets this much time pass on the backend's clock. */
  pass(ms: number): Promise<void>;
  close(): void | Promise<void>;
}

export interface Backend {
  readonly name: string;
  /** The backend is not on this machine; whoever says so prints why. */
  readonly ignore?: boolean;
  /** A backend that keeps resources of its own between tests. */
  readonly keepsResources?: boolean;
}

export interface BlobBackend extends Backend {
  open(): Promise<Opened<Blobs>>;
}

export interface RecordBackend extends Backend {
  open(): Promise<Opened<Records>>;
}

/** Registers `body` as a test over an empty backend. */
export function testOver<T>(
  { name, ignore = false, keepsResources = false, open }: Backend & { open(): Promise<Opened<T>> },
  fact: string,
  body: (opened: Opened<T>) => Promise<void>,
): void {
  Deno.test({
    name: `${name} ${fact}`,
    ignore,
    sanitizeOps: !keepsResources,
    sanitizeResources: !keepsResources,
    async fn() {
      const opened = await open();
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    },
  });
}

/** Client `i` of as many as there are, round and round. */
export function clientOf<T>({ clients }: Opened<T>, i: number): T {
  return clients[i % clients.length];
}

/** A clock that stands still until it is told. */
export function standingClock(): { now: () => number; pass: (ms: number) => Promise<void> } {
  let time = 1_700_000_000_000;
  return {
    now: () => time,
    pass(ms) {
      time += ms;
      return Promise.resolve();
    },
  };
}

/** The backend's own clock. */
export function realTime(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A lifetime long enough to look at the value first, short enough to wait for. */
export const LIFETIME_MS = 2000;
