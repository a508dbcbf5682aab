/** Jobs of one process: kept in its own store, run by Workers of its own, so that no question that is served waits for them. */
import type { Pool } from "../certifier/pool.ts";
import type { CertificateStore, Certifier, Jobs, Log, ModelStore, Notifier } from "../services.ts";
import type { JobSettings } from "../settings.ts";
import type { Blobs, Records } from "../storage/port.ts";
import { recordedJobs } from "./recorded.ts";
import { runJobs } from "./runner.ts";

export interface EmbeddedJobsSettings {
  readonly records: Records;
  readonly blobs: Blobs;
  readonly models: ModelStore;
  /** Must have written a certificate when it says so. */
  readonly certificates: CertificateStore;
  readonly notifier: Notifier;
  readonly log: Log;
  readonly settings: JobSettings;
  /** The Workers, started with the first job. */
  readonly createPool: () => Pool;
}

/** The jobs of a host that is open. */
export interface OpenJobs {
  readonly jobs: Jobs;
  /** Gives back what runs, lets go of all who wait, ends the Workers. */
  close(): Promise<void>;
}

/** How often a running job is heard of: so old its progress may be. */
const HEARTBEAT_MS = 1000;
/** A process that is this long silent is gone: another, or the next one, takes its jobs. */
const LEASE_MS = 10_000;
const POLL_MS = 1000;
const TAKE_MS = 5000;
const RETRY_MS = 2000;

export function embeddedJobs(
  { records, blobs, models, certificates, notifier, log, settings, createPool }: EmbeddedJobsSettings,
): OpenJobs {
  const closing = new AbortController();
  let pool: Pool | null = null;
  const certifier: Pick<Certifier, "certify"> = { certify: (call) => (pool ??= createPool()).certify(call) };
  const jobs = recordedJobs({
    ...{ records, blobs, notifier, mostJobs: settings.most, closing: closing.signal },
    now: Date.now,
    failed: log.failure,
    leaseMs: LEASE_MS,
    pollMs: POLL_MS,
    takeMs: TAKE_MS,
  });
  const runner = runJobs({
    ...{ queue: jobs, certifier, models, certificates, log, slots: settings.slots },
    heartbeatMs: HEARTBEAT_MS,
    retryMs: RETRY_MS,
  });
  return {
    jobs,
    async close() {
      closing.abort();
      await runner.close();
      pool?.close();
    },
  };
}
