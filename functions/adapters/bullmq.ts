/**
 * BullMQ brings jobs to the processes that run them: by turn, each to one, and again where its process is lost.
 *
 * A job of BullMQ is one run of a job of ours and holds its id, nothing else. It is removed when it is done. It stays with
 * a process while that renews its lock.
 */
import { DelayedError, type Job as Parcel, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Brought, Delivery } from "../jobs/delivered.ts";
import { turnOf } from "../jobs/turn.ts";
import { reconnectAfter } from "./ioredis.ts";

export interface BullDeliverySettings {
  /** `redis://`, `rediss://` or the path of a socket. */
  readonly address: string;
  /** Jobs that are brought here at the same time; 0: this process only announces. */
  readonly slots: number;
  /** Without a renewal for so long, a process is lost. */
  readonly lockMs: number;
  /** How often one of the processes looks for jobs of lost ones. */
  readonly stalledMs: number;
  /** After so long without anybody here who asks for it, a job is handed back for others. */
  readonly patienceMs: number;
  /** Hears of what no answer tells of. */
  readonly failed: (what: string, error: unknown) => void;
}

export interface BullDelivery extends Delivery {
  /** Takes nothing more, and hands back what nobody has asked for. */
  stop(): Promise<void>;
  /** After {@link stop}: disconnects, once all that was brought is done or to be brought again, or at once. */
  close(atOnce?: boolean): Promise<void>;
}

const NAME = "jobs";
const PREFIX = "lipcert:bullmq";

/** How long a job that was handed back stays away: then it goes to the process that has waited longest. */
const AWAY_MS = 50;

interface Contents {
  readonly id: string;
}

export function bullDelivery(
  { address, slots, lockMs, stalledMs, patienceMs, failed }: BullDeliverySettings,
): BullDelivery {
  const connection = new Redis(address, {
    protocol: 2,
    maxRetriesPerRequest: null, // BullMQ's condition: its commands wait for Redis
    retryStrategy: reconnectAfter,
  });
  connection.on("error", () => {}); // told by those who use it
  const ready: Brought[] = [];
  const asking: ((brought: Brought) => void)[] = [];
  let isStopping = false;

  const queue = new Queue<Contents>(NAME, {
    connection,
    prefix: PREFIX,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  queue.on("error", () => {});

  function wait(brought: Brought): void {
    ready.push(brought);
    setTimeout(() => {
      const place = ready.indexOf(brought);
      if (place >= 0) ready.splice(place, 1)[0].again(AWAY_MS);
    }, patienceMs);
  }

  function bring(parcel: Parcel<Contents>, token?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const brought: Brought = {
        id: parcel.data.id,
        done: resolve,
        again: (ms) => void parcel.moveToDelayed(Date.now() + ms, token).then(() => reject(new DelayedError()), reject),
      };
      const ask = asking.shift();
      if (isStopping) brought.again(0);
      else if (ask === undefined) wait(brought);
      else ask(brought);
    });
  }

  const worker = slots === 0 ? null : new Worker<Contents>(NAME, bring, {
    connection,
    prefix: PREFIX,
    concurrency: slots,
    lockDuration: lockMs,
    stalledInterval: stalledMs,
    maxStalledCount: 2 ** 30, // records count who was lost with a job
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  // Once for each time that Redis is away: it is tried many times a second.
  let isTold = false;
  connection.on("ready", () => isTold = false);
  worker?.on("error", (error) => {
    if (!isStopping && !isTold) failed("the queue of jobs is disturbed", error);
    isTold = true;
  });

  return {
    async announce(job) {
      const { id, run } = job;
      // BullMQ takes no colon in an id.
      await queue.add("run", { id }, { jobId: `${id.replace(":", "-")}-${run}`, priority: turnOf(job) });
    },

    next(signal) {
      if (signal.aborted) return Promise.resolve(null);
      const brought = ready.shift();
      if (brought !== undefined) return Promise.resolve(brought);
      return new Promise((resolve) => {
        const ask = (brought: Brought) => {
          signal.removeEventListener("abort", leave);
          resolve(brought);
        };
        const leave = () => {
          asking.splice(asking.indexOf(ask), 1);
          resolve(null);
        };
        signal.addEventListener("abort", leave, { once: true });
        asking.push(ask);
      });
    },

    async stop() {
      isStopping = true;
      for (const brought of ready.splice(0)) brought.again(0);
      await worker?.pause(true);
    },

    async close(atOnce = false) {
      await worker?.close(atOnce);
      await queue.close();
      connection.disconnect();
    },
  };
}
