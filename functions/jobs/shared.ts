/** Jobs that all nodes over one Redis share: kept in its records, brought by BullMQ, run by Workers of this process. */
import { bullDelivery } from "../adapters/bullmq.ts";
import { redisWakes } from "../adapters/redis_wakes.ts";
import type { Redis } from "ioredis";
import type { Pool } from "../certifier/pool.ts";
import type { Certifier } from "../services.ts";
import { deliveredJobs } from "./delivered.ts";
import type { EmbeddedJobsSettings, OpenJobs } from "./embedded.ts";
import { recordedJobs } from "./recorded.ts";
import { runJobs } from "./runner.ts";

export interface SharedJobsSettings extends EmbeddedJobsSettings {
  /** `redis://`, `rediss://` or the path of a socket. */
  readonly address: string;
  /** A connection to it. */
  readonly redis: Redis;
  /** How long jobs that run may take to end when the process is told to. */
  readonly graceMs: number;
}

/** How often a running job is heard of: so old its progress may be. */
const HEARTBEAT_MS = 1000;
/** A node that is this long silent is lost; the clocks of nodes differ by less. */
const LEASE_MS = 10_000;
/** How often one of the nodes looks for jobs of lost ones. */
const STALLED_MS = 2500;
const PATIENCE_MS = 1000;
const POLL_MS = 1000;
const RETRY_MS = 2000;
/** How often each node brings what the queue has lost, and tells of ends that were not told. */
const SWEEP_MS = 10_000;
/** How long Redis may take to take leave of. */
const LEAVE_MS = 5000;

export async function sharedJobs(settings: SharedJobsSettings): Promise<OpenJobs> {
  const { records, blobs, models, certificates, notifier, log, createPool, address, redis, graceMs } = settings;
  const { slots, most } = settings.settings;
  const closing = new AbortController();
  const { wakes, close: closeWakes } = await redisWakes(redis);
  const delivery = bullDelivery({
    address,
    slots,
    lockMs: LEASE_MS,
    stalledMs: STALLED_MS,
    patienceMs: PATIENCE_MS,
    failed: log.failure,
  });
  const jobs = deliveredJobs({
    jobs: recordedJobs({
      ...{ records, blobs, notifier, mostJobs: most, closing: closing.signal, wakes },
      now: Date.now,
      failed: log.failure,
      leaseMs: LEASE_MS,
      pollMs: POLL_MS,
      takeMs: SWEEP_MS,
    }),
    delivery,
    now: Date.now,
    failed: log.failure,
    leaseMs: LEASE_MS,
    backoffMs: RETRY_MS,
  });
  let pool: Pool | null = null;
  const certifier: Pick<Certifier, "certify"> = { certify: (call) => (pool ??= createPool()).certify(call) };
  const runner = runJobs({
    ...{ queue: jobs, certifier, models, certificates, log, slots },
    heartbeatMs: HEARTBEAT_MS,
    retryMs: RETRY_MS,
  });
  const sweep = () => void jobs.sweep().catch((error) => log.failure("the jobs were not looked through", error));
  const sweeping = setInterval(sweep, SWEEP_MS);
  sweep();

  async function close(): Promise<void> {
    clearInterval(sweeping);
    closing.abort();
    await within(LEAVE_MS, delivery.stop());
    await runner.close(graceMs);
    await within(LEAVE_MS, delivery.close());
    closeWakes();
    pool?.close();
  }
  let closed: Promise<void> | null = null;
  return { jobs, close: () => closed ??= close() };
}

/** Waits for what may never come: Redis may be away. What it does not hear now it notices by itself. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
