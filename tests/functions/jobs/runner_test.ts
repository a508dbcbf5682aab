import assert from "node:assert/strict";
import type { Job } from "../../../functions/jobs/job.ts";
import { recordedJobs } from "../../../functions/jobs/recorded.ts";
import { runJobs, type Runner } from "../../../functions/jobs/runner.ts";
import type {
  CertificateStore,
  CertifyCall,
  CertifyResult,
  KeptCertificate,
  ModelStore,
} from "../../../functions/services.ts";
import { LipcertError, type Query, questionOf } from "../../../shared/mod.ts";
import { fakeStore } from "./fake_records.ts";

const SEARCHED = { model_digest: "m", options: { search: { max_nodes: 9, gap: 0 } } } as unknown as Query;
const ONE_PASS = { model_digest: "m", options: {} } as unknown as Query;

/** A certifier that does as it is told, a call after the other. */
type Answer = (call: CertifyCall) => Promise<CertifyResult>;

interface Scene {
  readonly jobs: ReturnType<typeof recordedJobs>;
  readonly runner: Runner;
  readonly kept: Map<string, KeptCertificate>;
  readonly failures: string[];
  isDown: boolean;
  calls: number;
  /** The job once it has ended. */
  ended(id: string): Promise<Job>;
}

async function scene(answers: Answer[], play: (scene: Scene) => Promise<void>): Promise<void> {
  const store = fakeStore(), closing = new AbortController(), failures: string[] = [];
  const kept = new Map<string, KeptCertificate>();
  const jobs = recordedJobs({
    ...store,
    now: Date.now,
    notifier: { refusal: () => null, notify: () => Promise.resolve() },
    failed: (what) => void failures.push(what),
    leaseMs: 60_000,
    pollMs: 5,
    takeMs: 5,
    mostJobs: 9,
    closing: closing.signal,
  });
  const certificates: CertificateStore = {
    get: (id) => Promise.resolve(kept.get(id)?.bytes ?? null),
    findByQuestion: () => Promise.resolve(null),
    put(certificate) {
      if (it.isDown) return Promise.reject(new LipcertError("store-unavailable", "down"));
      kept.set(certificate.id, certificate);
      return Promise.resolve(certificate);
    },
  };
  const runner = runJobs({
    queue: jobs,
    certifier: { certify: (call) => answers[Math.min(it.calls++, answers.length - 1)](call) },
    models: { bytes: () => Promise.resolve(new Uint8Array(0)) } as unknown as ModelStore,
    certificates,
    log: { failure: (what) => void failures.push(what) },
    slots: 1,
    heartbeatMs: 5,
    retryMs: 5,
  });
  const it: Scene = {
    ...{ jobs, runner, kept, failures, isDown: false, calls: 0 },
    async ended(id) {
      let last: Job | null = null;
      for await (const job of jobs.watch(id, null, AbortSignal.timeout(5000))) last = job;
      assert.ok(last !== null && last.ended_at !== null, `${id} is ${last?.status}`);
      return last;
    },
  };
  store.isDown = () => it.isDown;
  try {
    await play(it);
  } finally {
    it.isDown = false;
    closing.abort();
    await runner.close();
  }
}

const ask = (query: Query) => ({
  ...{ question: "q", query, estimated: { flops: 1, bytes: 1 }, callback: null, restart: false },
});

function issued(interrupted = false): CertifyResult {
  const certificate = { id: "c", question: "q", reproducible: !interrupted, interrupted, bytes: new Uint8Array(1) };
  return { question: "q", issued: certificate };
}

const answering: Answer = () => Promise.resolve(issued());

/** Searches until it is told to finish, or stopped. */
const searching: Answer = ({ signal, finish, onSearch }) =>
  new Promise((resolve, reject) => {
    onSearch?.({ nodes: 3, open: 2, rounds: 1, upper: Infinity, lower: 1 });
    finish!.addEventListener("abort", () => resolve(issued(true)));
    signal!.addEventListener("abort", () => reject(signal!.reason));
  });

Deno.test("runJobs() answers a job and keeps the certificate before the job has ended", async () => {
  await scene([answering], async ({ jobs, kept, ended }) => {
    await jobs.submit(ask(ONE_PASS));
    assert.equal((await ended("q")).certificate_id, "c");
    assert.ok(kept.has("c"));
  });
});

Deno.test("runJobs() tells how far a search is, and keeps its best bounds when it is canceled", async () => {
  await scene([searching], async ({ jobs, kept, ended }) => {
    await jobs.submit(ask(SEARCHED));
    for await (const { progress } of jobs.watch("q", null, AbortSignal.timeout(5000))) {
      if (progress === null) continue;
      assert.deepEqual({ ...progress, elapsed_ms: 0 }, { nodes: 3, open: 2, upper: null, lower: 1, elapsed_ms: 0 });
      break;
    }
    assert.equal((await jobs.cancel("q"))!.status, "running");
    const job = await ended("q");
    assert.deepEqual([job.status, job.certificate_id], ["canceled", "c"]);
    assert.ok(kept.has("c"));
  });
});

Deno.test("runJobs() stops a question of one pass when it is canceled, and there is nothing to keep", async () => {
  await scene([searching, answering], async ({ jobs, ended }) => {
    await jobs.submit(ask(ONE_PASS));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await jobs.cancel("q");
    const job = await ended("q");
    assert.deepEqual([job.status, job.certificate_id], ["canceled", null]);
    await jobs.submit(ask(ONE_PASS)); // and the runner goes on
    assert.equal((await ended("q")).status, "succeeded");
  });
});

Deno.test("runJobs() fails a job with the problem of its question, and with no detail of a defect", async () => {
  const refusing: Answer = () => Promise.reject(new LipcertError("over-budget", "too much", { allowed: 1 }));
  const defective: Answer = () => Promise.reject(new TypeError("secret"));
  await scene([refusing, defective, answering], async ({ jobs, ended, failures }) => {
    await jobs.submit(ask(ONE_PASS));
    const { problem } = await ended("q");
    assert.deepEqual([problem!.type, problem!.status, problem!.detail, problem!.allowed], [
      "/problems/over-budget",
      422,
      "too much",
      1,
    ]);
    assert.deepEqual(failures, []);
    await jobs.submit(ask(ONE_PASS));
    const defect = (await ended("q")).problem!;
    assert.equal(defect.type, "/problems/internal");
    assert.ok(!JSON.stringify(defect).includes("secret"));
    assert.equal(failures.length, 1);
    await jobs.submit(ask(ONE_PASS));
    assert.equal((await ended("q")).status, "succeeded");
  });
});

Deno.test("runJobs() waits for a store that is away, and does not compute again", async () => {
  await scene([answering], async (it) => {
    await it.jobs.submit(ask(ONE_PASS));
    it.isDown = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    it.isDown = false;
    assert.equal((await it.ended("q")).status, "succeeded");
    assert.equal(it.calls, 1);
    assert.ok(it.failures.length > 0);
  });
});

Deno.test("runJobs() tries a job again whose model could not be fetched", async () => {
  const cut: Answer = () => Promise.reject(new LipcertError("store-unavailable", "away"));
  await scene([cut, cut, answering], async (it) => {
    await it.jobs.submit(ask(ONE_PASS));
    const job = await it.ended("q");
    assert.deepEqual([job.status, job.attempt, it.calls], ["succeeded", 3, 3]);
  });
});

Deno.test("runJobs() hands on what was saved, unless another engine saved it", async () => {
  const saving: Answer = (call) => {
    call.onCheckpoint?.(new Uint8Array([7]));
    return searching(call);
  };
  const ours = await questionOf(SEARCHED), checkpoints: (Uint8Array | undefined)[] = [];
  const resuming: Answer = (call) => {
    checkpoints.push(call.checkpoint);
    return answering(call);
  };
  for (const question of [ours, "q"]) {
    await scene([saving, resuming], async ({ jobs, ended }) => {
      await jobs.submit({ ...ask(SEARCHED), question });
      for (let job: Job | null = null; !job?.checkpoint; job = await jobs.get(question)) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      // Another runner has it while this one is not heard of.
      const lost = (await jobs.get(question))!;
      await jobs.giveBack(question, { runner: lost.lease!.runner, run: lost.run, attempt: lost.attempt }, false);
      assert.equal((await ended(question)).status, "succeeded");
    });
  }
  assert.deepEqual(checkpoints, [new Uint8Array([7]), undefined]);
});

Deno.test("runJobs() gives back what runs when its host ends, and the job is not to blame", async () => {
  await scene([searching], async ({ jobs, runner }) => {
    await jobs.submit(ask(SEARCHED));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await runner.close();
    const job = (await jobs.get("q"))!;
    assert.deepEqual([job.status, job.attempt, job.lease], ["queued", 0, null]);
  });
});
