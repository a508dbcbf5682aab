import { mostNumbersIn, type SearchRecord } from "../certificate/search_record.ts";
import type { Run, Work } from "../bounds/pass.ts";
import type { CondensedNetwork } from "../condensed/condense_network.ts";
import { plainVectors } from "../kernels/vectors_reference.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import { addDown, multiplyDown, nextUp } from "../numeric/rounding.ts";
import type { SearchLimits } from "../query.ts";
import { mostEntryAt, mostNormAt } from "../witness/exact_gradients.ts";
import { gradientAt, leastNorm, outputsAt } from "../witness/prove.ts";
import type { Conduct, Conducted, Continuation } from "./conduct.ts";
import type { Distribute } from "./distribute.ts";
import { expanderOf, type Problem } from "./expand.ts";
import { enoughFor, type Goal, levelsOf } from "./goal.ts";
import { boundAim, type Original } from "./leaf.ts";
import { FLOPS_A_MILLISECOND, MOST_RECORDED_NUMBERS } from "./limits.ts";
import { begin, resume, search, type SearchContext, type Searched, type Task } from "./loop.ts";
import type { Aim } from "./objective.ts";
import { bytesOf, type Piece } from "./piece.ts";
import { flopsOfPiece, type Region, regionOf, vectorsFor } from "./region.ts";
import type { SavedTree } from "./saved.ts";
import { type Asked, problemOf, rootOf } from "./roots.ts";
import { keepExact, newTrace, recordedTree, recordOf, type Trace } from "./trace.ts";
import type { Candidate, Expander, Prove, Proved, Root } from "./tree.ts";

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
  readonly limits: SearchLimits;
  /** Where a point may be handed out: it, or one beside it. */
  readonly place: (point: Float64Array) => Float64Array;
  /** What is proved at a point holds in every box around it, and not in this one alone. */
  readonly everyBox?: boolean;
  /** Proves lower bounds at points (default: at the place of the point, in outward arithmetic and then exactly). */
  readonly prove?: Prove;
  readonly run: Run;
}

export interface RegionContext extends Omit<SearchContext<Piece>, "heard" | "onRound">, Continuation {
  /** Shares rounds out to other threads (absent: all is done on this one). */
  readonly distribute?: Distribute;
  /** How many of them, this one included (default 1): so much more arithmetic fits into a time limit. */
  readonly threads?: number;
}

export interface RegionSearched extends Omit<Searched<Piece>, "save" | "records"> {
  /** Where one was asked for. */
  readonly record?: SearchRecord;
  /** Into how many a host cut the search. */
  readonly parts?: number;
  /** Of each tree at least the share of the box's volume over which its bound is above its level; 1 where that is not known. */
  readonly openShares: readonly number[];
}

/**
 * Branch and bound over the condensed network. A network too large for that, or for the kernels' memory, is answered with the
 * bounds that are there, as stopped by memory.
 */
export async function searchRegion(
  question: SearchQuestion,
  context: RegionContext = {},
): Promise<RegionSearched> {
  const { box, network, asked, proved, goal, limits, run } = question;
  const levels = levelsOf(goal, { closed: asked.map(() => -Infinity), proved }, limits.gap);
  const isOpen = asked.map(({ upper }, tree) => upper > levels[tree]);
  const vectors = network && vectorsFor(network, run.kernels);
  if (vectors === null) {
    const trees = proved.map((one, tree) => ({ ...one, upper: asked[tree].upper }));
    const open = isOpen.filter(Boolean).length;
    return {
      trees,
      nodes: 0,
      open,
      stoppedBy: open > 0 ? "memory" : "closed",
      openShares: isOpen.map(Number),
      ...recorded(question, []),
    };
  }
  try {
    return await searchIn(regionOf(network!, box, () => vectors), question, isOpen, levels, context);
  } finally {
    vectors.release();
  }
}

async function searchIn(
  region: Region,
  question: SearchQuestion,
  isOpen: readonly boolean[],
  levels: Float64Array,
  { distribute, threads = 1, saved, onSave, conduct, ...context }: RegionContext,
): Promise<RegionSearched> {
  const { original, box, asked, proved, goal, limits, place, run } = question, isRecorded = limits.record === true;
  const makeVectors = (numbers: number) => run.kernels.vectors(numbers) ?? plainVectors;
  const problem: Problem = {
    ...problemOf(region, original, asked, makeVectors),
    // What a record tells is of the region's units and of splits of units.
    ...(isRecorded && { isRecorded, fewest: Infinity, every: Infinity }),
  };
  const local = expanderOf(problem);
  // What a piece's record holds at most, and what there is of records.
  const mostNumbers = isRecorded ? mostNumbersIn(region.width, region.features, region.network.outputs) : 0;
  let held = 0;
  const roots = asked.map(({ upper }, tree): Root<Piece> => {
    run.signal?.throwIfAborted();
    const { aim } = asked[tree], isOne = aim.kind !== "value" || aim.among === undefined;
    if (!isOpen[tree]) return { upper, node: null, proved: proved[tree] };
    // No round follows then: the search ends as it begins.
    const isLast = limits.max_nodes < local.most || held + mostNumbers > MOST_RECORDED_NUMBERS;
    const trace = isRecorded ? newTrace() : null;
    const kept = (root: Root<Piece>): Root<Piece> => {
      if (trace === null) return root;
      const recorded = recordOf(region, null, tree, 0, trace, root.upper);
      held += recorded.numbers;
      return { ...root, recorded };
    };
    if (region.width === 0 && isOne) return kept(leafRoot(region, original, aim, upper, proved[tree], trace));
    if (isLast) return { upper, node: notBounded(tree, upper), proved: proved[tree] };
    const node = rootOf(problem, tree, upper, levels[tree], trace);
    if (node.split !== null || !isOne) return kept({ upper: node.upper, node, proved: proved[tree] });
    return kept(leafRoot(region, original, aim, node.upper, proved[tree], trace, node.phases));
  });
  const proveAt = question.prove ??
    ((points: readonly Candidate[]) => prove(question, points.map((one) => ({ ...one, point: place(one.point) }))));
  // A root of which nothing is open has one gradient, wherever in the box.
  const first = roots.flatMap(({ upper, node, proved: { lower, point } }, tree): Candidate[] =>
    isOpen[tree] && node === null && upper > enoughFor(lower, 0) && asked[tree].aim.kind !== "value"
      ? [{ tree, point: point ?? midpoint(box), score: upper }]
      : []
  );
  const lowers = first.length > 0 ? await proveAt(first) : [];
  first.forEach(({ tree, point }, i) => {
    if (lowers[i] > roots[tree].proved.lower) roots[tree] = { ...roots[tree], proved: { lower: lowers[i], point } };
  });
  const flops = flopsOfPiece(region.width, region.features), { objectives, scales, fewest, every } = problem;
  // Objectives are ready to be shared from here on: their roots have refined them.
  const plain = { network: region.network, box, original, objectives, scales, fewest, every, isRecorded };
  const distributed = distribute?.({ problem: plain, expander: local, flops: local.most * flops });
  const before = { ...run.work }, { time_ms } = limits;
  const most = time_ms === undefined ? Infinity : time_ms * threads * FLOPS_A_MILLISECOND;
  const task: Task<Piece> = {
    goal,
    limits,
    expander: counting(distributed ?? local, flops, run),
    bytesOf,
    recordedNumbers: local.most * mostNumbers,
    prove: proveAt,
  };
  const searching: SearchContext<Piece> = {
    signal: run.signal,
    ...context,
    isSpent: () => run.work.flops - before.flops >= most,
    ...(onSave && { onRound: (save) => onSave(() => ({ tree: save(), work: since(before, run) })) }),
  };
  try {
    if (saved) spend(run, saved.work);
    const driven = conduct && !isRecorded ? await conducted(conduct, saved?.tree ?? begin(roots, task)) : null;
    const from = driven?.tree ?? saved?.tree;
    // The bounds of a part are not those of the search.
    if (from && from.part !== null) throw new RangeError("Cannot go on: the tree is a part of a search");
    // Where `max_nodes` cut a round short the search had ended.
    const max_nodes = saved?.tree.cut ? saved.tree.nodes : limits.max_nodes;
    const found = from
      ? await resume(from, { ...task, limits: { ...limits, max_nodes } }, searching)
      : await search(roots, task, searching);
    const { save: _, records, ...rest } = found;
    // Proved where it is handed out.
    const trees = found.trees.map((tree) => ({ ...tree, point: tree.point && place(tree.point) }));
    return {
      ...rest,
      trees,
      openShares: openShares(found, box, asked.length),
      ...recorded(question, records),
      ...(driven && { parts: driven.parts }),
    };
  } finally {
    problem.places.release();
    distributed?.close();
  }

  /** What the host makes of the search from a tree on; work that was done elsewhere is counted as if it were done here. */
  async function conducted(conduct: Conduct, begun: SavedTree<Piece>): ReturnType<Conduct> {
    const advance: Conducted["advance"] = async (tree, { nodes = Infinity, ...context } = {}) => {
      const start = { ...run.work }, max_nodes = Math.min(limits.max_nodes, tree.nodes + nodes);
      const { save } = await resume(tree, { ...task, limits: { ...limits, max_nodes } }, {
        ...searching,
        // What is saved is the whole search, or nothing.
        onRound: undefined,
        ...context,
      });
      const work = since(start, run);
      Object.assign(run.work, start);
      return { tree: save(), work };
    };
    const driven = await conduct({ begun: { tree: begun, work: since(before, run) }, advance });
    spend(run, driven.work);
    return driven;
  }
}

function since(before: Readonly<Work>, { work }: Run): Work {
  return { flops: work.flops - before.flops, rows: work.rows - before.rows };
}

function spend({ work }: Run, { flops, rows }: Readonly<Work>): void {
  work.flops += flops;
  work.rows += rows;
}

/** The record of a search, where one was asked for. */
function recorded(
  { network, asked, limits }: SearchQuestion,
  pieces: SearchRecord["pieces"],
): { readonly record?: SearchRecord } {
  if (!limits.record) return {};
  const units = (network?.units ?? []).map(({ activation, index, kink }) => ({ activation, index, kink }));
  return { record: { units, trees: asked.map(({ aim, upper }) => recordedTree(aim, upper)), pieces } };
}

/** The same expander, with every bounded part counted as so much work. */
function counting({ most, expand }: Expander<Piece>, flops: number, { work }: Run): Expander<Piece> {
  return {
    most,
    async expand(nodes, levels) {
      const expansions = await expand(nodes, levels);
      for (const { bounded } of expansions) work.flops += flops * bounded;
      return expansions;
    },
  };
}

/** A root of which nothing is open. */
function leafRoot(
  region: Region,
  original: Original,
  aim: Aim,
  upper: number,
  proved: Proved,
  trace: Trace | null,
  phases: Int8Array = new Int8Array(region.width),
): Root<Piece> {
  const bound = aim.kind === "value" ? upper : boundAim(region, original, phases, aim, upper).upper;
  if (trace) {
    trace.piece ??= { box: region.box, phases, heights: NOTHING, gradients: NOTHING };
    trace.empty = null;
    if (bound < upper) keepExact(trace, bound);
  }
  return { upper: bound, node: null, proved };
}

/** Bounds of no unit. */
const NOTHING: Box = { lower: new Float64Array(0), upper: new Float64Array(0) };

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
async function prove(question: SearchQuestion, points: readonly Candidate[]): Promise<number[]> {
  const { original: { graph }, asked, run } = question;
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
  for (const i of gradients) {
    const { tree, point, score } = points[i];
    if (lower[i] < score - DOUBTED * Math.abs(score)) {
      lower[i] = Math.max(lower[i], await proveExactly(question, asked[tree].aim, point));
    }
  }
  const outputs = await outputsAt(graph, values.map((i) => points[i].point), run);
  values.forEach((i, at) => {
    const { aim } = asked[points[i].tree];
    lower[i] = aim.kind === "value" && aim.among
      ? aim.among.reduce((least, k) => Math.min(least, outputs[at].lower[k]), Infinity)
      : leastValue(aim.row, outputs[at]);
  });
  return lower;
}

/** How far below its score a point may be proved before it is looked at exactly. */
const DOUBTED = 2 ** -24;

/** The largest value of a gradient's aim in the activation regions at a point, rounded down. Source: shared/README.md (27) */
async function proveExactly(
  { original: { graph }, box, everyBox = false, run }: SearchQuestion,
  aim: Aim,
  point: Float64Array,
): Promise<number> {
  const within = everyBox ? null : box, { row: seed } = aim;
  return aim.kind === "entry"
    ? await mostEntryAt(graph, within, { point, seed, feature: aim.feature }, run)
    : await mostNormAt(graph, within, point, seed, run);
}

/** row . y for y in the box, rounded down. */
export function leastValue(row: Float64Array, { lower, upper }: Box): number {
  let sum = 0;
  row.forEach((c, k) => {
    if (c !== 0) sum = addDown(sum, multiplyDown(c, c > 0 ? lower[k] : upper[k]));
  });
  return sum;
}
