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
/** Requests of each kind before any is counted: the engine's optimised code is there after about 500. */
const WARM_UP = 600;
/**
 * Kinds take turns in blocks: the store is written after an answer has gone, so a new question pays for the one before it,
 * and not a request of another kind.
 */
const BLOCK = 20;
/** A service that is asked now and then: processors and threads have gone to sleep. */
const PAUSE_MS = 10;

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

interface Round {
  readonly peak: PeakSamples;
  /** By kind of request, in milliseconds. */
  readonly times: readonly (readonly number[])[];
}

async function takeTurns(asks: readonly Ask[], samples: number, block: number, pauseMs: number): Promise<Round> {
  const peak = new PeakSamples();
  const times = asks.map((): number[] => []);
  for (let done = 0; done < samples; done += block) {
    peak.take();
    for (const [n, ask] of asks.entries()) {
      for (let i = 0; i < block; i++) {
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        times[n].push((await timed(ask)).ms);
      }
    }
  }
  return { peak, times };
}

async function measure(samples: number, requests: Readonly<Record<string, Ask>>): Promise<Section> {
  const names = Object.keys(requests), asks = Object.values(requests);
  await takeTurns(asks, WARM_UP, BLOCK, 0);
  const busy = figuresOf(names, await takeTurns(asks, samples, BLOCK, 0));
  const paused = figuresOf(names, await takeTurns(asks, samples, 1, PAUSE_MS));
  return {
    title: "Over HTTP: 16-16-16-10 by digest, ten outputs, Worker and store included",
    columns: ["request", "ms median / best", "above the empty answer, scaled", "target", "the same after a pause"],
    rows: names.map((name, n) => [
      name,
      pair(busy[n].ms),
      n === 0 ? "" : pair(busy[n].above_empty_scaled_ms),
      n === 1 ? againstTarget(busy[n].above_empty_scaled_ms.median, TARGET_MS) : "",
      n === 0 ? "" : pair(paused[n].above_empty_scaled_ms),
    ]),
    notes: [
      `${samples} of each over kept connections, each after the answer to the last, in blocks of ${BLOCK} that take ` +
      `turns; a new center each time. After a pause: ${PAUSE_MS} ms of rest before every request. ` +
      `Peak between the blocks: ${figure(busy[0].peak)} GFLOP/s.`,
    ],
    figures: { busy, paused },
  };
}

function figuresOf(names: readonly string[], { peak, times }: Round) {
  const summaries = times.map(summaryOf);
  const [empty] = summaries;
  return names.map((request, n) => ({
    request,
    peak: peak.median,
    ms: summaries[n],
    above_empty_scaled_ms: {
      median: scaled(summaries[n].median - empty.median, peak.median),
      best: scaled(summaries[n].best - empty.best, peak.best),
    },
  }));
}
