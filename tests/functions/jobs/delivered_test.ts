import assert from "node:assert/strict";
import { type Brought, type DeliveredJobs, deliveredJobs, type Delivery } from "../../../functions/jobs/delivered.ts";
import type { JobQueue, Jobs } from "../../../functions/services.ts";
import { certificate, jobsSuite, LEASE_MS, submission, taken } from "../../suites/jobs.ts";
import { type FakeHouse, fakeHouse } from "./fake_house.ts";

const BACKOFF_MS = 100;

/** A queue of all processes: what is announced once is brought to one of them at a time. */
interface FakeQueue {
  /** By what it is announced as: when it may be brought; null: it is with a process. */
  readonly parcels: Map<string, { readonly id: string; at: number | null }>;
  delivery(now: () => number): Delivery;
}

function fakeQueue(): FakeQueue {
  const parcels: FakeQueue["parcels"] = new Map();
  return {
    parcels,
    delivery: (now) => ({
      announce({ id, run }) {
        const name = `${id}-${run}`;
        if (!parcels.has(name)) parcels.set(name, { id, at: 0 });
        return Promise.resolve();
      },
      async next(signal): Promise<Brought | null> {
        while (!signal.aborted) {
          for (const [name, parcel] of parcels) {
            if (parcel.at === null || parcel.at > now()) continue;
            parcel.at = null;
            return {
              id: parcel.id,
              done: () => void parcels.delete(name),
              again: (ms) => void (parcel.at = now() + ms),
            };
          }
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return null;
      },
    }),
  };
}

interface Delivered extends FakeHouse {
  readonly queue: FakeQueue;
}

function house(): Delivered {
  const queue = fakeQueue(), processes: DeliveredJobs[] = [];
  const deliver = (
    jobs: Parameters<NonNullable<Parameters<typeof fakeHouse>[0]>>[0],
    it: FakeHouse,
  ): Jobs & JobQueue => {
    const process = deliveredJobs({
      jobs,
      delivery: queue.delivery(() => it.time),
      now: () => it.time,
      failed: (_, error) => void it.failures.push(error),
      leaseMs: LEASE_MS,
      backoffMs: BACKOFF_MS,
    });
    processes.push(process);
    return process;
  };
  const it = fakeHouse(deliver, async () => {
    for (const process of processes) await process.sweep().catch(() => {});
  });
  return Object.assign(it, { queue });
}

jobsSuite({ name: "delivered jobs", runs: 60, withinMs: 20, open: () => Promise.resolve(house()) });

Deno.test("delivered jobs: what the queue has lost is brought again", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q"));
  it.queue.parcels.clear();
  await it.pass(1);
  const { holder } = await taken(jobs);
  it.queue.parcels.clear();
  await jobs.end("q", holder, certificate);
  await it.pass(LEASE_MS);
  assert.equal(it.queue.parcels.size, 0); // what has ended is not brought
});

Deno.test("delivered jobs: what is brought too early or twice waits for its runner, and is dropped when it has ended", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q"));
  const { holder } = await taken(jobs);
  it.queue.parcels.set("q-again", { id: "q", at: 0 });
  assert.equal(await jobs.take("other", AbortSignal.timeout(10)), null);
  assert.equal(it.queue.parcels.get("q-again")?.at, LEASE_MS);
  await jobs.end("q", holder, certificate);
  assert.ok(!it.queue.parcels.has("q-1"));
  await it.pass(LEASE_MS);
  assert.equal(await jobs.take("other", AbortSignal.timeout(10)), null);
  assert.equal(it.queue.parcels.size, 0);
});

Deno.test("delivered jobs: an attempt that failed comes again later each time, one of a host that ends at once", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q"));
  await jobs.giveBack("q", (await taken(jobs)).holder, false);
  assert.equal(it.queue.parcels.get("q-1")?.at, 0);
  await jobs.giveBack("q", (await taken(jobs)).holder, true);
  assert.equal(it.queue.parcels.get("q-1")?.at, BACKOFF_MS);
  await it.pass(BACKOFF_MS);
  await jobs.giveBack("q", (await taken(jobs)).holder, true);
  assert.equal(it.queue.parcels.get("q-1")?.at, 3 * BACKOFF_MS);
});

Deno.test("delivered jobs: a runner that hears of its job while it ends or is given back does not hold it back", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q", "u"));
  const again = await taken(jobs);
  const back = jobs.giveBack("q", again.holder, false);
  for (let i = 0; i < 20; i++) await jobs.hear("q", again.holder, null);
  await back;
  assert.equal(it.queue.parcels.get("q-1")?.at, 0);
  const { holder } = await taken(jobs);
  const ending = jobs.end("q", holder, certificate);
  for (let i = 0; i < 20; i++) await jobs.hear("q", holder, null);
  await ending;
  assert.equal(it.queue.parcels.size, 0);
});

Deno.test("delivered jobs: an end that the store did not take is told again, and the job stays with its runner", async () => {
  const it = house(), jobs = it.open();
  await jobs.submit(submission("q"));
  const { holder } = await taken(jobs);
  it.isDown = () => true;
  await assert.rejects(() => jobs.end("q", holder, certificate));
  assert.equal(it.queue.parcels.get("q-1")?.at, null);
  it.isDown = () => false;
  await jobs.end("q", holder, certificate);
  assert.equal(it.queue.parcels.size, 0);
});
