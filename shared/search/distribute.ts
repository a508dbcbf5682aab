import type { CondensedNetwork } from "../condensed/condense_network.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { plainVectors } from "../kernels/vectors_reference.ts";
import type { Box } from "../numeric/box.ts";
import { expanderOf, type Problem } from "./expand.ts";
import type { Piece } from "./piece.ts";
import { placesOf } from "./places.ts";
import { regionOf, vectorsFor } from "./region.ts";
import type { Expander } from "./tree.ts";
import { workspaceOf } from "./workspace.ts";

/** A problem as other threads are handed it: plain data (structured-clonable), without what each computes in. */
export interface PlainProblem
  extends Pick<Problem, "original" | "objectives" | "scales" | "fewest" | "every" | "isRecorded"> {
  readonly network: CondensedNetwork;
  readonly box: Box;
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
 * The expander of a problem on these kernels: any two make the same of a node, bit for bit. It is to be closed: it holds
 * memory of the kernels.
 */
export function expanderFor({ network, box, ...problem }: PlainProblem, kernels: Kernels): Distributed {
  const region = regionOf(network, box, () => vectorsFor(network, kernels) ?? plainVectors);
  const places = placesOf(region, (numbers) => kernels.vectors(numbers) ?? plainVectors),
    workspace = workspaceOf(region);
  const expander = expanderOf({ ...problem, region, workspace, places, programs: { count: 0 } });
  const close = () => {
    places.release();
    region.vectors.release();
  };
  return { ...expander, close };
}
