import type { CondensedNetwork } from "../condensed/condense_network.ts";
import type { Vectors } from "../kernels/vectors.ts";
import type { Box } from "../numeric/box.ts";
import { expanderOf, type Problem } from "./expand.ts";
import type { Piece } from "./piece.ts";
import { regionOf } from "./region.ts";
import type { Expander } from "./tree.ts";
import { workspaceOf } from "./workspace.ts";

/** A problem as other threads are handed it: plain data (structured-clonable); its region each makes again. */
export interface PlainProblem extends Omit<Problem, "workspace" | "region"> {
  readonly network: CondensedNetwork;
  readonly box: Box;
}

export function plainProblem({ region: { network, box }, original, objectives, scales }: Problem): PlainProblem {
  return { network, box, original, objectives, scales };
}

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

/**
 * The expander of a problem on the thread that calls this: any two make the same of a node, bit for bit. To be closed, which gives
 * the kernels' memory back.
 */
export function expanderFor(
  { network, box, ...rest }: PlainProblem,
  makeVectors: (numbers: number) => Vectors,
): Distributed {
  const region = regionOf(network, box, makeVectors);
  return {
    ...expanderOf({ ...rest, region, workspace: workspaceOf(region) }),
    close: () => region.vectors.release(),
  };
}
