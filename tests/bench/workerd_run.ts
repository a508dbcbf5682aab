/** A Worker run in workerd by wrangler's harness: how long it takes to start and how its memory grows. */
import type { TestHarnessOptions } from "wrangler";
import { descendantsNamed, memoryOf, startedAt } from "./processes.ts";

export type WorkerInput = NonNullable<TestHarnessOptions["workers"]>[number];

export type Fetch = (
  path: string,
  init?: { readonly method: string; readonly headers: Record<string, string>; readonly body: string },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

export interface WorkerdRun {
  /** From the call of the harness, and from the start of its processes, to the first answer; seconds. */
  readonly harness_s: number;
  readonly workerd_s: number;
  /** The first request, once the harness listens. */
  readonly first_answer_ms: number;
  /** What `body` took. */
  readonly body_ms: number;
  /** Resident bytes of the workerd process around `body`. */
  readonly resident_before: number;
  readonly resident_after: number;
  readonly resident_peak: number;
}

/** Starts the Worker, asks for `path`, runs `body` and stops everything. */
export async function runInWorkerd(
  worker: WorkerInput,
  path: string,
  body: (fetch: Fetch) => Promise<void>,
): Promise<WorkerdRun> {
  const { createTestHarness } = await import("wrangler"); // loading it is no part of the start
  const begun = performance.now();
  const harness = createTestHarness({ root: new URL("../../", import.meta.url).pathname, workers: [worker] });
  try {
    await harness.listen();
    const listening = performance.now();
    const first = await harness.fetch(path);
    await first.text();
    const answered = performance.now(), now = Date.now();
    if (first.status !== 200) throw new Error(`Cannot measure the Worker: ${path} is answered ${first.status}`);
    const processes = descendantsNamed(Deno.pid, "workerd");
    const before = processes.map(memoryOf);
    const asked = performance.now();
    await body(async (path, init) => await harness.fetch(path, init));
    const bodyMs = performance.now() - asked;
    const after = processes.map(memoryOf);
    // The harness runs a proxy in a workerd of its own: ours is the one that grew most.
    const growth = after.map(({ peak }, p) => peak - before[p].resident);
    const ours = growth.indexOf(Math.max(...growth));
    return {
      harness_s: (answered - begun) / 1000,
      workerd_s: (now - Math.min(...processes.map(startedAt))) / 1000,
      first_answer_ms: answered - listening,
      body_ms: bodyMs,
      resident_before: before[ours].resident,
      resident_after: after[ours].resident,
      resident_peak: after[ours].peak,
    };
  } finally {
    await harness.close();
  }
}
