import { expanderOf, type Problem } from "./expand.ts";
import type { Piece } from "./piece.ts";
import type { Expander } from "./tree.ts";
import { workspaceOf } from "./workspace.ts";

/** A problem as other threads are handed it: plain data (structured-clonable), without the arrays that each computes in. */
export type PlainProblem = Omit<Problem, "workspace">;

/** What may be shared out of one search. */
export interface Distributable {
  readonly problem: PlainProblem;
  /** Expands on this thread. */
  readonly expander: Expander<Piece>;
  /** Of one expansion, roughly. */
  readonly flops: number;
}

/** An expander for one search, to be closed at its end, however it ends. */
export interface Distributed extends Expander<Piece> {
  close(): void;
}

/** A host's threads: where a node is expanded changes nothing about what it becomes. */
export type Distribute = (work: Distributable) => Distributed;

/** The expander of a problem on the thread that calls this: any two make the same of a node, bit for bit. */
export function expanderFor(problem: PlainProblem): Expander<Piece> {
  return expanderOf({ ...problem, workspace: workspaceOf(problem.region) });
}
