/** A search as plain data: saved, cut into parts, joined, gone on with. */
import type { PieceRecord } from "../certificate/search_record.ts";
import { type Open, precedes } from "./frontier.ts";
import { emptyState, type Part, reopen, type Rules, type SearchState, settle } from "./state.ts";
import type { TreeNode } from "./tree.ts";

export const SAVED_VERSION = 1;

/**
 * A search between rounds: structured-clonable, and JSON where its nodes are (no number in the frame is infinite: null
 * stands for -Infinity in `closed` and `lower`).
 */
export interface SavedTree<N extends TreeNode> {
  readonly version: typeof SAVED_VERSION;
  /** Which part of a cut search; null: the whole. */
  readonly part: Part | null;
  /** By age: open nodes that still matter. */
  readonly frontier: readonly Open<N>[];
  /** The largest bound of the finished parts of each tree: null where there are none, "overflow" for an infinite one. */
  readonly closed: readonly (number | "overflow" | null)[];
  readonly proved: readonly { readonly lower: number | null; readonly point: readonly number[] | null }[];
  /** Nodes that were opened, bounded, and rounds. */
  readonly opened: number;
  readonly nodes: number;
  readonly rounds: number;
  /** Whether the last round was cut short by `max_nodes`. */
  readonly cut: boolean;
  /** Of a search that is recorded, and how many numbers they hold. */
  readonly records?: readonly PieceRecord[];
  readonly recorded?: number;
}

export function saveTree<N extends TreeNode>(state: SearchState<N>): SavedTree<N> {
  const { heaps, closed, proved, part, opened, nodes, rounds, cut, records, recorded } = state;
  return {
    version: SAVED_VERSION,
    part,
    frontier: heaps.flat().sort((a, b) => a.order - b.order),
    closed: closed.map(numberOut),
    proved: proved.map(({ lower, point }) => ({
      lower: lower === -Infinity ? null : lower,
      point: point === null ? null : Array.from(point),
    })),
    opened,
    nodes,
    rounds,
    cut,
    ...(records.length > 0 && { records: [...records], recorded }),
  };
}

/** Throws: `RangeError` for another version. Reads what it wrote: a tree from elsewhere is to be checked before. */
export function loadTree<N extends TreeNode>(saved: SavedTree<N>, rules: Rules<N>): SearchState<N> {
  if (saved.version !== SAVED_VERSION) throw new RangeError(`Cannot read a saved tree of version ${saved.version}`);
  const proved = saved.proved.map(({ lower, point }) => ({
    lower: lower ?? -Infinity,
    point: point === null ? null : Float64Array.from(point),
  }));
  const state = emptyState<N>(saved.closed.map(numberIn), proved, saved.part);
  for (const one of saved.frontier) reopen(state, one, rules);
  settle(state, rules);
  state.records.push(...saved.records ?? []);
  state.recorded = saved.recorded ?? 0;
  return Object.assign(state, { opened: saved.opened, nodes: saved.nodes, rounds: saved.rounds });
}

function numberOut(bound: number): number | "overflow" | null {
  return bound === Infinity ? "overflow" : bound === -Infinity ? null : bound;
}

function numberIn(bound: number | "overflow" | null): number {
  return bound === "overflow" ? Infinity : bound ?? -Infinity;
}

/** Upper bounds of the trees of a whole search. */
export function savedUppers<N extends TreeNode>(saved: SavedTree<N>): number[] {
  const uppers = saved.closed.map(numberIn);
  for (const { node } of saved.frontier) uppers[node.tree] = Math.max(uppers[node.tree], node.upper);
  return uppers;
}

/**
 * Deals the open nodes out to parts, the best first, one each in turn. Each part is a search that can be gone on with by
 * itself; what is known (finished bounds, proved points) goes with all of them, the count of nodes with the first.
 *
 * Throws: `RangeError` for a part of a cut search, or a search that is recorded: its pieces have one order.
 */
export function cut<N extends TreeNode>(saved: SavedTree<N>, parts: number): SavedTree<N>[] {
  if (saved.part !== null) throw new RangeError("Cannot cut a search: it is a part already");
  if (saved.records) throw new RangeError("Cannot cut a search: it is recorded");
  const best = [...saved.frontier].sort((a, b) => precedes(a, b) ? -1 : 1);
  return Array.from({ length: parts }, (_, index) => ({
    ...saved,
    part: { index, of: parts },
    frontier: best.filter((_, k) => k % parts === index).sort((a, b) => a.order - b.order),
    ...(index > 0 && { nodes: 0, rounds: 0 }),
  }));
}

/**
 * The search whose open nodes are those of all parts: its bounds hold as theirs do. The parts' frontiers follow one another
 * in the order of the parts.
 *
 * Throws: `RangeError` unless all parts of one cut are there.
 */
export function join<N extends TreeNode>(parts: readonly SavedTree<N>[]): SavedTree<N> {
  const inOrder = [...parts].sort((a, b) => (a.part?.index ?? -1) - (b.part?.index ?? -1));
  if (parts.length === 0 || inOrder.some(({ part }, k) => part?.index !== k || part.of !== parts.length)) {
    throw new RangeError("Cannot join: not all parts of one cut are there");
  }
  const [first] = inOrder;
  const frontier = inOrder.flatMap((part) => part.frontier).map(({ node }, order) => ({ node, order }));
  const sum = (of: (part: SavedTree<N>) => number) => inOrder.reduce((total, part) => total + of(part), 0);
  return {
    ...first,
    part: null,
    frontier,
    closed: first.closed.map((_, tree) => numberOut(Math.max(...inOrder.map(({ closed }) => numberIn(closed[tree]))))),
    proved: first.proved.map((_, tree) =>
      inOrder.map(({ proved }) => proved[tree])
        .reduce((a, b) => (b.lower ?? -Infinity) > (a.lower ?? -Infinity) ? b : a)
    ),
    opened: frontier.length,
    nodes: sum(({ nodes }) => nodes),
    rounds: sum(({ rounds }) => rounds),
    cut: inOrder.some((part) => part.cut),
  };
}
