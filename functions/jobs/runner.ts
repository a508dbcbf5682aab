/** Runs jobs: takes them from a queue, some at a time, and answers them with a certifier. */
import { LipcertError, PROBLEMS, questionOf } from "../../shared/mod.ts";
import type { CertificateStore, Certifier, JobQueue, Log, ModelStore, SearchSoFar, TakenJob } from "../services.ts";
import { type JobEnd, type JobProblem, jobProblem } from "./job.ts";

export interface RunnerSettings {
  readonly queue: JobQueue;
  readonly certifier: Pick<Certifier, "certify">;
  readonly models: ModelStore;
  /** Must have written a certificate when it says so: the job names it then. */
  readonly certificates: CertificateStore;
  readonly log: Pick<Log, "failure">;
  /** Jobs that run at the same time. */
  readonly slots: number;
  /** How often the queue hears of a job that runs. */
  readonly heartbeatMs: number;
  /** How long to wait after a failure of the store before the next attempt. */
  readonly retryMs: number;
}

export interface Runner {
  /** Takes nothing more, gives back what still runs after `graceMs`, and resolves when nothing does any more. */
  close(graceMs?: number): Promise<void>;
}

/** Why a job was stopped. */
type Stop = "closing" | "canceled" | "lost";

export function runJobs(settings: RunnerSettings): Runner {
  const { queue, log, slots, retryMs } = settings;
  const name = crypto.randomUUID();
  const leaving = new AbortController(), closing = new AbortController();

  /** Waits, but not for a host that ends. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (closing.signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        closing.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      closing.signal.addEventListener("abort", done, { once: true });
    });
  }

  async function work(): Promise<void> {
    while (!leaving.signal.aborted) {
      try {
        const job = await queue.take(name, leaving.signal);
        if (job !== null) await runJob(job, settings, closing.signal, pause);
      } catch (error) {
        log.failure("the queue of jobs failed", error);
        await pause(retryMs);
      }
    }
  }

  const working = Promise.all(Array.from({ length: slots }, work));
  return {
    async close(graceMs = 0) {
      leaving.abort();
      const timer = setTimeout(() => closing.abort(), graceMs);
      if (graceMs === 0) closing.abort();
      await working;
      clearTimeout(timer);
    },
  };
}

async function runJob(
  { job: { id }, holder, query, checkpoint }: TakenJob,
  { queue, certifier, models, certificates, log, heartbeatMs, retryMs }: RunnerSettings,
  closing: AbortSignal,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const stop = new AbortController(), finish = new AbortController(), over = new AbortController();
  const close = () => stop.abort("closing" satisfies Stop);
  closing.addEventListener("abort", close, { once: true });
  if (closing.aborted) close();
  let search: SearchSoFar | null = null, saving: Promise<void> | null = null;

  /** Tells the queue that the job is alive, and hears whether it is to end. */
  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      try {
        const job = await queue.hear(id, holder, search);
        if (over.signal.aborted) return;
        if (job === null) stop.abort("lost" satisfies Stop);
        else if (job.cancel_requested && query?.options.search) finish.abort();
        else if (job.cancel_requested) stop.abort("canceled" satisfies Stop); // one pass has nothing to show halfway
      } catch (error) {
        log.failure("the queue did not hear of a job", error);
      }
      await queue.changed(id, heartbeatMs, over.signal);
    }
  }

  async function answer(): Promise<JobEnd> {
    if (query === null) {
      const detail = `Cannot find the question of job ${id}`;
      return { kind: "problem", problem: jobProblem("not-found", PROBLEMS["not-found"], detail) };
    }
    const digest = query.model_digest;
    // Another engine's question has another digest: what it left is of no use to this one.
    const isOurs = checkpoint !== null && await questionOf(query) === id;
    const result = await certifier.certify({
      digest,
      request: query,
      model: () => models.bytes(digest),
      known: (question) => certificates.findByQuestion(question),
      signal: stop.signal,
      finish: finish.signal,
      ...(isOurs && { checkpoint }),
      onCheckpoint(bytes) {
        saving ??= queue.save(id, holder, bytes)
          .catch((error) => log.failure("a checkpoint was not kept", error))
          .finally(() => saving = null);
      },
      onSearch({ nodes, open, upper, lower }) {
        search = { nodes, open, upper: finite(upper), lower: finite(lower) };
      },
    });
    if ("priced" in result) throw new Error("a question without a ceiling was only priced");
    if ("found" in result) return { kind: "certificate", id: result.found.id, canceled: false };
    const { issued } = result;
    const kept = await persist(() => certificates.put(issued));
    return { kind: "certificate", id: kept.id, canceled: finish.signal.aborted && issued.interrupted === true };
  }

  /** What was computed is not given up for a store that fails for a while. */
  async function persist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (closing.aborted) throw error;
        log.failure("the end of a job was not written", error);
        await pause(retryMs);
      }
    }
  }

  const beating = beat();
  try {
    const end = await answer();
    await persist(() => queue.end(id, holder, end));
  } catch (error) {
    const why = stop.signal.reason as Stop | undefined;
    if (why === "lost") return;
    if (why === "canceled") await persist(() => queue.end(id, holder, { kind: "stopped" }));
    else if (why === "closing" || closing.aborted) await queue.giveBack(id, holder, false);
    else if (error instanceof LipcertError && MAY_PASS.has(error.type)) {
      log.failure("a job is tried again", error);
      await pause(retryMs);
      await persist(() => queue.giveBack(id, holder, true));
    } else {
      const problem = problemFor(error, id);
      if (problem.status >= 500) log.failure(`job ${id} failed`, error);
      await persist(() => queue.end(id, holder, { kind: "problem", problem }));
    }
  } finally {
    closing.removeEventListener("abort", close);
    over.abort();
    await Promise.all([beating, saving]);
  }
}

/** Failures of what is around the job. */
const MAY_PASS: ReadonlySet<string> = new Set(["store-unavailable", "too-many-requests"]);

/** Failures on our side are told of in the log only. */
function problemFor(error: unknown, id: string): JobProblem {
  const type = error instanceof LipcertError ? error.type : "internal", { status } = PROBLEMS[type];
  if (error instanceof LipcertError && (status < 500 || type === "model-misread")) {
    return jobProblem(type, PROBLEMS[type], error.message, error.members);
  }
  return jobProblem(type, PROBLEMS[type], `Cannot finish the job: the failure is logged under ${id}`);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
