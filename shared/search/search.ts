import type { Run } from "../bounds/pass.ts";
import type { CondensedNetwork } from "../condensed/condense_network.ts";
import type { Box } from "../numeric/box.ts";
import { addDown, multiplyDown, nextUp } from "../numeric/rounding.ts";
import { gradientAt, leastNorm, outputsAt } from "../witness/prove.ts";
import type { Distribute } from "./distribute.ts";
import { expanderOf } from "./expand.ts";
import { type Goal, levelsOf } from "./goal.ts";
import type { Original } from "./leaf.ts";
import { search, type SearchContext, type Searched } from "./loop.ts";
import { bytesOf, type Piece } from "./piece.ts";
import { flopsOfPiece, type Region, regionOf } from "./region.ts";
import { type Asked, problemOf, rootOf } from "./roots.ts";
import type { Candidate, Prove, Proved, Root } from "./tree.ts";

/** What is searched: aims over a box, with what one pass over the network found. */
export interface SearchQuestion {
  readonly original: Original;
  readonly box: Box;
  /** Null: too large to be searched. */
  readonly network: CondensedNetwork | null;
  /** A tree each, with a bound and what is proved so far. */
  readonly asked: readonly Asked[];
  readonly proved: readonly Proved[];
  readonly goal: Goal;
  readonly limits: { readonly max_nodes: number; readonly gap: number };
  /** Where a point may be handed out: it, or one beside it. */
  readonly place: (point: Float64Array) => Float64Array;
  /** Proves lower bounds at points (default: by outward arithmetic at the place of the point). */
  readonly prove?: Prove;
  readonly run: Run;
}

export interface RegionContext extends SearchContext<Piece> {
  /** Shares rounds out to other threads (absent: all is done on this one). */
  readonly distribute?: Distribute;
}

export interface RegionSearched extends Omit<Searched<Piece>, "save"> {
  /** Of each tree at least the share of the box's volume over which its bound is above its level; 1 where that is not known. */
  readonly openShares: readonly number[];
}

/**
 * Branch and bound over the condensed network. A network too large for that is answered with the bounds that are there, as
 * stopped by memory.
 */
export async function searchRegion(
  question: SearchQuestion,
  context: RegionContext = {},
): Promise<RegionSearched> {
  const { box, network, asked, proved, goal, limits, run } = question;
  const levels = levelsOf(goal, { closed: asked.map(() => -Infinity), proved }, limits.gap);
  const isOpen = asked.map(({ upper }, tree) => upper > levels[tree]);
  if (network === null) {
    const trees = proved.map((one, tree) => ({ ...one, upper: asked[tree].upper }));
    const open = isOpen.filter(Boolean).length;
    return { trees, nodes: 0, open, stoppedBy: open > 0 ? "memory" : "closed", openShares: isOpen.map(Number) };
  }
  const region = regionOf(network, box, (numbers) => run.kernels.vectors(numbers));
  try {
    return await searchIn(region, question, isOpen, levels, context);
  } finally {
    region.vectors.release();
  }
}

async function searchIn(
  region: Region,
  question: SearchQuestion,
  isOpen: readonly boolean[],
  levels: Float64Array,
  { distribute, ...context }: RegionContext,
): Promise<RegionSearched> {
  const { original, box, asked, proved, goal, limits, place, run } = question;
  const problem = problemOf(region, original, asked);
  const local = expanderOf(problem);
  const roots = asked.map(({ upper }, tree): Root<Piece> => {
    run.signal?.throwIfAborted();
    const { aim } = asked[tree], isOne = aim.kind !== "value" || aim.among === undefined;
    if (!isOpen[tree] || (region.width === 0 && isOne)) return { upper, node: null, proved: proved[tree] };
    if (limits.max_nodes < local.most) return { upper, node: notBounded(tree, upper), proved: proved[tree] };
    const node = rootOf(problem, tree, upper, levels[tree]);
    return { upper: node.upper, node: node.split === null && isOne ? null : node, proved: proved[tree] };
  });
  const flops = flopsOfPiece(region.width, region.features), { objectives, scales, fewest, every } = problem;
  // Objectives are ready to be shared from here on: their roots have refined them.
  const plain = { network: region.network, box, original, objectives, scales, fewest, every };
  const distributed = distribute?.({ problem: plain, expander: local, flops: local.most * flops });
  try {
    const found = await search(roots, {
      goal,
      limits,
      expander: distributed ?? local,
      bytesOf,
      prove: question.prove ??
        ((points) => prove(question, points.map((one) => ({ ...one, point: place(one.point) })))),
    }, { signal: run.signal, ...context });
    run.work.flops += found.nodes * flops;
    return { ...found, openShares: openShares(found, box, asked.length) };
  } finally {
    problem.places.release();
    distributed?.close();
  }
}

/** Pieces that phases part may overlap as boxes: their shares are added all the same, up to 1. */
function openShares({ save, trees, open }: Searched<Piece>, { lower, upper }: Box, count: number): number[] {
  const shares = new Array<number>(count).fill(0);
  if (open === 0) return shares;
  const { frontier, closed } = save();
  for (const { node: { tree, box } } of frontier) {
    let share = 1;
    for (let j = 0; box !== null && j < lower.length; j++) {
      if (lower[j] < upper[j]) {
        share = nextUp(share * nextUp(nextUp(box.upper[j] - box.lower[j]) / (upper[j] - lower[j])));
      }
    }
    shares[tree] = Math.min(1, nextUp(shares[tree] + Math.min(1, share)));
  }
  // What is finished above the frontier counts as a whole.
  closed.forEach((bound, tree) => {
    if (bound === "overflow" || (bound !== null && bound === trees[tree].upper && shares[tree] > 0)) shares[tree] = 1;
  });
  return shares;
}

/** A root that no node may be spent on. */
function notBounded(tree: number, upper: number): Piece {
  const none = new Float64Array(0), nothing = { lower: none, upper: none }, bytes = new Int8Array(0);
  return {
    tree,
    upper,
    box: null,
    base: null,
    phases: bytes,
    heights: nothing,
    gradients: nothing,
    signs: bytes,
    multipliers: new Float32Array(0),
    weights: none,
    split: null,
    rival: null,
    prefers: "unit",
    depth: 0,
  };
}

/** Lower bounds of the aims at points, over the reals. Source: shared/README.md (11) */
async function prove(
  { original: { graph }, asked, run }: SearchQuestion,
  points: readonly Candidate[],
): Promise<number[]> {
  const lower = new Array<number>(points.length).fill(-Infinity);
  const gradients = points.flatMap(({ tree }, i) => asked[tree].aim.kind === "value" ? [] : [i]);
  const values = points.flatMap(({ tree }, i) => asked[tree].aim.kind === "value" ? [i] : []);
  const boxes = await gradientAt(
    graph,
    gradients.map((i) => ({ point: points[i].point, seed: asked[points[i].tree].aim.row })),
    run,
  );
  gradients.forEach((i, at) => {
    const { aim } = asked[points[i].tree];
    lower[i] = aim.kind === "entry" ? boxes[at].lower[aim.feature] : leastNorm(boxes[at]);
  });
  const outputs = await outputsAt(graph, values.map((i) => points[i].point), run);
  values.forEach((i, at) => {
    const { aim } = asked[points[i].tree];
    lower[i] = aim.kind === "value" && aim.among
      ? aim.among.reduce((least, k) => Math.min(least, outputs[at].lower[k]), Infinity)
      : leastValue(aim.row, outputs[at]);
  });
  return lower;
}

/** row . y for y in the box, rounded down. */
export function leastValue(row: Float64Array, { lower, upper }: Box): number {
  let sum = 0;
  row.forEach((c, k) => {
    if (c !== 0) sum = addDown(sum, multiplyDown(c, c > 0 ? lower[k] : upper[k]));
  });
  return sum;
}
