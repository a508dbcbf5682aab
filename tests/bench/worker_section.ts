/** The Worker: size of its bundle, start-up, memory of one question of 784-256-256-256-10 in workerd. */
import { createKernels } from "../../functions/kernels.ts";
import { certify } from "../../shared/mod.ts";
import { buildWorker } from "./worker_bundle.ts";
import { descendantsNamed, memoryOf, startedAt } from "./processes.ts";
import { openQuestion, readReference } from "./questions.ts";
import { againstTarget, figure, type Section } from "./report.ts";

const MIB = 2 ** 20;
const MODEL = "mnist_mlp_256x3", RADIUS = 0.004;
const CONFIG = new URL("../../wrangler.toml", import.meta.url);
const ROOT = new URL("../../", import.meta.url).pathname;

export async function workerSection(): Promise<Section> {
  const folder = await Deno.makeTempDir();
  try {
    const bundle = await buildWorker(folder);
    const run = await runWorker(folder);
    const peakBytes = await kernelPeak();
    const figures = { bundle, ...run, kernels_peak_bytes: peakBytes };
    const rows = [
      ["bundle, gzip, MB", figure(bundle.gzipBytes / 1e6), againstTarget(bundle.gzipBytes / 1e6, 1)],
      ["start: harness to first answer, s", figure(run.harness_s), againstTarget(run.harness_s, 1)],
      ["start: workerd processes to first answer, s", figure(run.workerd_s), againstTarget(run.workerd_s, 1)],
      ["first answer once listening, ms", figure(run.first_answer_ms), ""],
      [`first certificate of ${MODEL}, radius ${RADIUS}, ms`, figure(run.question_ms), ""],
      ["workerd resident before the question, MiB", figure(run.resident_before / MIB), ""],
      ["workerd resident after it, MiB", figure(run.resident_after / MIB), ""],
      ["workerd resident at most (everything), MiB", figure(run.resident_peak / MIB), ""],
      [
        "growth of resident memory by the question, MiB",
        figure((run.resident_peak - run.resident_before) / MIB),
        againstTarget((run.resident_peak - run.resident_before) / MIB, 128e6 / MIB),
      ],
      ["kernels' memory for the question at most, MiB", figure(peakBytes / MIB), ""],
    ];
    return {
      title: "The Worker in workerd",
      columns: ["figure", "value", "target"],
      rows,
      notes: [
        `${bundle.files.length} files: ${bundle.files.join(", ")}. The limit of 128 MB holds for an isolate; ` +
        `resident memory is that of the whole workerd process, its own ${
          figure(run.resident_before / MIB)
        } MiB included.`,
      ],
      figures,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runWorker(prebuiltWorkerDir: string) {
  const { createTestHarness } = await import("wrangler"); // loading it is no part of the start
  const begun = performance.now();
  const harness = createTestHarness({ root: ROOT, workers: [{ configPath: CONFIG.pathname, prebuiltWorkerDir }] });
  try {
    await harness.listen();
    const listening = performance.now();
    const health = await harness.fetch("/healthz");
    await health.text();
    const answered = performance.now(), now = Date.now();
    if (health.status !== 200) throw new Error(`Cannot measure the Worker: /healthz answers ${health.status}`);
    const processes = descendantsNamed(Deno.pid, "workerd");
    const before = processes.map(memoryOf);
    const asked = performance.now();
    await askQuestion(async (path, init) => await harness.fetch(path, init));
    const questionMs = performance.now() - asked;
    const after = processes.map(memoryOf);
    // The harness runs a proxy in a workerd of its own: ours is the one that grew most.
    const growth = after.map(({ peak }, p) => peak - before[p].resident);
    const ours = growth.indexOf(Math.max(...growth));
    return {
      harness_s: (answered - begun) / 1000,
      workerd_s: (now - Math.min(...processes.map(startedAt))) / 1000,
      first_answer_ms: answered - listening,
      question_ms: questionMs,
      resident_before: before[ours].resident,
      resident_after: after[ours].resident,
      resident_peak: after[ours].peak,
    };
  } finally {
    await harness.close();
  }
}

/** Model and question in one body, as a stranger would ask. */
async function askQuestion(
  ask: (
    path: string,
    init: { method: string; headers: Record<string, string>; body: string },
  ) => Promise<{ readonly status: number; text(): Promise<string> }>,
): Promise<void> {
  const { query } = await openQuestion(MODEL, RADIUS);
  const onnx = (await readReference(MODEL)).toBase64();
  const body = JSON.stringify({ model: { onnx }, region: query.region, property: { type: "lipschitz" } });
  const headers = { "content-type": "application/json" };
  const response = await ask("/v1/certify", { method: "POST", headers, body });
  const text = await response.text();
  if (response.status !== 200 && response.status !== 201) {
    throw new Error(`Cannot measure the Worker: the question is answered ${response.status}: ${text.slice(0, 500)}`);
  }
}

/** The most that the kernels hold for the same question, in this process. */
async function kernelPeak(): Promise<number> {
  const { model, query } = await openQuestion(MODEL, RADIUS);
  const kernels = createKernels(2 ** 30);
  kernels.resetPeak();
  await certify(model, query, { kernels });
  return kernels.memory().peakBytes;
}
