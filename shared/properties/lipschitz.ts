import { finiteOrNull, type Outcome, type Reason, type Target, type Verdict } from "../certificate/finding.ts";
import { normBounds } from "../jacobian/jacobian_bounds.ts";
import type { Property } from "../query.ts";
import { gapOf, type Goal } from "../search/goal.ts";
import type { Asked } from "../search/roots.ts";
import { gradientAt, leastNorm } from "../witness/prove.ts";
import { searchNorms } from "../witness/search_norms.ts";
import {
  type Analysis,
  boundNetwork,
  gatesOf,
  outputSize,
  relaxationOptions,
  representable,
  searchBudget,
  type Seeds,
  seedsOf,
} from "./analysis.ts";
import { searchAims, type SearchStart, searchStart, type Told } from "./searched.ts";

type Question = Extract<Property, { type: "lipschitz" }>;

/** A relative gap up to here is called exact. */
const EXACT_GAP = 1e-6;

/** The l_inf local Lipschitz constant: per output an upper bound over the box and a lower bound proved at a point. */
export async function lipschitz(question: Question, analysis: Analysis): Promise<Outcome> {
  const seeds = seedsOf(question, outputSize(analysis.graph));
  const { rootUppers, gates, start } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const rootUppers = await normBounds(forward, seeds.rows, relaxationOptions(analysis), analysis.run);
    return { rootUppers, gates: gatesOf(forward), start: searchStart(analysis, forward) };
  });
  const points = await proveLowers(analysis, seeds, rootUppers, gates);
  const { uppers, proved, told: found } = await searched(question, analysis, seeds, { rootUppers, points, start });
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
    ...found,
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
  readonly start: SearchStart | null;
}

/** The bounds of one pass, or those of a search where one was asked for. */
async function searched(
  { at_most }: Question,
  analysis: Analysis,
  seeds: Seeds,
  { rootUppers, points, start }: OnePass,
): Promise<{ readonly uppers: number[]; readonly proved: Proved[]; readonly told: Told | null }> {
  if (start === null) return { uppers: rootUppers, proved: points, told: null };
  const asked = seeds.rows.map((row, k): Asked => ({
    aim: { kind: "norm", row },
    upper: rootUppers[k],
    lower: points[k].lower,
    entries: null,
  }));
  const goal: Goal = { kind: "largest", ...(at_most === undefined ? {} : { at_most }) };
  const { trees, told } = await searchAims(analysis, start, asked, points, goal);
  return {
    uppers: trees.map(({ upper }) => upper),
    // A tree begins with a proved point, and a point is replaced by another only.
    proved: trees.map(({ point, lower }) => ({ point: point!, lower })),
    told,
  };
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
