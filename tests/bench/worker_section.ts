/** The Worker: size of its bundle, start-up, memory of one question of 784-256-256-256-10 in workerd. */
import { createKernels } from "../../functions/kernels.ts";
import { certify } from "../../shared/mod.ts";
import { openQuestion, readReference } from "./questions.ts";
import { againstTarget, figure, type Section } from "./report.ts";
import { buildWorker } from "./worker_bundle.ts";
import { type Fetch, runInWorkerd, type WorkerdRun } from "./workerd_run.ts";

const MIB = 2 ** 20;
const MODEL = "mnist_mlp_256x3", RADIUS = 0.004;
const CONFIG = new URL("../../wrangler.toml", import.meta.url).pathname;

/** Targets: bundle in MB, start in seconds, memory of an isolate in MiB. */
const TARGETS = { bundle: 1, start: 1, memory: 128e6 / MIB };

export async function workerSection(): Promise<Section> {
  const folder = await Deno.makeTempDir();
  try {
    const bundle = await buildWorker(folder);
    const empty = await runEmptyWorker();
    const run = await runInWorkerd({ configPath: CONFIG, prebuiltWorkerDir: folder }, "/healthz", askQuestion);
    const kernelsPeak = await kernelPeak();
    const above = (run.resident_peak - empty.resident_before) / MIB;
    return {
      title: "The Worker in workerd",
      columns: ["figure", "value", "target"],
      rows: [
        ["bundle, gzip, MB", figure(bundle.gzipBytes / 1e6), againstTarget(bundle.gzipBytes / 1e6, TARGETS.bundle)],
        ["start: harness to first answer, s", figure(run.harness_s), againstTarget(run.harness_s, TARGETS.start)],
        ["start: workerd to first answer, s", figure(run.workerd_s), againstTarget(run.workerd_s, TARGETS.start)],
        ["the same of an empty Worker, s", `${figure(empty.harness_s)}, ${figure(empty.workerd_s)}`, ""],
        ["first answer once listening, ms", figure(run.first_answer_ms), ""],
        [`model and question (${MODEL}, radius ${RADIUS}), the first, ms`, figure(run.body_ms), ""],
        ["workerd resident: an empty Worker, MiB", figure(empty.resident_before / MIB), ""],
        ["workerd resident before the question, MiB", figure(run.resident_before / MIB), ""],
        ["workerd resident at most, MiB", figure(run.resident_peak / MIB), ""],
        ["at most, above an empty Worker, MiB", figure(above), againstTarget(above, TARGETS.memory)],
        ["kernels' memory for the question at most, MiB", figure(kernelsPeak / MIB), ""],
      ],
      notes: [
        `Uploaded: ${bundle.files.join(", ")}. The limit of 128 MB holds for an isolate; resident memory is that of ` +
        "the whole workerd process, so the isolate's is read above that of an empty Worker.",
      ],
      figures: { bundle, empty, worker: run, kernels_peak_bytes: kernelsPeak },
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The floor: what workerd takes to start, and holds, for a Worker that does nothing. */
async function runEmptyWorker(): Promise<WorkerdRun> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/empty.js`, "export default { fetch: () => new Response() };\n");
    await Deno.writeTextFile(
      `${folder}/wrangler.toml`,
      `name = "empty"\nmain = "empty.js"\ncompatibility_date = "2026-10-01"\n`,
    );
    return await runInWorkerd({ configPath: `${folder}/wrangler.toml` }, "/", async (fetch) => {
      await (await fetch("/")).text();
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Model and question in one body, as a stranger would ask. */
async function askQuestion(fetch: Fetch): Promise<void> {
  const { query } = await openQuestion(MODEL, RADIUS);
  const onnx = (await readReference(MODEL)).toBase64();
  const body = JSON.stringify({ model: { onnx }, region: query.region, property: { type: "lipschitz" } });
  const headers = { "content-type": "application/json" };
  const response = await fetch("/v1/certify", { method: "POST", headers, body });
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
