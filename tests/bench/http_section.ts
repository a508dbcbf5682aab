/** A question over HTTP: new and known, above what an empty answer of the same kind of server costs. */
import { digestOf } from "../../shared/mod.ts";
import { Random } from "../exact/random.ts";
import { PeakSamples, scaled } from "./peak.ts";
import { againstTarget, figure, pair, type Section } from "./report.ts";
import { startServer, startTask } from "./server_process.ts";
import { summaryOf, timed } from "./statistics.ts";

const SAMPLE = new URL("../../functions/samples/mlp16.onnx", import.meta.url);
const INPUTS = 16;
const TARGET_MS = 2;
const WARM_UP = 60;
/** The small stages between the samples: each request waits for the last, as one client does. */
const MS_BETWEEN = 2;

type Ask = () => Promise<void>;

export async function httpSection(samples: number): Promise<Section> {
  const folder = await Deno.makeTempDir();
  const { flags, file } = await startTask();
  const empty = await startServer(flags, new URL("./empty_server.ts", import.meta.url).pathname, {});
  const service = await startServer(flags, file, { LIPCERT_KV: `${folder}/store.sqlite3` });
  try {
    return await measure(samples, await requests(empty.origin, service.origin));
  } finally {
    await service.stop();
    await empty.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The three requests that take turns. */
async function requests(empty: string, service: string): Promise<Readonly<Record<string, Ask>>> {
  const digest = await digestOf(await Deno.readFile(SAMPLE));
  const random = new Random(11);
  const repeated = questionAt(digest, new Array(INPUTS).fill(0.125));
  await certify(service, repeated);
  return {
    "an empty answer of hono": () => expectOk(fetch(empty)),
    "a new question": () =>
      certify(service, questionAt(digest, Array.from({ length: INPUTS }, () => random.between(-1, 1)))),
    "a repeated question": () => certify(service, repeated),
  };
}

function questionAt(digest: string, center: readonly number[]): string {
  return JSON.stringify({ model: { digest }, region: { center, radius: 0.05 }, property: { type: "lipschitz" } });
}

function certify(origin: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  return expectOk(fetch(`${origin}/v1/certify`, { method: "POST", headers, body }));
}

/** Reads the whole answer, so that the connection is used again. */
async function expectOk(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot time a request that is answered ${response.status}: ${text}`);
}

async function measure(samples: number, requests: Readonly<Record<string, Ask>>): Promise<Section> {
  const peak = new PeakSamples();
  const names = Object.keys(requests);
  const times = names.map((): number[] => []);
  for (let round = -WARM_UP; round < samples; round++) {
    peak.take();
    for (const [n, name] of names.entries()) {
      await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN));
      const { ms } = await timed(requests[name]);
      if (round >= 0) times[n].push(ms);
    }
  }
  const summaries = times.map(summaryOf);
  const [floor] = summaries;
  const figures = names.map((name, n) => ({
    request: name,
    ms: summaries[n],
    above_empty_scaled_ms: {
      median: scaled(summaries[n].median - floor.median, peak.median),
      best: scaled(summaries[n].best - floor.best, peak.best),
    },
  }));
  return {
    title: "Over HTTP: 16-16-16-10 by digest, ten outputs, Worker and store included",
    columns: ["request", "ms median / best", "above the empty answer, scaled", "target"],
    rows: figures.map(({ request, ms, above_empty_scaled_ms }, n) => [
      request,
      pair(ms),
      n === 0 ? "" : pair(above_empty_scaled_ms),
      n === 1 ? againstTarget(above_empty_scaled_ms.median, TARGET_MS) : "",
    ]),
    notes: [
      `${samples} of each in turn over kept connections, a new center each time. ` +
      `Peak between the samples: ${figure(peak.median)} GFLOP/s median, ${figure(peak.best)} best.`,
    ],
    figures,
  };
}
