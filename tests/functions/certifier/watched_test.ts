/** Searches that a caller watches and ends, through the pool's own Workers and without them. */
import assert from "node:assert/strict";
import { inProcessCertifier } from "../../../functions/certifier/in_process.ts";
import { certifierPool } from "../../../functions/certifier/pool.ts";
import { pausingClock, TURN_MS } from "../../../functions/clock.ts";
import { createKernels } from "../../../functions/kernels.ts";
import type { Certifier, CertifyCall, KeptCertificate } from "../../../functions/services.ts";
import { type Certificate, digestOf, type SearchProgress } from "../../../shared/mod.ts";

const BYTES = await Deno.readFile(new URL("../../../functions/samples/mlp16.onnx", import.meta.url));
const DIGEST = await digestOf(BYTES);

/** Nodes that take longer than the first save does. */
const NODES = 4000;

function call(max_nodes: number, more: Partial<CertifyCall>): CertifyCall {
  return {
    digest: DIGEST,
    request: {
      region: { center: new Array(16).fill(0.5), radius: 1 },
      property: { type: "lipschitz" },
      options: { search: { max_nodes, gap: 0 } },
    },
    model: () => Promise.resolve(BYTES),
    known: () => Promise.resolve(null),
    ...more,
  };
}

async function issued(certifier: Certifier, asked: CertifyCall) {
  const result = await certifier.certify(asked);
  if (!("issued" in result)) throw new Error("it was found");
  return { kept: result.issued, certificate: certificateIn(result.issued) };
}

function certificateIn({ bytes }: KeptCertificate): Certificate {
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function searchesAreWatched(certifier: Certifier): Promise<void> {
  const enough = new AbortController(), heard: SearchProgress[] = [];
  const onSearch = (progress: SearchProgress) => {
    if (heard.push(progress) === 2) enough.abort();
  };
  const { kept, certificate } = await issued(certifier, call(100_000, { finish: enough.signal, onSearch }));
  const { search } = certificate.method, { finding } = certificate;
  assert.equal(search.stopped_by, "canceled");
  assert.deepEqual([kept.interrupted, kept.reproducible], [true, false]);
  assert.ok(heard.length >= 2);
  const [first, last] = [heard[0], heard[heard.length - 1]];
  assert.ok(first.nodes > 0 && first.open > 0 && last.nodes > first.nodes && search.nodes >= last.nodes);
  assert.ok(last.upper <= first.upper && last.lower >= first.lower && last.lower <= last.upper);
  assert.ok(finding.type === "lipschitz" && finding.upper! <= last.upper && finding.lower >= last.lower);
  const report = await certifier.verify({
    certificate,
    model: { digest: DIGEST, bytes: () => Promise.resolve(BYTES) },
  });
  assert.ok(report.valid, JSON.stringify(report.checks));
  // Who only watches gets the bytes that everybody gets.
  const [watched, alone] = [await issued(certifier, call(40, { onSearch })), await issued(certifier, call(40, {}))];
  assert.deepEqual(watched.kept, alone.kept);
  // Where nothing is searched there is nothing to end.
  const { request: { options: _, ...request }, ...plain } = call(40, { finish: AbortSignal.abort() });
  const once = await issued(certifier, { ...plain, request });
  assert.deepEqual([once.kept.reproducible, once.certificate.method.search.stopped_by], [true, "none"]);
}

Deno.test("a search in the pool's Worker reports its progress and is ended with its best bounds", async () => {
  const worker = () =>
    new Worker(new URL("../../../functions/certifier/worker.ts", import.meta.url), { type: "module" });
  const pool = certifierPool({ workers: 1, queue: 1, graceMs: 60_000, createWorker: worker });
  try {
    await searchesAreWatched(pool);
  } finally {
    pool.close();
  }
});

Deno.test("a search in this isolate reports its progress and is ended with its best bounds", async () => {
  const budget = { flops: 1e15, bytes: 2 ** 30 };
  await searchesAreWatched(
    inProcessCertifier(() => createKernels(budget.bytes), budget, 2 ** 24, pausingClock(TURN_MS)),
  );
});

Deno.test("a search in the pool's Worker is saved, and goes on from there to the same bytes", async () => {
  const worker = () =>
    new Worker(new URL("../../../functions/certifier/worker.ts", import.meta.url), { type: "module" });
  const pool = certifierPool({ workers: 1, queue: 1, graceMs: 60_000, createWorker: worker });
  try {
    const saves: Uint8Array<ArrayBuffer>[] = [], leaving = new AbortController();
    let before = 0;
    const until = call(NODES, {
      onSearch: ({ nodes }) => before = nodes,
      onCheckpoint(bytes) {
        saves.push(bytes);
        leaving.abort();
      },
      signal: leaving.signal,
    });
    await assert.rejects(() => pool.certify(until), { name: "AbortError" });
    assert.equal(saves.length, 1);
    const heard: number[] = [];
    const onSearch = ({ nodes }: SearchProgress) => void heard.push(nodes);
    const resumed = await issued(pool, call(NODES, { checkpoint: saves[0], onSearch }));
    assert.ok(heard[0] > before / 2, `went on at ${heard[0]} after ${before}`);
    const whole = await issued(pool, call(NODES, {}));
    assert.deepEqual(resumed.kept, whole.kept);
    // What is no checkpoint is refused before anything runs.
    await assert.rejects(() => pool.certify(call(NODES, { checkpoint: new Uint8Array(20) })), /Cannot read/);
  } finally {
    pool.close();
  }
});
