import type { PieceRecord } from "../certificate/search_record.ts";
import { addTo, bestTrees, type Heap, type Open, takeBest } from "./frontier.ts";
import { enoughFor, type Goal, levelsOf } from "./goal.ts";
import type { Candidate, Expansion, Proved, RecordedPart, Root, TreeNode } from "./tree.ts";

/** A part of a cut search. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** A search between rounds. Open nodes are those that still matter; every other part of a tree is in `closed`. */
export interface SearchState<N extends TreeNode> {
  readonly heaps: Heap<N>[];
  readonly closed: number[];
  readonly proved: Proved[];
  /** Which part of a cut search it is; null: the whole. */
  readonly part: Part | null;
  levels: Float64Array;
  /** Nodes that were opened, bounded, and rounds. */
  opened: number;
  nodes: number;
  rounds: number;
  /** The last round was smaller than it would have been with more nodes: nothing may follow it. */
  cut: boolean;
  /** Open nodes, and the bytes they take. */
  open: number;
  bytes: number;
  /** Every bounded piece of a search that is recorded, and the numbers in it. */
  readonly records: PieceRecord[];
  recorded: number;
}

/** What the state's functions need to know of a search. */
export interface Rules<N extends TreeNode> {
  readonly goal: Goal;
  readonly gap: number;
  /** Bytes that an open node takes. */
  readonly bytesOf: (node: N) => number;
}

/** Throws: `RangeError` for a node whose bound is above its tree's. */
export function plant<N extends TreeNode>(roots: readonly Root<N>[], rules: Rules<N>): SearchState<N> {
  const state = emptyState<N>(
    roots.map(({ node, upper }) => node === null ? upper : -Infinity),
    roots.map(({ proved }) => proved),
  );
  roots.forEach(({ node, upper, recorded }, tree) => {
    const at = recorded ? keepRecord(state, recorded, null) : undefined;
    if (node !== null) open(state, placed(checkedNode(node, tree, upper), at), rules);
  });
  settle(state, rules);
  return state;
}

export function emptyState<N extends TreeNode>(
  closed: readonly number[],
  proved: readonly Proved[],
  part: Part | null = null,
): SearchState<N> {
  return {
    heaps: closed.map(() => []),
    closed: [...closed],
    proved: [...proved],
    part,
    levels: new Float64Array(closed.length).fill(-Infinity),
    opened: 0,
    nodes: 0,
    rounds: 0,
    cut: false,
    open: 0,
    bytes: 0,
    records: [],
    recorded: 0,
  };
}

/** Where the record stands from now on. */
function keepRecord<N extends TreeNode>(
  state: SearchState<N>,
  { record, numbers }: Omit<RecordedPart, "child">,
  parent: number | null,
): number {
  state.recorded += numbers;
  return state.records.push({ ...record, parent }) - 1;
}

function placed<N extends TreeNode>(node: N, record: number | undefined): N {
  return record === undefined ? node : { ...node, record };
}

/** Opens a node, or keeps only its bound where that no longer matters. */
function open<N extends TreeNode>(state: SearchState<N>, node: N, rules: Rules<N>): void {
  const order = state.opened++, { tree, upper } = node;
  if (upper > state.levels[tree]) reopen(state, { node, order }, rules);
  else state.closed[tree] = Math.max(state.closed[tree], upper);
}

/** Adds an open node with the age that it has. */
export function reopen<N extends TreeNode>(state: SearchState<N>, one: Open<N>, { bytesOf }: Rules<N>): void {
  addTo(state.heaps[one.node.tree], one);
  state.open++;
  state.bytes += bytesOf(one.node);
}

/** The best open nodes, at most so many: furthest above their levels first. */
export function take<N extends TreeNode>(state: SearchState<N>, count: number, { bytesOf }: Rules<N>): N[] {
  const nodes: N[] = [];
  const trees = bestTrees(state.heaps, state.levels, count);
  while (nodes.length < count) {
    const [tree] = bestTrees(state.heaps, state.levels, 1, trees);
    if (tree === undefined) break;
    const { node } = takeBest(state.heaps[tree]);
    state.open--;
    state.bytes -= bytesOf(node);
    nodes.push(node);
  }
  return nodes;
}

/**
 * Merges what the nodes of a round became, in their order. The levels stay: they move in {@link settle}, between rounds.
 *
 * Throws: `RangeError` for an expansion that breaks its contract.
 */
export function merge<N extends TreeNode>(
  state: SearchState<N>,
  nodes: readonly N[],
  expansions: readonly Expansion<N>[],
  most: number,
  rules: Rules<N>,
): void {
  if (expansions.length !== nodes.length) throw new RangeError("Cannot search: not one expansion a node");
  expansions.forEach(({ children, closed, bounded, records = [] }, at) => {
    const { tree, upper, record: parent = null } = nodes[at];
    if (!(bounded >= 0 && bounded <= most)) {
      throw new RangeError(`Cannot search: ${bounded} nodes bounded, not ${most}`);
    }
    if (!(closed <= upper)) throw new RangeError(`Cannot search: a finished part has ${closed}, its parent ${upper}`);
    state.closed[tree] = Math.max(state.closed[tree], closed);
    const places = new Map<number | null, number>();
    for (const one of records) places.set(one.child, keepRecord(state, one, parent));
    let k = 0;
    for (const child of children) open(state, placed(checkedNode(child, tree, upper), places.get(k++)), rules);
    state.nodes += bounded;
  });
  state.rounds++;
}

function checkedNode<N extends TreeNode>(node: N, tree: number, upper: number): N {
  if (node.tree === tree && node.upper <= upper) return node;
  throw new RangeError(
    `Cannot search: a node of tree ${node.tree} has ${node.upper}, its parent in tree ${tree} ${upper}`,
  );
}

/** The candidates that look better than what is proved for their tree. */
export function promising<N extends TreeNode>(
  { proved, levels }: SearchState<N>,
  expansions: readonly Expansion<N>[],
): Candidate[] {
  return expansions.flatMap(({ points }) => points)
    .filter(({ tree, score }) => levels[tree] < Infinity && score > enoughFor(proved[tree].lower, 0));
}

/** Takes over what was proved at points, in order. */
export function improve<N extends TreeNode>(
  { proved }: SearchState<N>,
  points: readonly Candidate[],
  lowers: readonly number[],
): void {
  points.forEach(({ tree, point }, k) => {
    if (lowers[k] > proved[tree].lower) proved[tree] = { lower: lowers[k], point };
  });
}

/** Takes over what was proved elsewhere. */
export function hear<N extends TreeNode>(state: SearchState<N>, proved: readonly Proved[], rules: Rules<N>): void {
  let isNew = false;
  proved.forEach((one, tree) => {
    if (!(one.lower > state.proved[tree].lower)) return;
    state.proved[tree] = one;
    isNew = true;
  });
  if (isNew) settle(state, rules);
}

/** Moves the levels to what is known now, and drops open nodes that no longer matter: their bounds stay in `closed`. */
export function settle<N extends TreeNode>(state: SearchState<N>, { goal, gap, bytesOf }: Rules<N>): void {
  const before = state.levels;
  state.levels = levelsOf(goal, state, gap);
  state.heaps.forEach((heap, tree) => {
    const level = state.levels[tree];
    if (level === before[tree]) return;
    const left: Heap<N> = [];
    for (const one of heap) {
      if (one.node.upper > level) addTo(left, one);
      else {
        state.closed[tree] = Math.max(state.closed[tree], one.node.upper);
        state.open--;
        state.bytes -= bytesOf(one.node);
      }
    }
    state.heaps[tree] = left;
  });
}

/** The bound of each tree: the largest of its open and finished parts; -Infinity where all were found empty. */
export function uppersOf<N extends TreeNode>({ heaps, closed }: SearchState<N>): number[] {
  return closed.map((bound, tree) => heaps[tree].length === 0 ? bound : Math.max(bound, heaps[tree][0].node.upper));
}
