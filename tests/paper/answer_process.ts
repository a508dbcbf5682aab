/**
 * A process that answers the questions of one {@link Task}: the task on stdin, one JSON {@link Line} an answer on stdout.
 *
 * Kernels are new for every question and, with `--v8-flags=--expose-gc`, the old ones are collected before: a question
 * does not pay for what the one before it held.
 */
import { createKernels } from "../../functions/kernels.ts";
import { certify, LipcertError, type Model, readModel } from "../../shared/mod.ts";
import { PeakSamples } from "../bench/peak.ts";
import { memoryOf } from "../bench/processes.ts";
import { timed } from "../bench/statistics.ts";
import type { Box, Done, Line, Method, NotDone, Question, Task } from "./answers.ts";
import { deadline, isTimeout } from "./deadline.ts";
import { productBounds } from "./product_bound.ts";

/** What 32 bits address, less a page. */
const MOST_BYTES = 2 ** 32 - 2 ** 16;
const PEAK_SAMPLES = 5;

const peak = new PeakSamples();

async function answer(model: Model, box: Box, { method }: Question, limitSeconds: number): Promise<Done | NotDone> {
  forgetMemory();
  for (let i = 0; i < PEAK_SAMPLES; i++) peak.take();
  try {
    const { result, ms } = await timed(() =>
      method === "product" ? productAnswer(model, box) : engineAnswer(model, box, method, limitSeconds)
    );
    return {
      status: "done",
      ...result,
      seconds: ms / 1000,
      peakGflops: peak.best,
      residentBytes: orNull(() => memoryOf(Deno.pid).peak),
    };
  } catch (error) {
    if (isTimeout(error)) return { status: "stopped", detail: `not done after ${limitSeconds} s` };
    if (error instanceof LipcertError) return { status: "refused", detail: `${error.type}: ${error.message}` };
    return { status: "failed", detail: String(error) };
  }
}

/** The fastest of some runs, or the first that is not done. */
async function fastest(runs: number, run: () => Promise<Done | NotDone>): Promise<Done | NotDone> {
  let best = await run();
  for (let i = 1; i < runs && best.status === "done"; i++) {
    const next = await run();
    if (next.status !== "done" || next.seconds < best.seconds) best = next;
  }
  return best;
}

type Result = Pick<Done, "uppers" | "lowers" | "gflop" | "kernelBytes">;

// deno-lint-ignore require-await -- timed() awaits what it measures
async function productAnswer(model: Model, { outputs }: Box): Promise<Result> {
  const bounds = productBounds(model.graph(model.description.outputs[0].name));
  const uppers = outputs.map((k) => Number.isFinite(bounds[k]) ? bounds[k] : null);
  return { uppers, lowers: null, gflop: null, kernelBytes: null };
}

async function engineAnswer(
  model: Model,
  { lower, upper, outputs }: Box,
  relaxation: Exclude<Method, "product">,
  limitSeconds: number,
): Promise<Result> {
  const kernels = createKernels(MOST_BYTES);
  const query = {
    model_digest: model.digest,
    output: model.description.outputs[0].name,
    region: { lower, upper },
    property: { type: "lipschitz", outputs },
    options: { relaxation, preactivation: "crown", arithmetic: "f64" },
  } as const;
  const { finding, work } = await certify(model, query, { kernels, signal: deadline(limitSeconds) });
  if (finding.type !== "lipschitz") throw new TypeError(`a Lipschitz finding was expected, got ${finding.type}`);
  return {
    uppers: finding.outputs.map(({ upper }) => upper),
    lowers: finding.outputs.map(({ lower }) => lower),
    gflop: work.gflop,
    kernelBytes: kernels.memory().peakBytes,
  };
}

/** Collects garbage and counts the process's most resident bytes anew, where that can be done. */
function forgetMemory(): void {
  (globalThis as { gc?: () => void }).gc?.();
  orNull(() => Deno.writeTextFileSync("/proc/self/clear_refs", "5"));
}

function orNull<T>(of: () => T): T | null {
  try {
    return of();
  } catch {
    return null; // no /proc on this system
  }
}

function say(line: Line): void {
  console.log(JSON.stringify(line));
}

if (import.meta.main) {
  const { file, boxes, questions, limitSeconds, runs } = await new Response(Deno.stdin.readable).json() as Task;
  try {
    const model = await readModel(await Deno.readFile(file));
    model.graph(model.description.outputs[0].name);
    say({ opened: true });
    for (const question of questions) {
      const run = () => answer(model, boxes[question.box], question, limitSeconds);
      say({ ...question, ...await fastest(runs, run) });
    }
  } catch (error) {
    if (!(error instanceof LipcertError)) throw error;
    say({ modelRefused: `${error.type}: ${error.message}` });
  }
}
