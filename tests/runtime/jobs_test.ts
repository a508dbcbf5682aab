/** Jobs over HTTP, through a Deno server and its own Workers. */
import assert from "node:assert/strict";
import { denoHost, type ServedDeno } from "./hosts.ts";
import {
  asked,
  canceled,
  certificateAt,
  endOf,
  events,
  EXACT,
  EXACT_TO,
  jobAt,
  type JobBody,
  longQuestion,
  type SentEvent,
  submitted,
} from "./job_requests.ts";
import { ask, expectProblem, type Issued, keepModel, REGION, verify } from "./requests.ts";

const LIPSCHITZ = { type: "lipschitz" };

async function withHost(
  play: (host: ServedDeno) => Promise<void>,
  settings: Record<string, string> = {},
): Promise<void> {
  const host = await denoHost(settings);
  try {
    await play(host);
  } finally {
    await host.close();
  }
}

/** Constants between their bounds, of which the lower one is proved again at its point. */
async function isTrue(host: ServedDeno, certificate: Issued): Promise<void> {
  const { lower, upper } = certificate.finding as unknown as { lower: number; upper: number };
  assert.ok(lower <= EXACT + EXACT_TO && EXACT - EXACT_TO <= upper, `${lower} <= ${EXACT} <= ${upper}`);
  const report = await verify(host, { certificate });
  assert.ok(report.valid, JSON.stringify(report));
}

Deno.test("Prefer: respond-async makes a job, whose certificate has the bytes of the question answered at once", async () => {
  await withHost(async (host) => {
    const digest = await keepModel(host);
    const body = { model: { digest }, region: { ...REGION, radius: 0.1 }, property: LIPSCHITZ };
    const job = await submitted(host, body);
    const done = await endOf(host, job.id);
    assert.equal(done.status, "succeeded");
    const { text, certificate } = await certificateAt(host, done.certificate_id!);
    assert.equal(certificate.question, job.id);
    await withHost(async (other) => {
      await keepModel(other);
      assert.equal((await ask(other, body)).text, text);
    });
    // From now on it is known, and nothing is to be waited for.
    const again = await asked(host, body, { prefer: "respond-async" });
    assert.equal(await again.text(), text);
    assert.deepEqual([again.status, again.headers.get("preference-applied")], [200, null]);
  });
});

Deno.test("Prefer: wait=N waits for the end, and no longer than that", async () => {
  await withHost(async (host) => {
    const short = await asked(host, await longQuestion(host, 40), { prefer: "respond-async, wait=60" });
    assert.equal(short.headers.get("preference-applied"), "respond-async, wait=60");
    assert.equal(short.status, 200);
    assert.equal((await short.json() as Issued).method.search.stopped_by, "max_nodes");
    const long = await asked(host, await longQuestion(host), { prefer: "respond-async;q=1, wait=1" });
    assert.equal(long.status, 202);
    assert.equal(long.headers.get("preference-applied"), "respond-async, wait=1");
    const job = await long.json() as JobBody;
    assert.equal(job.status, "running");
    await canceled(host, job.id);
    await endOf(host, job.id);
  });
});

Deno.test("a question that may cost more than is answered at once is a job, one below it is not", async () => {
  await withHost(async (host) => {
    const digest = await keepModel(host);
    const body = { model: { digest }, region: REGION, property: LIPSCHITZ };
    const response = await asked(host, body, {});
    assert.equal(response.status, 202);
    assert.equal(response.headers.get("preference-applied"), null);
    const { id, ...job } = await response.json() as JobBody & { estimated: { flops: number; bytes: number } };
    assert.ok(job.estimated.flops > 1e3 && job.estimated.bytes > 0);
    assert.equal((await endOf(host, id)).status, "succeeded");
    assert.equal((await asked(host, body, {})).status, 200);
    const waited = await asked(host, { ...body, property: { type: "output_bounds" } }, { prefer: "wait=60" });
    assert.deepEqual([waited.status, waited.headers.get("preference-applied")], [200, "wait=60"]);
    const { limits } = await (await host.fetch("/v1/capabilities")).json() as { limits: Record<string, number> };
    assert.equal(limits.gflop_at_once, 1e-6);
  }, { LIPCERT_GFLOP_AT_ONCE: "1e-6" });
});

Deno.test("the same question from many is one job and one computation; each is told of the same certificate", async () => {
  await withHost(async (host) => {
    const body = await longQuestion(host, 300);
    const jobs = await Promise.all(Array.from({ length: 8 }, () => submitted(host, body)));
    const [{ id }] = jobs;
    assert.ok(jobs.every((job) => job.id === id));
    const ends = await Promise.all(jobs.map(() => endOf(host, id)));
    assert.equal(new Set(ends.map(({ certificate_id }) => certificate_id)).size, 1);
    const kept = (await host.services.jobs!.get(id))!;
    assert.deepEqual([kept.status, kept.run, kept.attempt], ["succeeded", 1, 1]);
  });
});

Deno.test("events tell of a search as it goes; a client that comes again misses and repeats nothing", async () => {
  await withHost(async (host) => {
    const { id } = await submitted(host, await longQuestion(host, 12_000));
    const first: SentEvent[] = [];
    for await (const event of events(host, id)) {
      first.push(event);
      if (event.data.progress !== null) break; // the connection breaks
    }
    const last = first[first.length - 1].id;
    const rest: SentEvent[] = [];
    for await (const event of events(host, id, last)) rest.push(event);
    const all = [...first, ...rest];
    all.forEach((event, i) => assert.equal(event.id, all[0].id + i));
    assert.deepEqual(rest.map(({ event }) => event), [...rest.slice(1).map(() => "progress"), "succeeded"]);
    const end = rest[rest.length - 1];
    assert.deepEqual(end.data, await jobAt(host, id));
    let before: NonNullable<JobBody["progress"]> | null = null;
    for (const { data: { progress } } of all) {
      if (progress === null) continue;
      assert.ok(progress.lower <= EXACT + EXACT_TO && EXACT - EXACT_TO <= progress.upper, JSON.stringify(progress));
      if (before !== null) {
        assert.ok(progress.nodes >= before.nodes && progress.elapsed_ms >= before.elapsed_ms);
        assert.ok(progress.upper <= before.upper && progress.lower >= before.lower);
      }
      before = progress;
    }
    const over = await host.fetch(`/v1/jobs/${id}/events`, { headers: { "last-event-id": String(end.id) } });
    assert.equal(over.status, 204);
    const strange: SentEvent[] = [];
    for await (const event of events(host, id, 10 ** 9)) strange.push(event);
    assert.deepEqual(strange.map(({ event }) => event), ["succeeded"]);
  });
});

Deno.test("a job that is canceled keeps its best bounds in a certificate that is true, and begins anew when asked", async () => {
  await withHost(async (host) => {
    const body = await longQuestion(host), { id } = await submitted(host, body);
    for await (const { data } of events(host, id)) if (data.progress !== null) break;
    await canceled(host, id);
    const end = await endOf(host, id);
    assert.equal(end.status, "canceled");
    assert.equal(end.links.certificate, `/v1/certificates/${end.certificate_id}`);
    const { certificate } = await certificateAt(host, end.certificate_id!);
    assert.equal(certificate.method.search.stopped_by, "canceled");
    assert.equal(certificate.reproducible, false);
    await isTrue(host, certificate);
    assert.equal((await canceled(host, id)).status, "canceled"); // again: nothing changes
    assert.equal(await host.services.certificates.findByQuestion(id), null);
    const again = await submitted(host, body);
    assert.ok(again.id === id && (again.status === "queued" || again.status === "running"));
    await canceled(host, id);
    await endOf(host, id);
  });
});

Deno.test("a job that waits is canceled at once; questions are answered while jobs run", async () => {
  await withHost(async (host) => {
    const running = await submitted(host, await longQuestion(host));
    const waiting = await submitted(host, await longQuestion(host, 999_999));
    const digest = await keepModel(host);
    await ask(host, { model: { digest }, region: REGION, property: LIPSCHITZ });
    assert.equal((await canceled(host, waiting.id)).status, "canceled");
    await canceled(host, running.id);
    await endOf(host, running.id);
  });
});

Deno.test("too many jobs are 429 and say when to come again", async () => {
  await withHost(async (host) => {
    const running = await submitted(host, await longQuestion(host));
    const refused = await asked(host, await longQuestion(host, 999_999), { prefer: "respond-async" });
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    await expectProblem(refused, "too-many-requests", 429);
    await canceled(host, running.id);
    await endOf(host, running.id);
    await canceled(host, (await submitted(host, await longQuestion(host, 999_999))).id);
  }, { LIPCERT_JOBS: "1" });
});

/** How many watch a job of the host from now on. */
function countWatchers({ services }: ServedDeno): () => number {
  const jobs = services.jobs!, { watch } = jobs;
  let count = 0;
  jobs.watch = async function* (...call) {
    count++;
    try {
      yield* watch(...call);
    } finally {
      count--;
    }
  };
  return () => count;
}

Deno.test("a hundred clients watch one job, leave as they like, and leave nothing behind", async () => {
  await withHost(async (host) => {
    const { id } = await submitted(host, await longQuestion(host));
    const watching = countWatchers(host);
    const stay = Array.from({ length: 50 }, () => endOf(host, id));
    const leave = Array.from({ length: 50 }, async () => {
      for await (const { data } of events(host, id)) if (data.status === "running") return;
    });
    await Promise.all(leave);
    for (let i = 0; i < 100 && watching() > 50; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(watching(), 50);
    await canceled(host, id);
    const ends = await Promise.all(stay);
    assert.deepEqual(new Set(ends.map(({ status }) => status)), new Set(["canceled"]));
    assert.equal(watching(), 0);
  });
});

Deno.test("the same Idempotency-Key has the same answer, also where time ended a search; another question is refused", async () => {
  await withHost(async (host) => {
    const digest = await keepModel(host);
    const options = { search: { max_nodes: 100_000, time_ms: 30 } };
    const body = { model: { digest }, region: { ...REGION, radius: 0.5 }, property: LIPSCHITZ, options };
    const key = { "idempotency-key": "k1" };
    const once = await asked(host, body, key), text = await once.text();
    assert.equal(once.status, 200, text);
    assert.equal(JSON.parse(text).method.search.stopped_by, "time");
    assert.equal(await (await asked(host, body, key)).text(), text);
    const other = await asked(host, { ...body, region: REGION }, key);
    await expectProblem(other, "idempotency-mismatch", 422);
    // A job under a key stays the same also when it was canceled.
    const long = await longQuestion(host), job = await submitted(host, long, { "idempotency-key": "k2" });
    await canceled(host, job.id);
    const end = await endOf(host, job.id);
    const again = await asked(host, long, { "prefer": "respond-async", "idempotency-key": "k2" });
    if (end.certificate_id === undefined) assert.equal((await again.json() as JobBody).status, "canceled");
    else assert.equal((await again.json() as Issued).id, end.certificate_id);
  });
});

Deno.test("a host that ends lets go of those who wait", async () => {
  const host = await denoHost();
  const { id } = await submitted(host, await longQuestion(host));
  const waiting = asked(host, await longQuestion(host), { prefer: "respond-async, wait=60" });
  const seen: string[] = [];
  for await (const { event } of events(host, id)) {
    if (seen.push(event) === 1) void host.endJobs();
  }
  assert.ok(seen.every((event) => event === "progress"));
  assert.equal((await waiting).status, 202);
  assert.equal((await host.services.jobs!.get(id))!.status, "queued");
  await host.close();
});
