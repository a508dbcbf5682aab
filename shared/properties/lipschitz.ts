import { type Pass, rulesOf } from "../bounds/pass.ts";
import {
  finiteOrNull,
  type Outcome,
  type Reason,
  type SearchReport,
  type Target,
  type Verdict,
} from "../certificate/finding.ts";
import type { NodeId } from "../graph.ts";
import { normBounds } from "../jacobian/jacobian_bounds.ts";
import type { Box } from "../numeric/box.ts";
import type { Property } from "../query.ts";
import { searchByPasses } from "../search/by_passes.ts";
import { gapOf } from "../search/goal.ts";
import type { Problem } from "../search/problem.ts";
import { gradientAt, leastNorm } from "../witness/prove.ts";
import { searchNorms } from "../witness/search_norms.ts";
import {
  type Analysis,
  boundNetwork,
  gatesOf,
  outputSize,
  preactivationOptions,
  relaxationOptions,
  representable,
  searchBudget,
  type Seeds,
  seedsOf,
} from "./analysis.ts";

type Question = Extract<Property, { type: "lipschitz" }>;

/** A relative gap up to here is called exact. */
const EXACT_GAP = 1e-6;

/** The l_inf local Lipschitz constant: per output an upper bound over the box and a lower bound proved at a point. */
export async function lipschitz(question: Question, analysis: Analysis): Promise<Outcome> {
  const seeds = seedsOf(question, outputSize(analysis.graph));
  const { rootUppers, gates, inherited } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const rootUppers = await normBounds(forward, seeds.rows, relaxationOptions(analysis), analysis.run);
    return { rootUppers, gates: gatesOf(forward), inherited: activationInputs(forward) };
  });
  const points = await proveLowers(analysis, seeds, rootUppers, gates);
  const { uppers, proved, report } = await searched(question, analysis, seeds, {
    rootUppers,
    points,
    gates,
    inherited,
  });
  const upper = Math.max(...uppers);
  const best = indexOfMax(proved.map(({ lower }) => lower));
  const lower = proved[best].lower;
  proved.forEach((one, k) => {
    if (one.lower > uppers[k]) throw new RangeError(`Cannot certify: lower bound ${one.lower} above ${uppers[k]}`);
  });
  const gap = gapOf(upper, lower);
  const told = verdictOf(question.at_most, upper, lower);
  const point = Array.from(proved[best].point);
  return {
    ...told,
    finding: {
      type: "lipschitz",
      norm: "linf->linf",
      upper: finiteOrNull(upper),
      lower,
      gap: finiteOrNull(gap),
      exact: gap <= EXACT_GAP,
      outputs: seeds.targets.map((target, k) => ({
        ...target,
        upper: finiteOrNull(uppers[k]),
        lower: proved[k].lower,
      })),
      witness: { ...seeds.targets[best], point } as Target & { point: number[] },
    },
    ...(told.verdict === "refuted" && { refutations: [{ ...seeds.targets[best], points: [point] }] }),
    ...(report && { search: report }),
  };
}

/** A lower bound and the point at which it is proved. */
interface Proved {
  readonly point: Float64Array;
  readonly lower: number;
}

/** What one pass gave: upper bounds, proved points, and what a search begins with. */
interface OnePass {
  readonly rootUppers: number[];
  readonly points: Proved[];
  readonly gates: readonly number[];
  readonly inherited: ReadonlyMap<NodeId, Box>;
}

/** The bounds of one pass, or those of a search where one was asked for. */
async function searched(
  { at_most }: Question,
  analysis: Analysis,
  seeds: Seeds,
  { rootUppers, points, gates, inherited }: OnePass,
): Promise<{ readonly uppers: number[]; readonly proved: Proved[]; readonly report: SearchReport | null }> {
  const { graph, box, run, options } = analysis;
  if (!options.search) return { uppers: rootUppers, proved: points, report: null };
  const problem: Problem = {
    graph,
    box,
    seeds: seeds.rows,
    forward: preactivationOptions(analysis),
    backward: relaxationOptions(analysis),
    gates,
    place: (point) => representable(point, analysis),
    run,
  };
  const root = { uppers: rootUppers, proved: points, inherited };
  const { max_nodes, gap } = options.search;
  const limits = { max_nodes, gap, ...(at_most === undefined ? {} : { at_most }) };
  const { trees, nodes, open, stoppedBy } = await searchByPasses(problem, root, limits, analysis.host);
  return {
    uppers: trees.map(({ upper }) => upper),
    // A tree begins with a proved point, and a point is replaced by another only.
    proved: trees.map(({ point, lower }) => ({ point: point!, lower })),
    report: { nodes, open, stopped_by: stoppedBy },
  };
}

/** Bounds of the inputs of all activations, by id of the input's node. */
function activationInputs({ graph, states }: Pass): ReadonlyMap<NodeId, Box> {
  return new Map(
    graph.nodes.filter((node) => rulesOf(node)?.kind === "elementwise")
      .map(({ inputs: [id] }) => [id, states[id].boxes[0]]),
  );
}

async function proveLowers(
  analysis: Analysis,
  seeds: Seeds,
  uppers: readonly number[],
  gates: readonly number[],
): Promise<Proved[]> {
  const { graph, box, run } = analysis;
  const found = searchNorms(graph, box, seeds.rows, uppers, gates, searchBudget(analysis), run.signal);
  const rounded = new Map([...new Set(found)].map((point) => [point, representable(point, analysis)]));
  const points = found.map((point) => rounded.get(point)!);
  const gradients = await gradientAt(graph, points.map((point, k) => ({ point, seed: seeds.rows[k] })), run);
  return points.map((point, k) => ({ point, lower: leastNorm(gradients[k]) }));
}

function verdictOf(
  atMost: number | undefined,
  upper: number,
  lower: number,
): { verdict: Verdict; reason: Reason | null } {
  if (atMost === undefined) {
    return upper < Infinity ? { verdict: "certified", reason: null } : { verdict: "unknown", reason: "overflow" };
  }
  if (upper <= atMost) return { verdict: "certified", reason: null };
  if (lower > atMost) return { verdict: "refuted", reason: null };
  return { verdict: "unknown", reason: upper < Infinity ? "bounds-too-loose" : "overflow" };
}

function indexOfMax(values: readonly number[]): number {
  let best = 0;
  values.forEach((value, i) => {
    if (value > values[best]) best = i;
  });
  return best;
}
