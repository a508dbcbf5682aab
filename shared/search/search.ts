import type { NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { SearchLimits as Limits } from "../query.ts";
import { gradientAt, leastNorm } from "../witness/prove.ts";
import { boundPieces } from "./bound_pieces.ts";
import { addTo, bestOf, type Frontier, newFrontier, takeBest } from "./frontier.ts";
import { countOf, type Piece, piecesOf, type SearchNode } from "./node.ts";
import { tryPoint } from "./points.ts";
import { prepare, type Prepared, type Problem } from "./problem.ts";

/** Nodes that are split together. A constant of the search: answers depend on it. */
export const NODES_PER_ROUND = 8;

/** The most pieces that are bounded together: three a neuron of clip. */
export const PIECES_PER_ROUND = 3 * NODES_PER_ROUND;

/** A bound this close to what is proved (relative) is not split further. */
const SETTLED = 1e-9;

/** A lower bound and the point at which it is proved. */
export interface Proved {
  readonly point: Float64Array;
  readonly lower: number;
}

/** What is known of each asked row, and of the activations' inputs over the whole box. */
export interface Root {
  readonly uppers: readonly number[];
  readonly proved: readonly Proved[];
  readonly inherited: ReadonlyMap<NodeId, Box>;
}

export interface Searched {
  readonly uppers: number[];
  readonly proved: Proved[];
  /** Pieces that were bounded, and those left whose bounds could still lower the largest one. */
  readonly nodes: number;
  readonly open: number;
  readonly stoppedBy: "closed" | "gap" | "max_nodes";
}

/** How a node is split and pieces are bounded; handed in so that tests can show what a wrong step does. */
export interface Steps {
  readonly split: typeof piecesOf;
  readonly bound: typeof boundPieces;
}

/** A search under way. */
interface State {
  readonly frontier: Frontier;
  /** The largest bound of the closed nodes of each row. */
  readonly closed: number[];
  readonly proved: Proved[];
  nodes: number;
}

/**
 * Branch and bound for the largest of some rows' norms: one tree a row, one frontier and one incumbent for all.
 *
 * In rounds: the best open nodes are split, all pieces are bounded together and merged in order, and the incumbent (the
 * largest lower bound proved) changes only between rounds. So the same question takes the same steps everywhere, and one
 * with more nodes begins with the steps of one with fewer. At any time a row's bound is the largest of its open and closed
 * nodes. Throws: the signal's reason when aborted.
 */
export async function search(
  problem: Problem,
  root: Root,
  limits: Limits,
  steps: Steps = { split: piecesOf, bound: boundPieces },
): Promise<Searched> {
  const state: State = {
    frontier: newFrontier(),
    closed: root.uppers.map(() => -Infinity),
    proved: [...root.proved],
    nodes: 0,
  };
  const prepared = prepare(problem, root.inherited);
  await plantRoots(prepared, root, limits, state);
  for (;;) {
    problem.run.signal?.throwIfAborted();
    const stoppedBy = reasonToStop(state, limits);
    if (stoppedBy !== null) return { ...resultOf(state), stoppedBy };
    const pieces = nextPieces(prepared, state, limits, steps.split);
    if (pieces.length === 0) return { ...resultOf(state), stoppedBy: "max_nodes" };
    const bounded = await steps.bound(prepared, pieces);
    state.nodes += pieces.length;
    const nodes = bounded.filter((node) => node !== null);
    nodes.forEach((node) => add(state, node));
    await improve(prepared, state, nodes);
  }
}

/** The roots with their first splits; bounded as one piece each only where there is something to search. */
async function plantRoots(problem: Prepared, { uppers, inherited }: Root, limits: Limits, state: State): Promise<void> {
  const phases = new Map();
  const pieces = uppers.map((upper, seed): Piece => ({
    seed,
    box: problem.box,
    phases,
    inherited,
    upper,
    madeBy: null,
  }));
  const open = pieces.filter(({ upper }) => !isSettled(state, upper));
  const done = gapOf(Math.max(...uppers), incumbentOf(state)) <= limits.gap || limits.max_nodes < 2;
  const split = new Map<number, SearchNode["split"]>();
  for (let from = 0; from < open.length && !done; from += PIECES_PER_ROUND) {
    const bounded = await boundPieces(problem, open.slice(from, from + PIECES_PER_ROUND));
    for (const node of bounded) if (node !== null) split.set(node.seed, node.split);
  }
  for (const { madeBy: _, ...piece } of pieces) {
    // A root is never empty: it keeps its bound.
    const node = { ...piece, split: split.get(piece.seed) ?? null };
    if (done) addTo(state.frontier, node);
    else add(state, node);
  }
}

/** Opens a node, or closes one in which nothing is left to decide. */
function add({ frontier, closed }: State, node: SearchNode): void {
  if (node.split === null) closed[node.seed] = Math.max(closed[node.seed], node.upper);
  else addTo(frontier, node);
}

function reasonToStop(state: State, { gap }: Limits): Searched["stoppedBy"] | null {
  const best = bestOf(state.frontier);
  if (best === undefined || !isOpen(state, best)) return "closed";
  return gapOf(best.upper, incumbentOf(state)) <= gap ? "gap" : null;
}

/** Whether a node's bound, lowered, could lower the largest bound. */
function isOpen(state: State, { upper }: SearchNode): boolean {
  return upper > Math.max(...state.closed) && !isSettled(state, upper);
}

function isSettled(state: State, upper: number): boolean {
  return upper < Infinity && upper - incumbentOf(state) <= SETTLED * upper;
}

function incumbentOf({ proved }: State): number {
  return proved.reduce((most, { lower }) => Math.max(most, lower), 0);
}

/** (upper - lower) / upper; 0 where both are 0. */
export function gapOf(upper: number, lower: number): number {
  return upper === 0 ? 0 : (upper - lower) / upper;
}

/** The pieces of the best open nodes, as far as they fit into what may be bounded. */
function nextPieces({ graph }: Prepared, state: State, { max_nodes }: Limits, split: Steps["split"]): Piece[] {
  const pieces: Piece[] = [];
  for (let taken = 0; taken < NODES_PER_ROUND; taken++) {
    const best = bestOf(state.frontier);
    if (best === undefined || !isOpen(state, best)) break;
    if (best.split === null || state.nodes + pieces.length + countOf(best.split) > max_nodes) break;
    pieces.push(...split(takeBest(state.frontier), (activation) => graph.nodes[activation].size));
  }
  return pieces;
}

/** Tries a point for each new node and proves those that look better than what is proved for their row. */
async function improve(problem: Prepared, { proved }: State, nodes: readonly SearchNode[]): Promise<void> {
  const found = nodes.map((node) => ({ seed: node.seed, ...tryPoint(problem, node) }))
    .filter(({ seed, score }) => score > proved[seed].lower * (1 + SETTLED));
  const asked = found.map(({ point, seed }) => ({ point, seed: problem.seeds[seed] }));
  const gradients = await gradientAt(problem.graph, asked, problem.run);
  found.forEach(({ seed, point }, k) => {
    const lower = leastNorm(gradients[k]);
    if (lower > proved[seed].lower) proved[seed] = { point, lower };
  });
}

function resultOf(state: State): Omit<Searched, "stoppedBy"> {
  const uppers = [...state.closed];
  let open = 0;
  for (const { node } of state.frontier.heap) {
    uppers[node.seed] = Math.max(uppers[node.seed], node.upper);
    if (isOpen(state, node)) open++;
  }
  // Every point of the region lies in a piece of each row.
  if (uppers.includes(-Infinity)) throw new RangeError("Cannot search: all pieces of a row were found empty");
  return { uppers, proved: state.proved, nodes: state.nodes, open };
}
