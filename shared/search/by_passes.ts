/** The searched trees of a Lipschitz question, every node bounded by a full pass over the network. */
import type { NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { gradientAt, leastNorm } from "../witness/prove.ts";
import { boundPieces } from "./bound_pieces.ts";
import { gapOf, type Goal, incumbentOf } from "./goal.ts";
import { search, type SearchContext, type Searched } from "./loop.ts";
import { countOf, type Piece, piecesOf, type SearchNode } from "./node.ts";
import { tryPoint } from "./points.ts";
import { prepare, type Prepared, type Problem } from "./problem.ts";
import type { Candidate, Expander, Expansion, Proved, Root, TreeNode } from "./tree.ts";

/** The most pieces that are bounded together. */
export const PIECES_PER_PASS = 24;

/** What is known of each asked row, and of the activations' inputs over the whole box. */
export interface Known {
  readonly uppers: readonly number[];
  readonly proved: readonly Proved[];
  readonly inherited: ReadonlyMap<NodeId, Box>;
}

/** How a node is split and pieces are bounded; handed in so that tests can show what a wrong step does. */
export interface Steps {
  readonly split: typeof piecesOf;
  readonly bound: typeof boundPieces;
}

type Node = SearchNode & TreeNode;

/** Branch and bound for the largest of some rows' norms: one tree a row. */
export async function searchByPasses(
  problem: Problem,
  known: Known,
  limits: { readonly max_nodes: number; readonly gap: number; readonly at_most?: number },
  context: SearchContext<Node> = {},
  steps: Steps = { split: piecesOf, bound: boundPieces },
): Promise<Searched<Node>> {
  const prepared = prepare(problem, known.inherited);
  const { at_most, ...rest } = limits;
  const goal: Goal = { kind: "largest", ...(at_most === undefined ? {} : { at_most }) };
  return await search(await rootsOf(prepared, known, limits), {
    goal,
    limits: rest,
    expander: expanderOf(prepared, steps),
    prove: (points) => prove(problem, points),
    bytesOf: bytesOf(prepared),
  }, { signal: problem.run.signal, ...context });
}

/** The roots with their first splits; bounded as one piece each only where there is something to search. */
async function rootsOf(
  problem: Prepared,
  { uppers, proved, inherited }: Known,
  { max_nodes, gap, at_most }: { readonly max_nodes: number; readonly gap: number; readonly at_most?: number },
): Promise<Root<Node>[]> {
  const phases = new Map(), { box } = problem;
  const pieces = uppers.map((upper, seed): Piece => ({ seed, box, phases, inherited, upper, madeBy: null }));
  const upper = Math.max(...uppers), incumbent = incumbentOf(proved);
  const isDecided = at_most !== undefined && (upper <= at_most || incumbent > at_most);
  const isDone = isDecided || gapOf(upper, incumbent) <= gap || max_nodes < 2;
  const split = new Map<number, SearchNode["split"]>();
  const open = pieces.filter(({ upper }) => !isDone && upper > incumbent);
  for (let from = 0; from < open.length; from += PIECES_PER_PASS) {
    const bounded = await boundPieces(problem, open.slice(from, from + PIECES_PER_PASS));
    for (const node of bounded) if (node !== null) split.set(node.seed, node.split);
  }
  return pieces.map(({ madeBy: _, ...piece }, tree) => {
    // A root is never empty: it keeps its bound.
    const node = { ...piece, tree, split: split.get(tree) ?? null };
    return { upper: piece.upper, node: isDone || node.split !== null ? node : null, proved: proved[tree] };
  });
}

function expanderOf(problem: Prepared, { split, bound }: Steps): Expander<Node> {
  const { nodes } = problem.graph;
  const sizeOf = (activation: NodeId) => nodes[activation].size;
  return {
    most: nodes.some(({ operator }) => operator === "clip") ? 3 : 2,
    async expand(opened) {
      const pieces = opened.map((node) => split(node, sizeOf));
      const all = pieces.flat(), bounded: (SearchNode | null)[] = [];
      for (let from = 0; from < all.length; from += PIECES_PER_PASS) {
        problem.run.signal?.throwIfAborted();
        bounded.push(...await bound(problem, all.slice(from, from + PIECES_PER_PASS)));
      }
      let at = 0;
      return opened.map(({ tree, split }, k) =>
        expansionOf(problem, tree, split === null ? 0 : countOf(split), bounded.slice(at, at += pieces[k].length))
      );
    },
  };
}

function expansionOf(
  problem: Prepared,
  tree: number,
  count: number,
  bounded: readonly (SearchNode | null)[],
): Expansion<Node> {
  const alive = bounded.filter((node) => node !== null).map((node) => ({ ...node, tree }));
  return {
    children: alive.filter(({ split }) => split !== null),
    closed: alive.reduce((most, { split, upper }) => split === null ? Math.max(most, upper) : most, -Infinity),
    bounded: count,
    points: alive.map((node) => ({ tree, ...tryPoint(problem, node) })),
  };
}

async function prove(problem: Problem, points: readonly Candidate[]): Promise<number[]> {
  const asked = points.map(({ point, tree }) => ({ point, seed: problem.seeds[tree] }));
  return (await gradientAt(problem.graph, asked, problem.run)).map(leastNorm);
}

/** Bytes of a node that shares nothing with its parent. */
function bytesOf({ graph, activations }: Prepared): () => number {
  const neurons = activations.reduce((sum, id) => sum + graph.nodes[id].size, 0);
  const bytes = 17 * neurons + 16 * graph.nodes[0].size + 1000;
  return () => bytes;
}
