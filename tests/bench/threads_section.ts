/** What threads gain a search: the same nodes, byte for byte, on one thread and on more. */
import assert from "node:assert/strict";
import { createThread } from "../../functions/certifier/create_thread.ts";
import { searchThreads } from "../../functions/certifier/threads.ts";
import { createKernels } from "../../functions/kernels.ts";
import { longSearch, NODES, searchTime } from "./long_search.ts";
import { load, loadWarning } from "./machine.ts";
import { figure, pair, type Section } from "./report.ts";
import { summaryOf } from "./statistics.ts";

const COUNTS = [1, 2, 3, 4];

/** Searches before those that count: so many until a second thread's code is as fast as the first one's. */
const WARM_UP = 4;

/** A search takes seconds: more samples of it say nothing more. */
const MOST_SAMPLES = 3;

/** Independent searches at the same time, each in a process of its own: milliseconds of each. */
async function besideEachOther(processes: number): Promise<number[]> {
  const script = new URL("./search_process.ts", import.meta.url).pathname;
  return await Promise.all(Array.from({ length: processes }, async () => {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("a search in its own process failed");
    return Number(new TextDecoder().decode(stdout));
  }));
}

export async function threadsSection(samples: number): Promise<Section> {
  const question = await longSearch(), kernels = createKernels(2 ** 30), before = load();
  const cores = navigator.hardwareConcurrency, counts = COUNTS.filter((count) => count <= cores);
  const taken = counts.map((count) => ({
    count,
    threads: searchThreads({ count, createWorker: createThread, aloneFlops: 0 }),
    times: [] as number[],
  }));
  const ids = new Set<string>(), rounds = Math.min(samples, MOST_SAMPLES);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const { threads, times } of taken) {
      const { ms, id } = await searchTime(question, kernels, threads.distribute);
      ids.add(id);
      if (round >= 0) times.push(ms);
    }
  }
  for (const { threads } of taken) threads.close();
  assert.equal(ids.size, 1, "the answer depends on the threads");
  const [alone] = await besideEachOther(1), together = await besideEachOther(2);
  const slowDown = Math.max(...together) / alone;
  const summaries = taken.map(({ count, times }) => ({ count, ms: summaryOf(times) }));
  const [{ ms: one }] = summaries;
  const figures = summaries.map(({ count, ms }) => ({
    threads: count,
    ms,
    speed_up: { median: one.median / ms.median, best: one.best / ms.best },
    two_processes: { alone, together, slow_down: slowDown },
  }));
  return {
    title: `Threads of a search: ${question.name}, output 6, ${NODES} nodes`,
    columns: ["threads", "search ms median / best", "speed-up median / best"],
    rows: figures.map((f) => [figure(f.threads), pair(f.ms), pair(f.speed_up)]),
    notes: [
      `${rounds} samples each, in turn, on threads of ${cores} cores that ${WARM_UP} searches have made warm. ${
        loadWarning("before it", before)
      }`,
      `Two such searches at once, each on one thread of a process of its own, take ${
        figure(slowDown)
      } times as long as ` +
      `one alone: two threads cannot gain more than ${figure(2 / slowDown)} on this machine.`,
    ],
    figures,
  };
}
