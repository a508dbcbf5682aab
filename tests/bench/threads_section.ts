/** What threads gain a search: the same nodes, byte for byte, on one thread and on more. */
import assert from "node:assert/strict";
import { createThread } from "../../functions/certifier/create_thread.ts";
import { searchThreads } from "../../functions/certifier/threads.ts";
import { createKernels } from "../../functions/kernels.ts";
import { certify, type Distribute, type Kernels } from "../../shared/mod.ts";
import { load, loadWarning } from "./machine.ts";
import { openQuestion, type Question } from "./questions.ts";
import { figure, pair, type Section } from "./report.ts";
import { summaryOf } from "./statistics.ts";

const NODES = 400, COUNTS = [1, 2, 3, 4];

/** From the first round's end to the last one's, on warm threads: milliseconds, and the answer. */
async function searchTime(
  { model, query }: Question,
  kernels: Kernels,
  distribute: Distribute,
): Promise<{ readonly ms: number; readonly id: string }> {
  const marks: number[] = [];
  const onSearch = () => void marks.push(performance.now());
  const { id } = await certify(model, query, { kernels, distribute, onSearch });
  return { ms: marks[marks.length - 1] - marks[0], id };
}

export async function threadsSection(samples: number): Promise<Section> {
  const asked = await openQuestion("mnist_mlp_256x3", 0.01);
  const { query } = asked, options = { ...query.options, search: { max_nodes: NODES, gap: 0 } };
  const question = {
    ...asked,
    query: { ...query, property: { type: "lipschitz", outputs: [6] }, options },
  } as Question;
  const kernels = createKernels(2 ** 30), before = load();
  const cores = navigator.hardwareConcurrency, counts = COUNTS.filter((count) => count <= cores);
  const taken = counts.map((count) => ({
    count,
    threads: searchThreads({ count, createWorker: createThread, aloneFlops: 0 }),
    times: [] as number[],
  }));
  const ids = new Set<string>();
  for (let round = -1; round < samples; round++) {
    for (const { threads, times } of taken) {
      const { ms, id } = await searchTime(question, kernels, threads.distribute);
      ids.add(id);
      if (round >= 0) times.push(ms);
    }
  }
  for (const { threads } of taken) threads.close();
  assert.equal(ids.size, 1, "the answer depends on the threads");
  const summaries = taken.map(({ count, times }) => ({ count, ms: summaryOf(times) }));
  const [{ ms: one }] = summaries;
  const figures = summaries.map(({ count, ms }) => ({
    threads: count,
    ms,
    speed_up: { median: one.median / ms.median, best: one.best / ms.best },
  }));
  return {
    title: `Threads of a search: ${question.name}, output 6, ${NODES} nodes`,
    columns: ["threads", "search ms median / best", "speed-up median / best"],
    rows: figures.map((f) => [figure(f.threads), pair(f.ms), pair(f.speed_up)]),
    notes: [`${samples} samples each, in turn, on warm threads of ${cores} cores. ${loadWarning("before it", before)}`],
    figures,
  };
}
