import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { type BullDelivery, bullDelivery } from "../../functions/adapters/bullmq.ts";
import { connectToRedis, ioredisStorage } from "../../functions/adapters/ioredis.ts";
import { redisWakes } from "../../functions/adapters/redis_wakes.ts";
import { type DeliveredJobs, deliveredJobs } from "../../functions/jobs/delivered.ts";
import { type Job, submitted } from "../../functions/jobs/job.ts";
import { recordedJobs } from "../../functions/jobs/recorded.ts";
import type { Wakes } from "../../functions/jobs/wakes.ts";
import { type House, jobsSuite, LEASE_MS, MOST_JOBS } from "../suites/jobs.ts";
import { REDIS_SERVER, type RedisServer, redisServer } from "./servers.ts";

const ignore = REDIS_SERVER === null;
let redis: RedisServer;

Deno.test.beforeAll(async () => {
  if (ignore) return;
  redis = await redisServer();
  await redis.start();
});

Deno.test.afterAll(async () => {
  if (!ignore) await redis.close();
});

const failed = () => {};

function deliveryOf(slots: number): BullDelivery {
  return bullDelivery({ address: redis.address, slots, lockMs: 1000, stalledMs: 300, patienceMs: 100, failed });
}

/** Processes that are opened at once and connect when they are first used. */
async function house(): Promise<House> {
  await redis.flush();
  const connection: Redis = await connectToRedis(redis.address);
  const { blobs, records } = ioredisStorage(connection), storage = { blobs, records: records! };
  const processes: DeliveredJobs[] = [], deliveries: BullDelivery[] = [];
  const it: House = {
    told: [],
    failures: [],
    refuses: false,
    isDown: () => false,
    open(more) {
      const delivery = deliveryOf(MOST_JOBS);
      const process = deliveredJobs({
        jobs: recordedJobs({
          ...storage,
          now: Date.now,
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
          pollMs: 20,
          takeMs: 20,
          mostJobs: MOST_JOBS,
          closing: new AbortController().signal,
          ...more,
        }),
        delivery,
        now: Date.now,
        failed,
        leaseMs: LEASE_MS,
        backoffMs: 100,
      });
      deliveries.push(delivery);
      processes.push(process);
      return process;
    },
    async pass(ms) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      for (const process of processes) await process.sweep();
    },
    async close() {
      await Promise.all(deliveries.map((delivery) => delivery.stop()));
      await Promise.all(deliveries.map((delivery) => delivery.close(true)));
      connection.disconnect();
    },
  };
  return it;
}

jobsSuite({ name: "jobs by BullMQ", ignore, withinMs: 300, runs: 0, open: house });

function jobOf(id: string, flops: number): Job {
  return submitted(id, { flops, bytes: 1 }, null, Date.now());
}

Deno.test({
  name: "BullMQ brings cheap jobs before costly ones that came as early, and among equals who came first",
  ignore,
  async fn() {
    await redis.flush();
    const announcing = deliveryOf(0);
    for (const [id, flops] of [["costly", 1e16], ["a", 1e9], ["middle", 1e13], ["b", 1e9]] as const) {
      await announcing.announce(jobOf(id, flops));
      await announcing.announce(jobOf(id, flops)); // said again
    }
    const bringing = deliveryOf(1), order: string[] = [];
    for (let i = 0; i < 4; i++) {
      const brought = await bringing.next(AbortSignal.timeout(5000));
      order.push(brought!.id);
      brought!.done();
    }
    assert.deepEqual(order, ["a", "b", "middle", "costly"]);
    assert.equal(await bringing.next(AbortSignal.timeout(100)), null);
    for (const delivery of [announcing, bringing]) {
      await delivery.stop();
      await delivery.close();
    }
  },
});

Deno.test({
  name: "BullMQ takes back what a process has that ends: another is brought it at once",
  ignore,
  async fn() {
    await redis.flush();
    const one = deliveryOf(2);
    await one.announce(jobOf("held", 1));
    const held = await one.next(AbortSignal.timeout(5000));
    await one.announce(jobOf("waits", 1)); // is brought, and nobody asks for it
    await one.stop();
    held!.again(0);
    await one.close();
    const other = deliveryOf(2);
    const ids = [await other.next(AbortSignal.timeout(5000)), await other.next(AbortSignal.timeout(5000))].map(
      (brought) => {
        brought!.done();
        return brought!.id;
      },
    );
    assert.deepEqual(ids.sort(), ["held", "waits"]);
    await other.stop();
    await other.close();
  },
});

Deno.test({
  name: "wakes are heard by all processes over one Redis, and by oneself once",
  ignore,
  async fn() {
    const connection = await connectToRedis(redis.address);
    const [one, other] = [await redisWakes(connection), await redisWakes(connection)];
    let heard = 0;
    const count = async (wakes: Wakes) => {
      await wakes.wait("job", 5000);
      heard++;
    };
    const waiting = [count(one.wakes), count(other.wakes)];
    one.wakes.wake("job");
    await Promise.all(waiting);
    assert.equal(heard, 2);
    const start = performance.now();
    await one.wakes.wait("job", 100); // its own word comes back and is not heard
    assert.ok(performance.now() - start >= 90);
    for (const { close } of [one, other]) close();
    connection.disconnect();
  },
});
