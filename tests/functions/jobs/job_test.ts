import assert from "node:assert/strict";
import fc from "fast-check";
import { eventsAfter, MOST_EVENTS, newestId } from "../../../functions/jobs/event_log.ts";
import {
  canceled,
  ended,
  givenBack,
  hasEnded,
  heardOf,
  type Holder,
  holderOf,
  isHeld,
  type Job,
  jobProblem,
  joined,
  MOST_CALLBACKS,
  resubmitted,
  saved,
  submitted,
  taken,
} from "../../../functions/jobs/job.ts";

const SEED = 7;
const LEASE_MS = 10;
const ATTEMPTS = 3;
const COST = { flops: 1, bytes: 1 };
const ABANDONED = jobProblem("job-abandoned", { title: "t", status: 500 }, "lost");
const RULES = { leaseMs: LEASE_MS, mostAttempts: ATTEMPTS, abandoned: ABANDONED };
const SEARCH = { nodes: 4, open: 2, upper: 3, lower: 1 };

const fresh = () => submitted("q", COST, null, 0);
const take = (job: Job, runner: string, now: number) => taken(job, runner, now, RULES)!;

Deno.test("a job is queued, taken, heard of and succeeds with its certificate", () => {
  const running = take(fresh(), "a", 5);
  assert.deepEqual([running.status, running.attempt, running.started_at], ["running", 1, 5]);
  const holder = holderOf(running, "a");
  const heard = heardOf(running, holder, SEARCH, 9, LEASE_MS)!;
  assert.deepEqual(heard.progress, { ...SEARCH, elapsed_ms: 4 });
  assert.equal(heard.lease?.until, 19);
  const done = ended(heard, holder, { kind: "certificate", id: "c", canceled: false }, 12)!;
  assert.deepEqual([done.status, done.certificate_id, done.ended_at, done.lease], ["succeeded", "c", 12, null]);
  assert.deepEqual(done.events.map(({ status }) => status), ["queued", "running", "running", "succeeded"]);
});

Deno.test("heardOf() logs what changed and nothing else", () => {
  const running = take(fresh(), "a", 0), holder = holderOf(running, "a");
  const once = heardOf(running, holder, SEARCH, 1, LEASE_MS)!;
  const again = heardOf(once, holder, SEARCH, 2, LEASE_MS)!;
  assert.equal(newestId(again.events), newestId(once.events));
  assert.equal(newestId(once.events), newestId(running.events) + 1);
  assert.ok(again.lease!.until > once.lease!.until);
});

Deno.test("canceled() ends a job that waits, and asks one that runs for its best bounds", () => {
  assert.equal(canceled(fresh(), 1)!.status, "canceled");
  const asked = canceled(take(fresh(), "a", 0), 1)!, holder = holderOf(asked, "a");
  assert.deepEqual([asked.status, asked.cancel_requested], ["running", true]);
  assert.equal(canceled(asked, 2), null);
  const best = ended(asked, holder, { kind: "certificate", id: "c", canceled: true }, 3)!;
  assert.deepEqual([best.status, best.certificate_id], ["canceled", "c"]);
  const stopped = ended(asked, holder, { kind: "stopped" }, 3)!;
  assert.deepEqual([stopped.status, stopped.certificate_id], ["canceled", null]);
  // The search was over before it heard of it.
  const whole = ended(asked, holder, { kind: "certificate", id: "c", canceled: false }, 3)!;
  assert.equal(whole.status, "succeeded");
  // Its runner is gone, with what it had, or all but what it had saved.
  assert.equal(taken(asked, "b", LEASE_MS, RULES)!.status, "canceled");
  const kept = saved(asked, holder, "s")!, again = take(kept, "b", LEASE_MS);
  assert.deepEqual([again.status, again.cancel_requested], ["running", true]);
  assert.equal(givenBack(asked, holder, false, 3)!.status, "canceled");
  assert.equal(givenBack(kept, holder, false, 3)!.status, "queued");
});

Deno.test("a lease that has run out is taken by another, and the first one's word counts for a certificate only", () => {
  const first = take(fresh(), "a", 0), a = holderOf(first, "a");
  assert.equal(taken(first, "b", LEASE_MS - 1, RULES), null);
  const second = take(first, "b", LEASE_MS);
  assert.equal(second.attempt, 2);
  assert.equal(heardOf(second, a, SEARCH, 11, LEASE_MS), null);
  assert.equal(givenBack(second, a, true, 11), null);
  assert.equal(ended(second, a, { kind: "problem", problem: ABANDONED }, 11), null);
  assert.equal(ended(second, a, { kind: "stopped" }, 11), null);
  assert.equal(ended(second, a, { kind: "certificate", id: "c", canceled: false }, 11)!.status, "succeeded");
});

Deno.test("a job that is lost with every runner has failed; one that is given back by a host that ends has not", () => {
  let job = fresh(), now = 0;
  for (let i = 0; i < ATTEMPTS; i++) {
    job = take(job, "a", now);
    assert.equal(job.status, "running");
    now += LEASE_MS;
  }
  const failed = taken(job, "a", now, RULES)!;
  assert.deepEqual([failed.status, failed.problem], ["failed", ABANDONED]);
  job = fresh();
  for (let i = 0; i < 3 * ATTEMPTS; i++) {
    job = take(job, "a", now);
    job = givenBack(job, holderOf(job, "a"), false, now)!;
    assert.equal(job.status, "queued");
  }
});

Deno.test("a job that gets on may lose more runners than one that does not, and its checkpoint goes with the run", () => {
  let job = fresh(), now = 0;
  for (let i = 1; i <= 4 * ATTEMPTS; i++) {
    job = take(job, "a", now);
    assert.equal(job.status, "running");
    if (i % 2 === 0) job = saved(job, holderOf(job, "a"), `after ${i}`)!;
    now += LEASE_MS;
  }
  assert.deepEqual(job.checkpoint, { name: `after ${4 * ATTEMPTS}`, attempt: 4 * ATTEMPTS });
  assert.equal(saved(job, { ...holderOf(job, "a"), attempt: 1 }, "late"), null);
  for (let i = 0; i < ATTEMPTS; i++, now += LEASE_MS) job = take(job, "a", now);
  const failed = taken(job, "a", now, RULES)!;
  assert.deepEqual([failed.status, failed.checkpoint], ["failed", null]);
});

Deno.test("a certificate of an earlier run that was canceled does not end the run that was asked for since", () => {
  const first = canceled(take(fresh(), "a", 0), 1)!, a = holderOf(first, "a");
  const lost = taken(first, "b", LEASE_MS, RULES)!;
  const again = resubmitted(lost, COST, "u", 20)!;
  assert.deepEqual([again.status, again.run, again.attempt, again.callbacks], ["queued", 2, 0, ["u"]]);
  assert.ok(newestId(again.events) > newestId(lost.events));
  assert.equal(ended(again, a, { kind: "certificate", id: "c", canceled: true }, 21), null);
  const canceledToo = canceled(take(again, "b", 22), 23)!;
  assert.equal(ended(canceledToo, a, { kind: "certificate", id: "c", canceled: true }, 24), null);
  assert.equal(ended(again, a, { kind: "certificate", id: "c", canceled: false }, 21)!.status, "succeeded");
});

Deno.test("joined() keeps each callback once, and no more than there is place for", () => {
  let job = fresh();
  for (let i = 0; i < 2 * MOST_CALLBACKS; i++) job = joined(job, `u${i % (MOST_CALLBACKS + 3)}`) ?? job;
  assert.equal(job.callbacks.length, MOST_CALLBACKS);
  assert.equal(new Set(job.callbacks).size, MOST_CALLBACKS);
  assert.equal(joined(canceled(fresh(), 1)!, "u"), null);
});

/** Any step at all, by any of three runners, at any time, with what a runner may still believe. */
type Step = (world: World) => Job | null;

interface World {
  readonly job: Job;
  readonly now: number;
  readonly holders: readonly Holder[];
}

const runner = fc.constantFrom("a", "b", "c");
const aHolder = (pick: number, { holders }: World): Holder =>
  holders.length === 0 ? { runner: "nobody", run: 1, attempt: 1 } : holders[pick % holders.length];

const step: fc.Arbitrary<[string, Step]> = fc.oneof(
  runner.map((name): [string, Step] => ["take", ({ job, now }) => taken(job, name, now, RULES)]),
  fc.tuple(fc.nat(20), fc.nat(9)).map(([pick, nodes]): [string, Step] => [
    "hear",
    (world) => heardOf(world.job, aHolder(pick, world), { ...SEARCH, nodes }, world.now, LEASE_MS),
  ]),
  fc.nat(20).map((pick): [string, Step] => ["save", (world) => saved(world.job, aHolder(pick, world), "s")]),
  fc.tuple(fc.nat(20), fc.boolean()).map(([pick, counts]): [string, Step] => [
    "give back",
    (world) => givenBack(world.job, aHolder(pick, world), counts, world.now),
  ]),
  fc.tuple(fc.nat(20), fc.boolean()).map(([pick, isCanceled]): [string, Step] => [
    "certificate",
    (world) =>
      ended(world.job, aHolder(pick, world), { kind: "certificate", id: "c", canceled: isCanceled }, world.now),
  ]),
  fc.tuple(fc.nat(20), fc.boolean()).map(([pick, stopped]): [string, Step] => [
    "no certificate",
    (world) =>
      ended(
        world.job,
        aHolder(pick, world),
        stopped ? { kind: "stopped" } : { kind: "problem", problem: ABANDONED },
        world.now,
      ),
  ]),
  fc.constant<[string, Step]>(["cancel", ({ job, now }) => canceled(job, now)]),
  fc.nat(30).map((u): [string, Step] => ["join", ({ job }) => joined(job, `u${u}`)]),
  fc.constant<[string, Step]>(["ask again", ({ job, now }) => resubmitted(job, COST, null, now)]),
);

Deno.test(`every sequence of steps keeps a job whole (seed ${SEED})`, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(2 * LEASE_MS)), { maxLength: 60 }), (steps) => {
      let world: World = { job: fresh(), now: 0, holders: [] };
      for (const [[name, take], ms] of steps) {
        const { job } = world, now = world.now + ms;
        const before = structuredClone(job), next = take({ ...world, now });
        assert.deepEqual(job, before); // a step changes nothing in place
        world = { ...world, now };
        if (next === null) continue;
        check(job, next, name);
        seen.add(`${job.status} > ${next.status}`);
        const holders = next.attempt > job.attempt
          ? [...world.holders, holderOf(next, next.lease!.runner)]
          : world.holders;
        world = { job: next, now, holders };
      }
      // From wherever it is, a job comes to its end once runners are there and do their work.
      let { job, now } = world;
      for (let i = 0; i < 4 && !hasEnded(job); i++) {
        now += LEASE_MS;
        job = taken(job, "d", now, RULES) ?? job;
        job = ended(job, holderOf(job, "d"), { kind: "certificate", id: "c", canceled: false }, now) ?? job;
      }
      assert.ok(hasEnded(job));
    }),
    { seed: SEED, numRuns: 3000 },
  );
  for (const wanted of ["running > queued", "running > canceled", "running > failed", "canceled > queued"]) {
    assert.ok(seen.has(wanted), `${wanted}: ${[...seen].join(", ")}`);
  }
});

function check(before: Job, after: Job, name: string): void {
  if (hasEnded(before)) assert.equal(name, "ask again", `${before.status} took the step "${name}"`);
  assert.equal(after.id, before.id);
  assert.equal(after.run, before.run + (name === "ask again" ? 1 : 0));
  assert.ok(after.attempt - (after.checkpoint?.attempt ?? 0) <= ATTEMPTS);
  if (hasEnded(after) || name === "ask again") assert.equal(after.checkpoint, null);
  else if (name !== "save") assert.deepEqual(after.checkpoint, before.checkpoint);
  assert.equal(after.lease !== null, after.status === "running");
  assert.equal(after.ended_at !== null, hasEnded(after));
  assert.equal(after.problem !== null, after.status === "failed");
  if (after.status === "succeeded") assert.equal(after.certificate_id, "c");
  if (after.certificate_id !== null) assert.ok(hasEnded(after));
  if (after.status === "canceled") assert.ok(before.cancel_requested || before.status === "queued");
  if (name === "certificate" && !hasEnded(before)) assert.ok(hasEnded(after));
  assert.ok(new Set(after.callbacks).size === after.callbacks.length && after.callbacks.length <= MOST_CALLBACKS);
  if (name !== "ask again") { for (const url of before.callbacks) assert.ok(after.callbacks.includes(url)); }
  assert.ok(after.events.length <= MOST_EVENTS);
  after.events.forEach(({ id }, i) => assert.equal(id, after.events[0].id + i));
  assert.ok(newestId(after.events) - newestId(before.events) <= 1);
  if (after.status !== before.status) assert.equal(newestId(after.events), newestId(before.events) + 1);
  assert.equal(after.events.at(-1)!.status, after.status);
  assert.deepEqual(after.events.at(-1)!.progress, after.progress);
}

Deno.test("eventsAfter() goes on where a reader was, and begins with the newest", () => {
  let job = take(fresh(), "a", 0);
  const holder = holderOf(job, "a");
  for (let nodes = 1; nodes <= 2 * MOST_EVENTS; nodes++) job = heardOf(job, holder, { ...SEARCH, nodes }, 0, LEASE_MS)!;
  const newest = newestId(job.events);
  const ids = (last: number | null) => eventsAfter(job.events, last).map(({ id }) => id);
  assert.deepEqual(ids(null), [newest]);
  assert.deepEqual(ids(newest), []);
  assert.deepEqual(ids(newest - 2), [newest - 1, newest]);
  assert.deepEqual(ids(newest + 1), [newest]); // of a job that was forgotten meanwhile
  assert.equal(ids(1).length, MOST_EVENTS); // the rest is gone, and what is there says all
  assert.ok(isHeld(job, holder));
});
