import type { Box } from "../numeric/box.ts";
import type { Region } from "./region.ts";
import type { TreeNode } from "./tree.ts";

/** What a piece is cut along: a unit's closed phases, or the halves of an input. */
export type Split =
  | { readonly kind: "unit"; readonly unit: number }
  | { readonly kind: "input"; readonly feature: number; readonly at: number };

/** Where pieces are bounded on fewer units than the region has: what makes the network smaller there. Plain data. */
export interface Base {
  /** [region's units]: what is decided on all pieces of the base, and proved bounds of h. */
  readonly phases: Int8Array;
  readonly heights: Box;
  /** The region's units that a piece still has, in ascending order (as numbers that a saved search holds). */
  readonly units: Float64Array;
}

/**
 * A piece of the region for one objective: plain data. Arrays are never written to after the piece is made, so that children
 * share what a split leaves as it was. About 30 bytes a unit and 1 a feature, 16 a feature more where its box is its own.
 */
export interface Piece extends TreeNode {
  /** Null: the region's. */
  readonly box: Box | null;
  /** Null: all units of the region are the piece's. U counts the piece's. */
  readonly base: Base | null;
  /** [U]: 1 where h_u >= 0 on the piece (r_u = h_u, d_u = 1), -1 where h_u <= 0 (r_u = d_u = 0), 0 open. */
  readonly phases: Int8Array;
  /** [U]: proved bounds of h_u and of p_u over the piece. */
  readonly heights: Box;
  readonly gradients: Box;
  /** [n]: 1, -1 where J_j is known not to be below, above 0; 0 else. Empty where no signs are kept. */
  readonly signs: Int8Array;
  /** [4][U]: free data that the next bounds begin with, see `ascend.ts`; empty: the usual lines. */
  readonly multipliers: Float32Array;
  /** Over the outputs an aim is among: not negative, their sum is exactly 1. Empty for other aims. */
  readonly weights: Float64Array;
  readonly split: Split | null;
  /** A split of inputs that is to be compared with the split; null: none is. */
  readonly rival: Split | null;
  /** The kind of split that lowered the bounds more when both were last compared. */
  readonly prefers: Split["kind"];
  readonly depth: number;
}

export function boxOf(region: Region, piece: Pick<Piece, "box">): Box {
  return piece.box ?? region.box;
}

/** Bytes that a piece keeps for itself, roughly. */
export function bytesOf({ box, base, phases, signs }: Piece): number {
  // Children share their base, unless they come from another thread.
  const shared = base ? 100 + 17 * base.phases.length + 8 * base.units.length : 0;
  return 400 + 49 * phases.length + signs.length + (box ? 16 * box.lower.length : 0) + shared;
}
