import assert from "node:assert/strict";
import fc from "fast-check";
import { hasEnded, type Job } from "../../../functions/jobs/job.ts";
import { MOST_ATTEMPTS, recordedJobs, type RecordedJobsSettings } from "../../../functions/jobs/recorded.ts";
import type { JobEnded, JobSubmission } from "../../../functions/services.ts";
import type { Query } from "../../../shared/mod.ts";
import { LipcertError } from "../../../shared/mod.ts";
import { dyingWith, type FakeStore, fakeStore } from "./fake_records.ts";

const SEED = 11;
const LEASE_MS = 1000;
const FOREVER = new AbortController().signal;
const QUERY = { model_digest: "m" } as unknown as Query;

interface House {
  readonly store: FakeStore;
  readonly told: { event: JobEnded; urls: readonly string[] }[];
  readonly failures: unknown[];
  time: number;
  refuses: boolean;
  /** Another process over the same store. */
  open(more?: Partial<RecordedJobsSettings>): ReturnType<typeof recordedJobs>;
}

function house(): House {
  const store = fakeStore();
  const it: House = {
    store,
    told: [],
    failures: [],
    time: 0,
    refuses: false,
    open: (more) =>
      recordedJobs({
        ...store,
        now: () => it.time,
        notifier: {
          refusal: () => null,
          notify(event, urls) {
            if (it.refuses) return Promise.reject(new Error("refused"));
            it.told.push({ event, urls });
            return Promise.resolve();
          },
        },
        failed: (_, error) => void it.failures.push(error),
        leaseMs: LEASE_MS,
        pollMs: 5,
        takeMs: 5,
        mostJobs: 4,
        closing: FOREVER,
        ...more,
      }),
  };
  return it;
}

function submission(question: string, callback: string | null = null, restart = false): JobSubmission {
  return { question, query: QUERY, estimated: { flops: 1, bytes: 1 }, callback, restart };
}

const soon = () => AbortSignal.abort();
const certificate = { kind: "certificate", id: "c", canceled: false } as const;

/** Takes a job that must be there. */
async function taken(jobs: ReturnType<typeof recordedJobs>, runner = "r") {
  const found = await jobs.take(runner, AbortSignal.timeout(1000));
  assert.ok(found !== null, "there is no job to take");
  return found;
}

/** Whether nothing can be taken now. */
async function isIdle(jobs: ReturnType<typeof recordedJobs>): Promise<boolean> {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  return await jobs.take("r", controller.signal) === null;
}

Deno.test("the same question twice is one job, its callbacks a list, and one runner gets it", async () => {
  const it = house(), [one, other] = [it.open(), it.open()];
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

Deno.test("a job that failed or was canceled begins anew, one that succeeded where its certificate is gone", async () => {
  const it = house(), jobs = it.open();
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

Deno.test("jobs are taken oldest first, by any number of runners each once", async () => {
  const it = house(), jobs = it.open(), names = ["a", "b", "c", "d"];
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

Deno.test("a runner that is silent loses its job, and after some the job has failed", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q", "u"));
  const first = await taken(jobs, "r1");
  it.time += LEASE_MS / 2;
  assert.ok(await jobs.hear("q", first.holder, { nodes: 1, open: 1, upper: 2, lower: 1 }));
  it.time += LEASE_MS / 2;
  assert.ok(await isIdle(jobs)); // it was heard of
  it.time += LEASE_MS;
  const second = await taken(jobs, "r2");
  assert.equal(await jobs.hear("q", first.holder, null), null);
  assert.equal((await jobs.end("q", first.holder, { kind: "stopped" }))!.status, "running");
  await jobs.giveBack("q", second.holder, true);
  for (let attempt = 2; attempt < MOST_ATTEMPTS; attempt++) {
    await taken(jobs);
    it.time += LEASE_MS;
  }
  assert.ok(await isIdle(jobs));
  const failed = (await jobs.get("q"))!;
  assert.deepEqual([failed.status, failed.problem!.type], ["failed", "/problems/job-abandoned"]);
  assert.deepEqual(it.told.map(({ event }) => event.type), ["job.failed"]);
});

Deno.test("an end that was not told is told later, once the store or the notifier is back", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q", "u"));
  const { holder } = await taken(jobs);
  it.refuses = true;
  assert.equal((await jobs.end("q", holder, certificate))!.status, "succeeded");
  assert.deepEqual([it.told.length, it.failures.length], [0, 1]);
  it.refuses = false;
  assert.ok(await isIdle(jobs));
  assert.equal(it.told.length, 0); // whoever ended it may still be telling
  it.time += LEASE_MS;
  assert.ok(await isIdle(jobs));
  assert.equal(it.told.length, 1);
  it.time += LEASE_MS;
  assert.ok(await isIdle(jobs));
  assert.equal(it.told.length, 1);
});

Deno.test("watch() tells of everything from the event that was seen last, and ends with the job", async () => {
  const it = house(), [jobs, other] = [it.open(), it.open()];
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

Deno.test("watch() ends when its reader leaves and when the host ends", async () => {
  const it = house(),
    closing = new AbortController(),
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
  assert.equal(await jobs.take("r", soon()), null);
});

Deno.test("wherever a process dies, an acknowledged job ends once, is told of, and leaves the board", async () => {
  let isWhole = false;
  for (let last = 1; !isWhole; last++) {
    assert.ok(last < 100, "a process that submits, takes and ends a job makes fewer calls");
    for (const isMade of [false, true]) {
      const it = house(), dying = dyingWith(it.store, last, isMade), one = it.open(dying);
      let acknowledged = false;
      const life = async () => {
        await one.submit(submission("q", "u"));
        acknowledged = true;
        const { holder } = await taken(one);
        await one.hear("q", holder, { nodes: 1, open: 1, upper: 2, lower: 1 });
        await one.end("q", holder, certificate);
      };
      await life().catch(() => {});
      isWhole = !dying.isDead();
      const other = it.open();
      if (!acknowledged) await other.submit(submission("q", "u"));
      for (let i = 0; i < 3; i++) {
        it.time += LEASE_MS;
        const signal = new AbortController();
        setTimeout(() => signal.abort(), 2);
        const found = await other.take("r", signal.signal);
        if (found !== null) await other.end("q", found.holder, certificate);
      }
      const job = await other.get("q"), what = `call ${last}, ${isMade ? "made" : "not made"}: ${JSON.stringify(job)}`;
      assert.equal(job?.status, "succeeded", what);
      assert.equal(job.events.filter(({ status }) => status === "succeeded").length, 1, what);
      assert.ok(it.told.length >= 1 && it.told.length <= 2, what);
      assert.equal(new TextDecoder().decode((await it.store.records.get("jobs/board"))!.bytes), "[]", what);
    }
  }
});

Deno.test(`whatever fails when, no acknowledged job is lost and none ends twice (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(99)), fc.integer({ min: 0, max: 30 }), async (chances, failing) => {
      const it = house(), chance = () => chances.next().value as number;
      it.store.isDown = () => chance() < failing;
      const processes = [it.open(), it.open()], acknowledged: string[] = [];
      const tolerant = <T>(call: Promise<T>) => call.catch(() => null);
      for (let i = 0; i < 3; i++) {
        const asked = await tolerant(processes[i % 2].submit(submission(`q${i}`, "u")));
        if (asked !== null) acknowledged.push(`q${i}`);
      }
      for (let i = 0; i < 10; i++) {
        const signal = new AbortController(), jobs = processes[chance() % 2];
        setTimeout(() => signal.abort(), 1);
        const found = await tolerant(jobs.take("r", signal.signal));
        if (found === null || chance() < 30) it.time += LEASE_MS / 3; // else its runner is lost
        else if (chance() < 20) await tolerant(jobs.giveBack(found.job.id, found.holder, false));
        else await tolerant(jobs.end(found.job.id, found.holder, certificate));
      }
      it.store.isDown = () => false;
      for (let i = 0; i < 20; i++) {
        it.time += LEASE_MS;
        const signal = new AbortController();
        setTimeout(() => signal.abort(), 1);
        const found = await processes[0].take("r", signal.signal);
        if (found !== null) await processes[0].end(found.job.id, found.holder, certificate);
      }
      for (const id of acknowledged) {
        const job = await processes[1].get(id);
        assert.ok(job !== null && hasEnded(job), `${id} is ${job?.status}`);
        assert.equal(job.events.filter(({ status }) => status === "succeeded" || status === "failed").length, 1);
        assert.ok(it.told.some(({ event }) => event.job_id === id), `${id} was not told`);
      }
    }),
    { seed: SEED, numRuns: 60 },
  );
});
