/** Threads that the rounds of a search are shared out to. */
import { LipcertError } from "../../shared/errors.ts";
import type { Distribute, Distributed, Expansion, Piece } from "../../shared/mod.ts";
import { errorOf } from "./messages.ts";
import { sharedCopy } from "./shared_copy.ts";
import {
  type Flag,
  type FromThread,
  type NextNode,
  NOTHING_LEFT,
  takeNodes,
  type ToThread,
} from "./thread_messages.ts";

export interface ThreadSettings {
  /** Threads that expand nodes, that of the search included. */
  readonly count: number;
  readonly createWorker: () => Worker;
  /** Arithmetic that a search does alone before it is shared out, and that a round needs to be (default: about 50 and 0.5 ms). */
  readonly aloneFlops?: number;
  readonly roundFlops?: number;
}

const ALONE_FLOPS = 1e8, ROUND_FLOPS = 1e6;

export interface Threads {
  readonly distribute: Distribute;
  /** As asked for: what a time limit may cost depends on it. */
  readonly threads: number;
  /** Ends all Workers; a round under way is rejected. */
  close(): void;
}

/** A Worker, and whether it is still at a round. The flag counts, for a search that expands all nodes itself hears no message. */
interface Thread {
  readonly worker: Worker;
  readonly busy: Flag;
}

/** The round under way. */
interface Open {
  readonly number: number;
  readonly next: NextNode;
  readonly take: (index: number, expansion: Expansion<Piece>) => void;
  readonly fail: (reason: unknown) => void;
}

/**
 * Workers that are started when a search first proves long enough, and stay warm for the next one.
 *
 * All threads take nodes of a round from one counter, the search's own too, so none waits for a slow one while nodes are
 * left. Who expands a node changes nothing about what it becomes, and results are put together in the order of the nodes.
 * A second search beside the first is not shared out. A Worker that dies fails the search: `kernel-failure`.
 */
export function searchThreads({ count, createWorker, ...settings }: ThreadSettings): Threads {
  const { aloneFlops = ALONE_FLOPS, roundFlops = ROUND_FLOPS } = settings;
  let threads: readonly Thread[] = [];
  let isTaken = false, broken: unknown = null, open: Open | null = null, rounds = 0;

  function receive(message: FromThread): void {
    // What an abandoned round left behind is of no use.
    if (message.number !== open?.number) return;
    if (message.kind === "failed") open.fail(errorOf(message.failure));
    else for (const [index, expansion] of message.done) open.take(index, expansion);
  }

  function end(reason: unknown): void {
    broken ??= reason;
    for (const { worker } of threads) worker.terminate();
    threads = [];
    open?.fail(broken);
  }

  function start(): Thread {
    const worker = createWorker();
    worker.onmessage = (event: MessageEvent<FromThread>) => receive(event.data);
    worker.onmessageerror = () => end(lost("its message cannot be read"));
    worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      end(lost(event.message));
    };
    return { worker, busy: new Int32Array(new SharedArrayBuffer(4)) };
  }

  function tell(message: ToThread): void {
    for (const { worker } of threads) worker.postMessage(message);
  }

  async function round(
    nodes: readonly Piece[],
    levels: Float64Array,
    local: Distributed["expand"],
  ): Promise<Expansion<Piece>[]> {
    const expansions = new Array<Expansion<Piece>>(nodes.length);
    const finished = Promise.withResolvers<void>();
    finished.promise.catch(() => {}); // it may fail while this thread computes
    const next: NextNode = new Int32Array(new SharedArrayBuffer(4)), number = ++rounds;
    let missing = nodes.length;
    const take: Open["take"] = (index, expansion) => {
      expansions[index] = expansion;
      if (--missing === 0) finished.resolve();
    };
    open = { number, next, take, fail: finished.reject };
    try {
      const free = threads.filter(({ busy }) => Atomics.load(busy, 0) === 0);
      for (const { worker, busy } of free.slice(0, nodes.length - 1)) {
        Atomics.store(busy, 0, 1);
        worker.postMessage({ kind: "round", number, nodes, levels, next, busy } satisfies ToThread);
      }
      await takeNodes(next, nodes.length, async (index) => take(index, (await local([nodes[index]], levels))[0]));
      await finished.promise;
      return expansions;
    } finally {
      Atomics.store(next, 0, NOTHING_LEFT);
      open = null;
    }
  }

  return {
    threads: count,
    distribute({ problem, expander, flops }) {
      if (isTaken || count < 2) return { ...expander, close() {} };
      isTaken = true;
      let spent = 0, isShared = false;
      return {
        most: expander.most,
        async expand(nodes, levels) {
          if (broken) throw broken;
          const cost = flops * nodes.length;
          spent += cost;
          if (spent < aloneFlops || cost < roundFlops || nodes.length < 2) return await expander.expand(nodes, levels);
          if (!isShared) {
            isShared = true;
            if (threads.length === 0) threads = Array.from({ length: count - 1 }, start);
            tell({ kind: "problem", problem: sharedCopy(problem) });
          }
          return await round(nodes, levels, expander.expand);
        },
        close() {
          isTaken = false;
          if (isShared) tell({ kind: "end" });
        },
      };
    },
    close: () => end(new Error("the threads are closed")),
  };
}

function lost(why: string): LipcertError {
  return new LipcertError("kernel-failure", "A thread of the search ended", {}, new Error(why));
}
