/**
 * What a search and its threads say to each other. A thread is told a problem, then rounds of it, and answers those of which it
 * took a node.
 */
import type { Expansion, Piece, PlainProblem } from "../../shared/mod.ts";
import type { Failure } from "./messages.ts";

export type ToThread =
  | { readonly kind: "problem"; readonly problem: PlainProblem }
  | Round
  /** The problem is not needed any more. */
  | { readonly kind: "end" };

export interface Round {
  readonly kind: "round";
  readonly number: number;
  readonly nodes: readonly Piece[];
  readonly levels: Float64Array;
  readonly next: NextNode;
  /** 1 until the thread is done with the round: the search sees it without waiting for a message. */
  readonly busy: Flag;
}

/** One element of shared memory. */
export type Flag = Int32Array<SharedArrayBuffer>;

/** One element of shared memory: the first node of a round that nobody has taken. */
export type NextNode = Int32Array<SharedArrayBuffer>;

export type FromThread =
  | { readonly kind: "done"; readonly number: number; readonly done: readonly Done[] }
  | { readonly kind: "failed"; readonly number: number; readonly failure: Failure };

/** What a node of the round, by its index, became. */
export type Done = readonly [index: number, expansion: Expansion<Piece>];

export const NOTHING_LEFT = 2 ** 30;

/** Takes nodes of a round, one after the other, until none is left. */
export async function takeNodes(next: NextNode, count: number, take: (index: number) => Promise<void>): Promise<void> {
  for (;;) {
    const index = Atomics.add(next, 0, 1);
    if (index >= count) return;
    await take(index);
  }
}
