import type { Proved } from "./tree.ts";

/** When a search is done: how its trees end together. */
export type Goal =
  /** The maximum over all trees, with one incumbent for all; or only whether it is at most some value. */
  | { readonly kind: "largest"; readonly at_most?: number }
  /** Every tree its own maximum. */
  | { readonly kind: "each" }
  /** Every tree at most its threshold. One proved point above ends the whole search, or its own tree only. */
  | { readonly kind: "all_at_most"; readonly thresholds: readonly number[]; readonly refuted_ends: "search" | "tree" };

/** A bound this close to what is proved (relative) is not split further. */
export const SETTLED = 1e-9;

/** What is known of every tree between rounds. */
export interface Known {
  /** The largest bound of what is finished, a tree each; -Infinity where nothing is. */
  readonly closed: readonly number[];
  readonly proved: readonly Proved[];
}

/**
 * The level of every tree: bounds at or under it no longer matter to the goal. Levels never fall while a search goes on, so
 * what was dropped at one stays without effect.
 */
export function levelsOf(goal: Goal, { closed, proved }: Known, gap: number): Float64Array {
  switch (goal.kind) {
    case "largest":
      return new Float64Array(closed.length).fill(largestLevel(goal.at_most, closed, proved, gap));
    case "each":
      return new Float64Array(closed.map((bound, k) => Math.max(bound, enoughFor(proved[k].lower, gap))));
    case "all_at_most": {
      const { thresholds, refuted_ends } = goal;
      const refuted = proved.map(({ lower }, k) => lower > thresholds[k]);
      const ended = refuted_ends === "search" && refuted.includes(true);
      return new Float64Array(thresholds.map((threshold, k) => ended || refuted[k] ? Infinity : threshold));
    }
  }
}

function largestLevel(
  atMost: number | undefined,
  closed: readonly number[],
  proved: readonly Proved[],
  gap: number,
): number {
  const incumbent = incumbentOf(proved);
  // A finished bound above the claim leaves it open; a point above it may still be found.
  if (atMost !== undefined) {
    return incumbent > atMost ? Infinity : Math.max(atMost, gap > 0 ? enoughFor(incumbent, gap) : -Infinity);
  }
  return closed.reduce((most, bound) => Math.max(most, bound), enoughFor(incumbent, gap));
}

/** The largest bound that is near enough to what is proved: settled, or within the gap. */
export function enoughFor(lower: number, gap: number): number {
  if (lower === -Infinity) return lower;
  const settled = lower + SETTLED * Math.abs(lower);
  // A little less than what the gap allows, so that a rounded gap is not above it either.
  const slack = gap * (1 - 2 ** -40);
  return Math.max(settled, lower > 0 ? lower / (1 - slack) : lower + slack * -lower);
}

export function incumbentOf(proved: readonly Proved[]): number {
  return proved.reduce((most, { lower }) => Math.max(most, lower), -Infinity);
}

/** (upper - lower) / upper; 0 where both are 0. Of numbers that are not negative. */
export function gapOf(upper: number, lower: number): number {
  return upper === 0 ? 0 : (upper - lower) / upper;
}

/** The bounds that a search is about: of the largest tree, else of the one that is furthest above its level. */
export function boundsToShow(
  goal: Goal,
  uppers: readonly number[],
  { proved }: Known,
  levels: Float64Array,
): { readonly upper: number; readonly lower: number } {
  if (goal.kind === "largest") {
    return { upper: uppers.reduce((a, b) => Math.max(a, b), -Infinity), lower: incumbentOf(proved) };
  }
  let worst = 0;
  const excess = (k: number) => levels[k] === Infinity ? -Infinity : uppers[k] - levels[k];
  for (let k = 1; k < uppers.length; k++) if (excess(k) > excess(worst)) worst = k;
  return { upper: uppers[worst] ?? -Infinity, lower: proved[worst]?.lower ?? -Infinity };
}

/** Whether a gap above the settled one is what ended a search in which nothing matters any more. */
export function endedByGap(goal: Goal, uppers: readonly number[], known: Known, gap: number): boolean {
  if (!(gap > 0) || goal.kind === "all_at_most") return false;
  const within = (upper: number, lower: number) => upper <= enoughFor(lower, gap);
  const settled = (upper: number, lower: number) => upper <= enoughFor(lower, 0);
  if (goal.kind === "each") {
    return uppers.every((upper, k) => within(upper, known.proved[k].lower)) &&
      !uppers.every((upper, k) => settled(upper, known.proved[k].lower));
  }
  const upper = Math.max(...uppers), lower = incumbentOf(known.proved);
  if (goal.at_most !== undefined && (upper <= goal.at_most || lower > goal.at_most)) return false;
  return within(upper, lower) && !settled(upper, lower);
}
