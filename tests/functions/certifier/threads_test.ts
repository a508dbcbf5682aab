import assert from "node:assert/strict";
import { createThread } from "../../../functions/certifier/create_thread.ts";
import type { FromThread, NextNode, ToThread } from "../../../functions/certifier/thread_messages.ts";
import { searchThreads, type Threads } from "../../../functions/certifier/threads.ts";
import { createKernels } from "../../../functions/kernels.ts";
import { LipcertError } from "../../../shared/errors.ts";
import { canonicalBytes, certify, type CertifyContext, type Distribute, type Query } from "../../../shared/mod.ts";
import { openQuestion, type Question } from "../../bench/questions.ts";

const kernels = createKernels(2 ** 28);

/** Threads that share every round, with what they did: the search's own thread stands still in each until another takes a node. */
class Watched {
  readonly threads: Threads;
  /** Nodes that the other threads expanded, and Workers started. */
  expanded = 0;
  started = 0;
  #next: NextNode | null = null;

  constructor(count: number, create: () => Worker = createThread) {
    const createWorker = () => {
      const worker = create(), send = worker.postMessage.bind(worker);
      this.started++;
      worker.addEventListener("message", ({ data }: MessageEvent<FromThread>) => {
        if (data.kind === "done") this.expanded += data.done.length;
      });
      worker.postMessage = (message: ToThread) => {
        if (message.kind === "round") this.#next = message.next;
        send(message);
      };
      return worker;
    };
    this.threads = searchThreads({ count, createWorker, aloneFlops: 0, roundFlops: 0 });
  }

  /** No message is heard meanwhile. */
  #standStill(): void {
    const never = new Int32Array(new SharedArrayBuffer(4));
    // One node is this thread's.
    for (let ms = 0; this.#next && Atomics.load(this.#next, 0) < 2 && ms < 30_000; ms++) Atomics.wait(never, 0, 0, 1);
    this.#next = null;
  }

  readonly distribute: Distribute = ({ expander, ...work }) => {
    const expand: typeof expander.expand = (nodes, levels) => {
      this.#standStill();
      return expander.expand(nodes, levels);
    };
    return this.threads.distribute({ ...work, expander: { ...expander, expand } });
  };
}

async function withThreads<T>(watched: Watched, body: (watched: Watched) => Promise<T>): Promise<T> {
  try {
    return await body(watched);
  } finally {
    watched.threads.close();
  }
}

function searched({ query }: Question, max_nodes: number, more: Partial<Query> = {}): Query {
  return { ...query, options: { ...query.options, search: { max_nodes, gap: 0 } }, ...more };
}

async function answer({ model }: Question, query: Query, context: Partial<CertifyContext> = {}): Promise<string> {
  return new TextDecoder().decode(canonicalBytes(await certify(model, query, { kernels, ...context })));
}

const SMALL = await openQuestion("synthetic_mlp16", 0.1);

Deno.test("searchThreads() changes no byte of a certificate: 1, 2 and 3 threads, closed or stopped by max_nodes", async () => {
  for (
    const [name, eps, counts] of [
      ["synthetic_mlp16", 0.1, [10_000, 7]],
      ["diabetes_mlp", 0.05, [150]],
      ["synthetic_w32_d6", 0.05, [10_000, 99]],
      ["mnist_mlp_20", 0.05, [60]],
      ["mnist_mlp_256x3", 0.004, [40]],
    ] as const
  ) {
    const question = await openQuestion(name, eps);
    const queries = counts.map((count) => searched(question, count));
    const alone: string[] = [];
    for (const query of queries) alone.push(await answer(question, query));
    for (const count of [1, 2, 3]) {
      // One after the other on the same Workers.
      await withThreads(new Watched(count), async (watched) => {
        for (const [q, query] of queries.entries()) {
          assert.equal(
            await answer(question, query, { distribute: watched.distribute }),
            alone[q],
            `${name}, ${count}`,
          );
        }
        assert.equal(watched.started, count - 1);
        if (count > 1) assert.ok(watched.expanded > 0, `${name}: no node was shared out`);
      });
    }
  }
});

Deno.test("searchThreads() changes no byte of a record: 1, 2 and 3 threads, to the end, cut short or full", async () => {
  for (
    const [name, eps, max_nodes, by] of [
      ["synthetic_mlp16", 0.1, 10_000, "closed"],
      ["diabetes_mlp", 0.05, 150, "max_nodes"],
      ["mnist_mlp_20", 0.1, 10_000, "record"],
    ] as const
  ) {
    const question = await openQuestion(name, eps), query = searched(question, max_nodes);
    const recorded = { ...query, options: { ...query.options, search: { max_nodes, gap: 0, record: true as const } } };
    const alone = await answer(question, recorded), { method, record, reproducible } = JSON.parse(alone);
    assert.deepEqual([method.search.stopped_by, reproducible], [by, true]);
    assert.ok(record.pieces.length > method.search.nodes);
    // What a host of the edge reads.
    assert.ok(alone.length < 7e6, `${alone.length} bytes`);
    for (const count of [1, 2, 3]) {
      await withThreads(new Watched(count), async (watched) => {
        assert.equal(await answer(question, recorded, { distribute: watched.distribute }), alone, `${name}, ${count}`);
        if (count > 1) assert.ok(watched.expanded > 0, `${name}: no node was shared out`);
      });
    }
  }
});

Deno.test("searchThreads() serves every step of a radius", async () => {
  const question = await openQuestion("diabetes_mlp", 0.05);
  const { lower, upper } = question.query.region;
  const center = lower.map((l, j) => (l + upper[j]) / 2);
  const of = { type: "lipschitz", outputs: [0], at_most: 7.5 } as const;
  const radius = searched(question, 200, { property: { type: "radius", of, center, max: 0.05, gap: 0.05 } });
  const alone = await answer(question, radius);
  await withThreads(new Watched(2), async (watched) => {
    assert.equal(await answer(question, radius, { distribute: watched.distribute }), alone);
    assert.ok(watched.expanded > 0 && watched.started === 1);
  });
});

Deno.test("searchThreads() goes on after a search that was aborted, and closing it ends its Workers", async () => {
  const query = searched(SMALL, 10_000), alone = await answer(SMALL, query);
  await withThreads(new Watched(3), async ({ distribute }) => {
    const controller = new AbortController(), reason = new Error("not wanted");
    const onSearch = ({ rounds }: { rounds: number }) => rounds === 2 && controller.abort(reason);
    const context = { distribute, onSearch, signal: controller.signal };
    await assert.rejects(answer(SMALL, query, context), (error) => error === reason);
    assert.equal(await answer(SMALL, query, { distribute }), alone);
  });
});

Deno.test("searchThreads() fails a search with the thread that dies, and does not hang", async () => {
  const create = () => new Worker(new URL("./dying_thread.ts", import.meta.url), { type: "module" });
  await withThreads(new Watched(2, create), async ({ distribute }) => {
    for (let time = 0; time < 2; time++) {
      await assert.rejects(
        answer(SMALL, searched(SMALL, 100), { distribute }),
        (error) => error instanceof LipcertError && error.type === "kernel-failure",
      );
    }
  });
});

Deno.test("searchThreads() starts no Worker for a search that is short", async () => {
  let started = 0;
  const threads = searchThreads({ count: 4, createWorker: () => (started++, createThread()) });
  const query = searched(SMALL, 10);
  assert.equal(await answer(SMALL, query, { distribute: threads.distribute }), await answer(SMALL, query));
  threads.close();
  assert.equal(started, 0);
});
