import type { Pass, Run } from "../bounds/pass.ts";
import { rulesOf } from "../bounds/pass.ts";
import { condenseNetwork } from "../condensed/condense_network.ts";
import type { Graph } from "../graph.ts";
import { midpoint } from "../numeric/box.ts";
import { evaluatePlain } from "../witness/plain_network.ts";
import {
  type Alternatives,
  boundBoxes,
  type BoundedBoxes,
  type BoxPiece,
  halvesOf,
  largestOf,
  leastOf,
} from "./box_piece.ts";
import { boundingOf, expandPiece, settle } from "./expand.ts";
import type { Asked } from "./roots.ts";
import { problemOf, rootPart } from "./roots.ts";
import type { Piece } from "./piece.ts";
import { regionOf, vectorsFor } from "./region.ts";
import type { Candidate, Expander, Expansion } from "./tree.ts";

/** Pieces of a box are searched where it leaves so few neurons undetermined, and so many of them are bounded. */
const FEW_UNITS = 32, MOST_PIECES = 48;

/**
 * Splits boxes of inputs, and bounds the halves by passes over the network itself, those of a round together. Where few
 * neurons are left undetermined on a box, its pieces are searched on the network condensed over it: that decides what no
 * box does, the phases' boundaries and the least of several outputs.
 *
 * A node is bounded when its turn comes, if it was not before. `alternatives`: by tree.
 */
export function boxExpander(graph: Graph, alternatives: readonly Alternatives[], run: Run): Expander<BoxPiece> {
  return {
    most: 2 * (1 + MOST_PIECES),
    expand: (nodes, levels) =>
      run.kernels.scope(async () => {
        const parts = nodes.map((node) => {
          const { tree, inputs } = node;
          return inputs === null ? [node] : halvesOf(graph, node, alternatives[tree], levels[tree]);
        });
        const whole = (node: BoxPiece) => ({ children: [], closed: node.upper, bounded: 0, points: [] });
        if (parts.every((halves) => halves.length === 0)) return nodes.map(whole);
        const { pass, pieces } = await boundBoxes(graph, parts.flat(), alternatives, levels, run);
        let group = 0;
        return nodes.map((node, at) => {
          if (parts[at].length === 0) return whole(node);
          const found = parts[at].map(() => {
            const one = settleBox(graph, pieces[group], alternatives[node.tree], levels[node.tree], pass, group, run);
            group++;
            return one;
          });
          return together(found);
        });
      }),
  };
}

function together(parts: readonly Expansion<BoxPiece>[]): Expansion<BoxPiece> {
  return {
    children: parts.flatMap(({ children }) => children),
    closed: parts.reduce((most, { closed }) => Math.max(most, closed), -Infinity),
    bounded: parts.reduce((sum, { bounded }) => sum + bounded, 0),
    points: parts.flatMap(({ points }) => points),
  };
}

function settleBox(
  graph: Graph,
  piece: BoundedBoxes["pieces"][number],
  alternatives: Alternatives,
  level: number,
  pass: Pass,
  group: number,
  run: Run,
): Expansion<BoxPiece> {
  if (piece.upper <= level) return { children: [], closed: piece.upper, bounded: 1, points: [] };
  const { tree } = piece, points: Candidate[] = [];
  const middle = midpoint(piece.box), values = evaluatePlain(graph, middle).values[graph.nodes.length - 1];
  const score = Math.max(...alternatives.map((outputs) => leastOf(values, outputs)));
  if (score >= 0) points.push({ tree, point: middle, score });
  if (openUnits(pass, group) > FEW_UNITS) return { children: [piece], closed: -Infinity, bounded: 1, points };
  const within = searchWithin(graph, piece, alternatives, level, pass, group, run);
  points.push(...within.points.filter((one) => one.score >= 0));
  const bounds = within.bounds, upper = largestOf(bounds), bounded = 1 + within.bounded;
  return upper <= level || within.isDone
    ? { children: [], closed: upper, bounded, points }
    : { children: [{ ...piece, bounds, upper }], closed: -Infinity, bounded, points };
}

/** Neurons whose phase the pass leaves open. */
function openUnits({ graph, states }: Pass, group: number): number {
  let count = 0;
  for (const node of graph.nodes) {
    if (rulesOf(node)?.kind !== "elementwise") continue;
    const { lower, upper } = states[node.inputs[0]].boxes[group];
    for (let i = 0; i < lower.length; i++) if (lower[i] < 0 && upper[i] > 0) count++;
  }
  return count;
}

interface Within {
  readonly bounds: Float64Array;
  readonly bounded: number;
  /** Nothing is left that further splits could change. */
  readonly isDone: boolean;
  readonly points: readonly Candidate[];
}

/** The pieces of a box, depth first, for every alternative that is above the level, as far as {@link MOST_PIECES} let it. */
function searchWithin(
  graph: Graph,
  { box, bounds: known, inputs, tree }: BoundedBoxes["pieces"][number],
  alternatives: Alternatives,
  level: number,
  pass: Pass,
  group: number,
  run: Run,
): Within {
  const bounds = known.slice(), open = alternatives.map((_, a) => a).filter((a) => known[a] > level);
  const network = condenseNetwork(pass, group);
  const vectors = network && vectorsFor(network, run.kernels);
  if (network === null || vectors === null) return { bounds, bounded: 0, isDone: false, points: [] };
  try {
    const region = regionOf(network, box, () => vectors);
    const asked = open.map((a) => askedOf(alternatives[a], network.outputs, known[a]));
    // So few pieces are not worth a network of their own; inputs were split before.
    const problem = { ...problemOf(region, { graph, inputs }, asked), fewest: Infinity, every: Infinity },
      points: Candidate[] = [];
    let bounded = 0, isDone = true;
    open.forEach((a, at) => {
      if (bounded >= MOST_PIECES) {
        isDone = false;
        return;
      }
      const root = settle(problem, boundingOf(problem, at), rootPart(problem, at, known[a], level), level);
      const stack: Piece[] = root.piece ? [root.piece] : [];
      let most = root.closed;
      bounded++;
      if (root.point) points.push({ ...root.point, tree });
      while (stack.length > 0 && bounded + 2 <= MOST_PIECES) {
        const { children, closed, bounded: count, points: found } = expandPiece(problem, stack.pop()!, level);
        stack.push(...children);
        most = Math.max(most, closed);
        bounded += count;
        points.push(...found.map((one) => ({ ...one, tree })));
      }
      if (stack.length > 0) isDone = false;
      bounds[a] = Math.min(known[a], stack.reduce((sum, { upper }) => Math.max(sum, upper), most));
    });
    run.work.flops += bounded * 44 * region.width * (region.width + region.features);
    return { bounds, bounded, isDone, points };
  } finally {
    vectors.release();
  }
}

/** The least of an alternative's outputs as an aim over a network whose outputs they are. */
export function askedOf(among: readonly number[], outputs: number, upper: number): Asked {
  const row = new Float64Array(outputs);
  row[among[0]] = 1;
  return { aim: { kind: "value", row, among }, upper, lower: -Infinity, entries: null };
}
