import type { SearchReport } from "../certificate/finding.ts";
import type { PieceRecord } from "../certificate/search_record.ts";
import { boundsToShow, endedByGap, type Goal } from "./goal.ts";
import { interruption, type Interruptions, MOST_RECORDED_NUMBERS } from "./limits.ts";
import { loadTree, type SavedTree, saveTree } from "./saved.ts";
import {
  hear,
  improve,
  merge,
  plant,
  promising,
  type Rules,
  type SearchState,
  settle,
  take,
  uppersOf,
} from "./state.ts";
import type { Expander, Prove, Proved, Root, TreeNode } from "./tree.ts";

/** Nodes that are expanded together. A constant of the search: answers depend on it. */
export const NODES_PER_ROUND = 16;

/** What a search is, beside its trees: the same for every part and continuation of it. */
export interface Task<N extends TreeNode> {
  readonly goal: Goal;
  readonly limits: { readonly max_nodes: number; readonly gap: number };
  readonly expander: Expander<N>;
  readonly prove: Prove;
  /** Bytes that an open node takes (default: none are counted). */
  readonly bytesOf?: (node: N) => number;
  /** Numbers that the records of one expansion hold at most (default: nothing is recorded). */
  readonly recordedNumbers?: number;
}

/** How far a search is. */
export interface Progress {
  readonly nodes: number;
  readonly open: number;
  readonly rounds: number;
  /** Of the largest tree, else of the tree furthest from its end. */
  readonly upper: number;
  readonly lower: number;
}

/** What a host hands in beside the task: nothing here changes a step, it may only end them. */
export interface SearchContext<N extends TreeNode> extends Interruptions {
  readonly onProgress?: (progress: Progress) => void;
  /** Called between rounds with the tree as it is; `save` copies it. */
  readonly onRound?: (save: () => SavedTree<N>) => void;
  /** Asked before each round of a part: what was proved in others since, a tree each. Its steps depend on it. */
  readonly heard?: () => readonly Proved[];
}

export interface Searched<N extends TreeNode> {
  /** A tree each. `upper` is -Infinity only in a part of a search, where the tree lies in other parts. */
  readonly trees: readonly (Proved & { readonly upper: number })[];
  readonly nodes: number;
  /** Nodes left whose bounds could still change the answer. */
  readonly open: number;
  readonly stoppedBy: Exclude<SearchReport["stopped_by"], "none">;
  /** Every bounded piece, of a search that is recorded. */
  readonly records: readonly PieceRecord[];
  /** The tree at the end, to go on with. */
  readonly save: () => SavedTree<N>;
}

/**
 * Branch and bound over some trees, in rounds: the {@link NODES_PER_ROUND} best open nodes are expanded together, what they
 * became is merged in order, points are proved, and only then do the levels move. So the same task takes the same steps
 * wherever its nodes are expanded, and one with more nodes begins with the steps of one with fewer: upper bounds do not rise
 * with `max_nodes`, lower bounds do not fall. The bound of a tree is the largest of its open and finished parts, whatever
 * ends the search.
 *
 * Throws: the signal's reason when aborted; `RangeError` where bounds cross or a whole tree was found empty.
 */
export function search<N extends TreeNode>(
  roots: readonly Root<N>[],
  task: Task<N>,
  context: SearchContext<N> = {},
): Promise<Searched<N>> {
  return run(plant(roots, rulesOf(task)), task, context);
}

/**
 * Goes on from a saved tree: the steps that the search would have taken without a stop, byte for byte, unless its last
 * round was cut short by `max_nodes` (then the bounds are as valid, the steps others). `max_nodes` counts all nodes, those
 * before the stop included; goal and gap are those of before.
 */
export function resume<N extends TreeNode>(
  saved: SavedTree<N>,
  task: Task<N>,
  context: SearchContext<N> = {},
): Promise<Searched<N>> {
  return run(loadTree(saved, rulesOf(task)), task, context);
}

/** The search as it begins, to be gone on with. */
export function begin<N extends TreeNode>(roots: readonly Root<N>[], task: Task<N>): SavedTree<N> {
  return saveTree(plant(roots, rulesOf(task)));
}

function rulesOf<N extends TreeNode>({ goal, limits, bytesOf = () => 0 }: Task<N>): Rules<N> {
  return { goal, gap: limits.gap, bytesOf };
}

async function run<N extends TreeNode>(
  state: SearchState<N>,
  task: Task<N>,
  context: SearchContext<N>,
): Promise<Searched<N>> {
  const rules = rulesOf(task), { signal, clock, onProgress, onRound, heard } = context;
  for (;;) {
    signal?.throwIfAborted();
    if (heard) hear(state, heard(), rules);
    const stoppedBy = reasonToStop(state, task, context);
    if (stoppedBy !== null) return resultOf(state, stoppedBy);
    await round(state, task, rules);
    onProgress?.(progressOf(state, task.goal));
    onRound?.(() => saveTree(state));
    await clock?.pause();
  }
}

/** What the question itself decides comes first: an answer that is complete is not called interrupted. */
function reasonToStop<N extends TreeNode>(
  state: SearchState<N>,
  { goal, limits, expander, recordedNumbers = 0 }: Task<N>,
  context: SearchContext<N>,
): Searched<N>["stoppedBy"] | null {
  if (state.open === 0) return endedByGap(goal, uppersOf(state), state, limits.gap) ? "gap" : "closed";
  if (state.cut || state.nodes + expander.most > limits.max_nodes) return "max_nodes";
  // A round that a record might not hold is not begun: the question alone decides that.
  if (state.recorded + wantedNodes(state) * recordedNumbers > MOST_RECORDED_NUMBERS) return "record";
  return interruption(context, state.bytes);
}

function wantedNodes({ open }: { readonly open: number }): number {
  return Math.min(NODES_PER_ROUND, open);
}

async function round<N extends TreeNode>(state: SearchState<N>, task: Task<N>, rules: Rules<N>): Promise<void> {
  const { limits, expander, prove } = task;
  const wanted = wantedNodes(state);
  const affordable = Math.floor((limits.max_nodes - state.nodes) / expander.most);
  // What follows a smaller round would not be what follows the full one: it is the last.
  if (affordable < wanted) state.cut = true;
  const nodes = take(state, Math.min(wanted, affordable), rules);
  const expansions = await expander.expand(nodes, state.levels);
  merge(state, nodes, expansions, expander.most, rules);
  const points = promising(state, expansions);
  if (points.length > 0) improve(state, points, await prove(points));
  settle(state, rules);
}

function progressOf<N extends TreeNode>(state: SearchState<N>, goal: Goal): Progress {
  const { nodes, open, rounds, levels } = state;
  return { nodes, open, rounds, ...boundsToShow(goal, uppersOf(state), state, levels) };
}

function resultOf<N extends TreeNode>(
  state: SearchState<N>,
  stoppedBy: Searched<N>["stoppedBy"],
): Searched<N> {
  const isWhole = state.part === null;
  const trees = uppersOf(state).map((upper, tree) => ({ upper, ...state.proved[tree] }));
  trees.forEach(({ upper, lower }, tree) => {
    if (upper === -Infinity) {
      // Every point of the region lies in a part of each tree.
      if (isWhole) throw new RangeError(`Cannot search: all parts of tree ${tree} were found empty`);
    } else if (isWhole && lower > upper) {
      throw new RangeError(`Cannot search: ${lower} is proved in tree ${tree}, above its bound ${upper}`);
    }
  });
  return {
    trees,
    nodes: state.nodes,
    open: state.open,
    stoppedBy,
    records: state.records,
    save: () => saveTree(state),
  };
}
