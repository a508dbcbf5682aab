import type { PieceRecord } from "../certificate/search_record.ts";

/** What a search is told about its nodes: plain data, made by whoever bounds them. */

/** A part of the region for one of the searched trees; what bounds it adds fields of its own (structured-clonable). */
export interface TreeNode {
  /** Which tree. */
  readonly tree: number;
  /** Its bound: no value over this part lies above it. Never NaN. */
  readonly upper: number;
  /** Where its record stands, in a search that is recorded. */
  readonly record?: number;
}

/** A point and what plain arithmetic found there; unproved. */
export interface Candidate {
  readonly tree: number;
  readonly point: Float64Array;
  readonly score: number;
}

/** A lower bound and the point at which it is proved (null: none is known, `lower` is -Infinity or from elsewhere). */
export interface Proved {
  readonly lower: number;
  readonly point: Float64Array | null;
}

/** What one node became. Children and what is closed cover the node, but for parts that are proved empty. */
export interface Expansion<N extends TreeNode> {
  /** What is to be split further; bounds intersected with the parent's. */
  readonly children: readonly N[];
  /** The largest bound of children that are finished; -Infinity where none is. */
  readonly closed: number;
  /** Nodes that this cost: at most the expander's `most`. */
  readonly bounded: number;
  readonly points: readonly Candidate[];
  /** Of a search that is recorded: every part that was bounded, in order. */
  readonly records?: readonly RecordedPart[];
}

/** What bounding a part leaves, and which child it became (null: it is finished or empty). */
export interface RecordedPart {
  readonly record: Omit<PieceRecord, "parent">;
  /** How many numbers it holds, roughly. */
  readonly numbers: number;
  readonly child: number | null;
}

/** Splits nodes and bounds the parts. */
export interface Expander<N extends TreeNode> {
  /**
   * Expands the nodes of one round, an expansion each, in order. `levels[tree]`: bounds at or under it no longer matter.
   *
   * An expansion depends on its node and the levels alone, not on the nodes beside it: the same wherever it is made.
   */
  expand(nodes: readonly N[], levels: Float64Array): Promise<readonly Expansion<N>[]>;
  /** The most nodes that one expansion may bound. */
  readonly most: number;
}

/** Proves lower bounds at points, one each. */
export type Prove = (points: readonly Candidate[]) => Promise<readonly number[]>;

/** A tree as a search begins with it. */
export interface Root<N extends TreeNode> {
  /** A bound over the whole tree. */
  readonly upper: number;
  /** Null: there is nothing to split. */
  readonly node: N | null;
  readonly proved: Proved;
  /** Of a search that is recorded: what bounding the whole region left. */
  readonly recorded?: Omit<RecordedPart, "child">;
}
