import { finiteOrNull, type Outcome, type Reason, type Target, type Verdict } from "../certificate/finding.ts";
import { normBounds } from "../jacobian/jacobian_bounds.ts";
import type { Property } from "../query.ts";
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

type Question = Extract<Property, { type: "lipschitz" }>;

/** A relative gap up to here is called exact. */
const EXACT_GAP = 1e-6;

/** The l_inf local Lipschitz constant: per output an upper bound over the box and a lower bound proved at a point. */
export async function lipschitz(question: Question, analysis: Analysis): Promise<Outcome> {
  const seeds = seedsOf(question, outputSize(analysis.graph));
  const { uppers, gates } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const uppers = await normBounds(forward, seeds.rows, relaxationOptions(analysis), analysis.run);
    return { uppers, gates: gatesOf(forward) };
  });
  const proved = await proveLowers(analysis, seeds, uppers, gates);
  const upper = Math.max(...uppers);
  const best = indexOfMax(proved.map(({ lower }) => lower));
  const lower = proved[best].lower;
  proved.forEach((one, k) => {
    if (one.lower > uppers[k]) throw new RangeError(`Cannot certify: lower bound ${one.lower} above ${uppers[k]}`);
  });
  const gap = upper === 0 ? 0 : (upper - lower) / upper;
  return {
    ...verdictOf(question.at_most, upper, lower),
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
      witness: { ...seeds.targets[best], point: Array.from(proved[best].point) } as Target & { point: number[] },
    },
  };
}

interface Proved {
  readonly point: Float64Array;
  readonly lower: number;
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
