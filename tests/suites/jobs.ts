/** What jobs promise, whatever brings them to runners. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { hasEnded, type Job } from "../../functions/jobs/job.ts";
import { MOST_ATTEMPTS } from "../../functions/jobs/recorded.ts";
import type { JobEnded, JobQueue, Jobs, JobSubmission } from "../../functions/services.ts";
import type { Query } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/mod.ts";

const SEED = 11;
const FOREVER = new AbortController().signal;
const QUERY = { model_digest: "m" } as unknown as Query;

/** How long a runner of a house may be silent. */
export const LEASE_MS = 1000;
/** Jobs that a house takes. */
export const MOST_JOBS = 4;

/** One store, and processes over it. */
export interface House {
  readonly told: { event: JobEnded; urls: readonly string[] }[];
  readonly failures: unknown[];
  /** Whether those who are told of ends refuse. */
  refuses: boolean;
  /** Whether the store is away: asked before each of its calls. */
  isDown: () => boolean;
  /** Another process over the same store. */
  open(more?: { readonly closing?: AbortSignal; readonly pollMs?: number; readonly takeMs?: number }): Jobs & JobQueue;
  /** Time goes by, and processes do what they do then. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface JobsBackend {
  readonly name: string;
  readonly ignore?: boolean;
  /** Milliseconds within which a job that may be taken is brought. */
  readonly withinMs: number;
  /** Runs of the property; 0: the store cannot be made to fail. */
  readonly runs: number;
  open(): Promise<House>;
}

export function submission(question: string, callback: string | null = null, restart = false): JobSubmission {
  return { question, query: QUERY, estimated: { flops: 1, bytes: 1 }, callback, restart };
}

export const certificate = { kind: "certificate", id: "c", canceled: false } as const;

/** Takes a job that must be there. */
export async function taken(jobs: JobQueue, runner = "r") {
  const found = await jobs.take(runner, AbortSignal.timeout(10_000));
  assert.ok(found !== null, "there is no job to take");
  return found;
}

/** A signal that aborts soon. */
export function after(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

export function jobsSuite(backend: JobsBackend): void {
  /** Whether nothing can be taken now. */
  async function isIdle(jobs: JobQueue): Promise<boolean> {
    return await jobs.take("r", after(backend.withinMs)) === null;
  }

  function test(name: string, play: (it: House) => Promise<void>): void {
    Deno.test({
      name: `${backend.name}: ${name}`,
      ignore: backend.ignore,
      async fn() {
        const it = await backend.open();
        try {
          await play(it);
        } finally {
          await it.close();
        }
      },
    });
  }

  test("the same question twice is one job, its callbacks a list, and one runner gets it", async (it) => {
    const [one, other] = [it.open(), it.open()];
    await Promise.all([one.submit(submission("q", "u1")), other.submit(submission("q", "u2"))]);
    await one.submit(submission("q", "u1"));
    assert.deepEqual([...(await one.get("q"))!.callbacks].sort(), ["u1", "u2"]);
    const found = await taken(one);
    assert.deepEqual(found.query, QUERY);
    assert.ok(await isIdle(other));
    await one.end("q", found.holder, certificate);
    assert.deepEqual(it.told.map(({ event, urls }) => [event.type, event.certificate_id, urls.length]), [
      ["certificate.issued", "c", 2],
    ]);
    const again = await other.submit(submission("q", "u3"));
    assert.deepEqual([again.status, again.run], ["succeeded", 1]);
    assert.ok(await isIdle(one));
  });

  test("a job that failed or was canceled begins anew, one that succeeded where its certificate is gone", async (it) => {
    const jobs = it.open();
    await jobs.submit(submission("q"));
    assert.equal((await jobs.cancel("q"))!.status, "canceled");
    assert.equal((await jobs.submit(submission("q"))).run, 2);
    const { holder } = await taken(jobs);
    await jobs.end("q", holder, certificate);
    assert.equal((await jobs.submit(submission("q"))).status, "succeeded");
    const anew = await jobs.submit(submission("q", null, true));
    assert.deepEqual([anew.status, anew.run], ["queued", 3]);
    assert.equal(await jobs.cancel("unknown"), null);
  });

  test("jobs are taken oldest first, by any number of runners each once", async (it) => {
    const jobs = it.open(), names = ["a", "b", "c", "d"];
    for (const name of names) await jobs.submit(submission(name));
    await assert.rejects(
      () => jobs.submit(submission("e")),
      (error) => error instanceof LipcertError && error.type === "too-many-requests",
    );
    assert.equal((await jobs.submit(submission("a"))).id, "a"); // one that is there finds its place
    assert.equal((await taken(jobs)).job.id, "a");
    const rest = await Promise.all([1, 2, 3].map((i) => taken(it.open(), `r${i}`)));
    assert.deepEqual(rest.map(({ job }) => job.id).sort(), ["b", "c", "d"]);
  });

  test("a runner that is silent loses its job, and after some the job has failed", async (it) => {
    const jobs = it.open();
    await jobs.submit(submission("q", "u"));
    const first = await taken(jobs, "r1");
    await it.pass(LEASE_MS / 2);
    assert.ok(await jobs.hear("q", first.holder, { nodes: 1, open: 1, upper: 2, lower: 1 }));
    await it.pass(LEASE_MS / 2);
    assert.ok(await isIdle(jobs)); // it was heard of
    await it.pass(LEASE_MS);
    const second = await taken(jobs, "r2");
    assert.equal(await jobs.hear("q", first.holder, null), null);
    assert.equal((await jobs.end("q", first.holder, { kind: "stopped" }))!.status, "running");
    await jobs.giveBack("q", second.holder, true);
    await it.pass(LEASE_MS);
    for (let attempt = 2; attempt < MOST_ATTEMPTS; attempt++) {
      await taken(jobs);
      await it.pass(LEASE_MS);
    }
    assert.ok(await isIdle(jobs));
    const failed = (await jobs.get("q"))!;
    assert.deepEqual([failed.status, failed.problem!.type], ["failed", "/problems/job-abandoned"]);
    assert.deepEqual(it.told.map(({ event }) => event.type), ["job.failed"]);
  });

  test("what a runner saved is handed to the next one", async (it) => {
    const [one, other] = [it.open(), it.open()], bytes = new Uint8Array(100_000).fill(7);
    await one.submit(submission("q"));
    const first = await taken(one);
    assert.equal(first.checkpoint, null);
    await one.save("q", first.holder, bytes);
    await one.giveBack("q", first.holder, false);
    const second = await taken(other);
    assert.deepEqual(second.checkpoint, bytes);
    await other.end("q", second.holder, certificate);
  });

  test("an end that was not told is told later, once the store or the notifier is back", async (it) => {
    const jobs = it.open();
    await jobs.submit(submission("q", "u"));
    const { holder } = await taken(jobs);
    it.refuses = true;
    assert.equal((await jobs.end("q", holder, certificate))!.status, "succeeded");
    assert.deepEqual([it.told.length, it.failures.length], [0, 1]);
    it.refuses = false;
    assert.ok(await isIdle(jobs));
    assert.equal(it.told.length, 0); // whoever ended it may still be telling
    await it.pass(LEASE_MS);
    assert.ok(await isIdle(jobs));
    assert.equal(it.told.length, 1);
    await it.pass(LEASE_MS);
    assert.ok(await isIdle(jobs));
    assert.equal(it.told.length, 1);
  });

  test("watch() tells of everything from the event that was seen last, and ends with the job", async (it) => {
    const [jobs, other] = [it.open(), it.open()];
    await jobs.submit(submission("q"));
    const seen: Job[] = [];
    const watching = (async () => {
      for await (const job of other.watch("q", null, FOREVER)) seen.push(job);
    })();
    const { holder } = await taken(jobs);
    await jobs.hear("q", holder, { nodes: 1, open: 1, upper: 2, lower: 1 });
    await jobs.end("q", holder, certificate);
    await watching;
    assert.ok(hasEnded(seen.at(-1)!));
    const later: Job[] = [];
    for await (const job of jobs.watch("q", 1, FOREVER)) later.push(job);
    assert.deepEqual(later.map(({ status }) => status), ["succeeded"]);
    for await (const _ of jobs.watch("unknown", null, FOREVER)) assert.fail("there is no such job");
  });

  test("watch() ends when its reader leaves and when the host ends", async (it) => {
    const closing = new AbortController(),
      jobs = it.open({ closing: closing.signal, pollMs: 60_000, takeMs: 60_000 });
    await jobs.submit(submission("q"));
    const leaving = new AbortController();
    const watch = async (signal: AbortSignal) => {
      let count = 0;
      for await (const _ of jobs.watch("q", null, signal)) count++;
      return count;
    };
    const [left, kept] = [watch(leaving.signal), watch(FOREVER)];
    await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    assert.equal(await left, 1);
    closing.abort();
    assert.equal(await kept, 1);
    assert.equal(await watch(FOREVER), 0);
    assert.equal(await jobs.take("r", AbortSignal.abort()), null);
  });

  if (backend.runs === 0) return;
  Deno.test(`${backend.name}: whatever fails when, no acknowledged job is lost and none ends twice (seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(99)), fc.integer({ min: 0, max: 30 }), async (chances, failing) => {
        const it = await backend.open(), chance = () => chances.next().value as number;
        it.isDown = () => chance() < failing;
        const processes = [it.open(), it.open()], acknowledged: string[] = [];
        const tolerant = <T>(call: Promise<T>) => call.catch(() => null);
        for (let i = 0; i < 3; i++) {
          const asked = await tolerant(processes[i % 2].submit(submission(`q${i}`, "u")));
          if (asked !== null) acknowledged.push(`q${i}`);
        }
        for (let i = 0; i < 10; i++) {
          const jobs = processes[chance() % 2], found = await tolerant(jobs.take("r", after(1)));
          if (found === null || chance() < 30) await it.pass(LEASE_MS / 3); // else its runner is lost
          else if (chance() < 20) await tolerant(jobs.giveBack(found.job.id, found.holder, false));
          else await tolerant(jobs.end(found.job.id, found.holder, certificate));
        }
        it.isDown = () => false;
        for (let i = 0; i < 20; i++) {
          await it.pass(LEASE_MS);
          const found = await processes[0].take("r", after(1));
          if (found !== null) await processes[0].end(found.job.id, found.holder, certificate);
        }
        for (const id of acknowledged) {
          const job = await processes[1].get(id);
          assert.ok(job !== null && hasEnded(job), `${id} is ${job?.status}`);
          assert.equal(job.events.filter(({ status }) => status === "succeeded" || status === "failed").length, 1);
          assert.ok(it.told.some(({ event }) => event.job_id === id), `${id} was not told`);
        }
      }),
      { seed: SEED, numRuns: backend.runs },
    );
  });
}
