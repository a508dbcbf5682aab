import { boundGraph } from "../bounds/bound_graph.ts";
import type { NodeId } from "../graph.ts";
import { boundNorms, derivativeRanges } from "../jacobian/jacobian_bounds.ts";
import { type Box, pointBox } from "../numeric/box.ts";
import { chooseSplit } from "./choose.ts";
import { contract } from "./contract.ts";
import type { Piece, SearchNode, Split } from "./node.ts";
import type { Prepared } from "./problem.ts";

/** A split whose pieces lose less than this share of the bound is followed by one of the other kind. */
const PAYS = 1 / 1024;

/**
 * Bounds pieces together, a group each: what their phases leave of their boxes, the network over the piece, then the
 * graph of the Jacobian with the piece's derivatives. Null where a piece is proved empty.
 *
 * Every bound is intersected with what was split: `upper` never grows. Piece by piece the bits do not depend on the others
 * (in f64; shared/README.md (12)).
 */
export async function boundPieces(problem: Prepared, pieces: readonly Piece[]): Promise<(SearchNode | null)[]> {
  const boxes = pieces.map(({ box, phases }) => contract(problem.graph, box, phases));
  const left = pieces.map((_, k) => k).filter((k) => boxes[k] !== null);
  const nodes: (SearchNode | null)[] = pieces.map(() => null);
  if (left.length === 0) return nodes;
  const bounded = await boundTogether(problem, left.map((k) => ({ ...pieces[k], box: boxes[k]! })));
  left.forEach((k, at) => nodes[k] = bounded[at]);
  return nodes;
}

async function boundTogether(problem: Prepared, pieces: readonly Piece[]): Promise<(SearchNode | null)[]> {
  const { graph, jacobian, seeds, forward: options, backward, run } = problem;
  return await run.kernels.scope(async () => {
    const groups = pieces.map(({ box, phases, inherited }) => ({ box, phases, inherited }));
    const forward = await boundGraph(graph, groups, options, run);
    const alive = pieces.map((_, g) => g).filter((g) => forward.empty[g] === 0);
    const nodes: (SearchNode | null)[] = pieces.map(() => null);
    if (alive.length === 0) return nodes;
    const ranges = alive.map((g) => derivativeRanges(forward, jacobian, g));
    const rows = alive.map((g, k) => ({ box: pointBox(seeds[pieces[g].seed]), ranges: ranges[k] }));
    const { pass, norms } = await boundNorms(jacobian, rows, backward, run);
    alive.forEach((g, k) => {
      const { madeBy, ...piece } = pieces[g];
      const inputs = inputsOf(problem, piece.inherited, (id) => forward.states[id].boxes[g]);
      const upper = norms[k] < piece.upper ? norms[k] : piece.upper;
      const prefer = preferred(madeBy, piece.upper, upper);
      const { box, phases } = piece;
      const split = chooseSplit(problem, { box, phases, inputs, ranges: ranges[k], pass, group: k, prefer });
      nodes[g] = { ...piece, inherited: inputs, upper, split };
    });
    return nodes;
  });
}

/** Bounds of the activations' inputs; where nothing changed, the parent's own arrays. */
function inputsOf(
  { graph, activations }: Prepared,
  inherited: ReadonlyMap<NodeId, Box>,
  boxOf: (id: NodeId) => Box,
): ReadonlyMap<NodeId, Box> {
  return new Map(activations.map((activation) => {
    const [id] = graph.nodes[activation].inputs;
    const box = boxOf(id), known = inherited.get(id);
    return [id, known && isSame(known, box) ? known : box];
  }));
}

function isSame(a: Box, b: Box): boolean {
  return a.lower.every((l, i) => l === b.lower[i]) && a.upper.every((u, i) => u === b.upper[i]);
}

/** The kind of split that made a piece as long as it pays, else the other; neurons first. */
function preferred(madeBy: Split["kind"] | null, before: number, after: number): Split["kind"] {
  if (madeBy === null) return "neuron";
  const pays = before === Infinity || before - after >= PAYS * before;
  return (madeBy === "neuron") === pays ? "neuron" : "input";
}
