/** Searches: how long until they are exact, or what they reach in a given time. */
import { pausingClock, TURN_MS } from "../../functions/clock.ts";
import { createKernels } from "../../functions/kernels.ts";
import { certify, type Finding, type Kernels, type Query } from "../../shared/mod.ts";
import { findingOf } from "../golden/cases.ts";
import { PeakSamples, scaled, TARGET_PEAK } from "./peak.ts";
import { openQuestion, type Question, upperBounds } from "./questions.ts";
import { figure, percent, type Section } from "./report.ts";
import { SEARCHES, type SearchGoal, type TimedSearch } from "./searches.ts";
import { summaryOf, timed } from "./statistics.ts";

const MEMORY = 2 ** 30;
/** More nodes than any of these searches takes. */
const NODES = 1_000_000;
/** Runs of a search that ends by itself, after one that is not counted. */
const RUNS = 3;
const PEAK_SAMPLES = 9;

type Lipschitz = Extract<Finding, { type: "lipschitz" }>;

/** An answer to a Lipschitz question. */
interface Answer {
  readonly finding: Lipschitz;
  readonly nodes: number;
  readonly stopped_by: string | null;
}

interface Measured {
  readonly name: string;
  readonly unstable: number;
  readonly root: Answer;
  readonly answer: Answer;
  readonly ms: number;
  /** GFLOP/s, before and after. */
  readonly peak: number;
}

export async function searchSection(): Promise<Section> {
  const kernels = createKernels(MEMORY), figures = [];
  for (const one of SEARCHES) {
    const measured = await measure(one, kernels), { name, unstable, root, answer, ms, peak } = measured;
    const { upper, lower, gap, exact } = answer.finding;
    figures.push({
      search: name,
      unstable,
      root_upper: root.finding.upper!,
      upper: upper!,
      lower,
      gap: gap!,
      exact,
      nodes: answer.nodes,
      nodes_per_s: 1000 * answer.nodes / ms,
      stopped_by: answer.stopped_by,
      s: ms / 1000,
      scaled_s: scaled(ms, peak) / 1000,
      peak,
      reached: reached(one.goal, measured),
    });
  }
  return {
    title: "Searches: l_inf local Lipschitz constants",
    kept: "searches",
    columns: [
      "search",
      "unstable",
      "one pass",
      "upper",
      "lower",
      "gap",
      "nodes",
      "nodes / s",
      "s",
      "scaled",
      "reached",
    ],
    rows: figures.map((f) => [
      f.search,
      String(f.unstable),
      f.root_upper.toFixed(4),
      f.upper.toFixed(4),
      f.lower.toFixed(4),
      f.exact ? "exact" : percent(f.gap),
      String(f.nodes),
      figure(f.nodes_per_s),
      figure(f.s),
      figure(f.scaled_s),
      f.reached,
    ]),
    notes: [
      `Whole questions, warm: the median of ${RUNS} runs where a search ends by itself, one run where time ends it. ` +
      `Scaled: time x peak / ${TARGET_PEAK} GFLOP/s, the peak taken before and after. "/ s": of the whole question, unscaled.`,
    ],
    figures,
  };
}

/** Asks a warm engine; where time ends the search its seconds are made this machine's. */
async function measure(one: TimedSearch, kernels: Kernels): Promise<Measured> {
  const question = await openQuestion(one.model, one.eps, one.test_index);
  const { uppers, unstable } = await upperBounds(question, kernels);
  const outputs = outputsOf(one, uppers), root = await ask(question, outputs, undefined, kernels);
  const name = `${one.model} #${one.test_index}, radius ${one.eps}, ` +
    (outputs.length > 1 ? "all outputs" : `output ${outputs[0]}`);
  const peak = new PeakSamples();
  for (let i = 0; i < PEAK_SAMPLES; i++) peak.take();
  const limits = limitsOf(one.goal, peak.median), runs = limits.time_ms === undefined ? RUNS : 1;
  const times: number[] = [];
  let answer = root;
  for (let run = runs === 1 ? 0 : -1; run < runs; run++) {
    const { result, ms } = await timed(() => ask(question, outputs, limits, kernels));
    if (run >= 0) times.push(ms);
    answer = result;
  }
  for (let i = 0; i < PEAK_SAMPLES; i++) peak.take();
  return { name, unstable, root, answer, ms: summaryOf(times).median, peak: peak.median };
}

function outputsOf({ output }: TimedSearch, uppers: readonly number[]): number[] {
  if (output === null) return uppers.map((_, k) => k);
  return [output === "largest" ? uppers.indexOf(Math.max(...uppers)) : output];
}

function limitsOf(goal: SearchGoal, peak: number): NonNullable<Query["options"]["search"]> {
  const limits = { max_nodes: NODES, gap: 0 };
  return goal.kind === "exact" ? limits : { ...limits, time_ms: Math.ceil(1000 * goal.after * TARGET_PEAK / peak) };
}

async function ask(
  { model, query }: Question,
  outputs: readonly number[],
  search: Query["options"]["search"],
  kernels: Kernels,
): Promise<Answer> {
  const asked: Query = {
    ...query,
    property: { type: "lipschitz", outputs },
    options: search ? { ...query.options, search } : query.options,
  };
  const { finding, method } = await certify(model, asked, { kernels, clock: pausingClock(TURN_MS) });
  return { finding: findingOf(finding, "lipschitz"), ...method.search };
}

/** What the goal says of an answer, in words. */
function reached(goal: SearchGoal, { root, answer: { finding }, ms, peak }: Measured): string {
  const upper = finding.upper!;
  switch (goal.kind) {
    case "exact": {
      if (!finding.exact) return "MISSED: not exact";
      const seconds = scaled(ms, peak) / 1000;
      return goal.within === null
        ? "exact"
        : `exact within ${goal.within} s: ${seconds <= goal.within ? "met" : "MISSED"}`;
    }
    case "upper":
      return `at most ${goal.at_most} after ${goal.after} s: ${upper <= goal.at_most ? "met" : "MISSED"}`;
    case "gap":
      return finding.exact ? "exact" : `${percent(finding.gap!)} left after ${goal.after} s`;
    case "share": {
      const before = root.finding.upper!;
      const closed = 1 - (upper - finding.lower) / (before - goal.met);
      return `${percent(closed)} of the gap ${figure(before)} - ${goal.met} after ${goal.after} s`;
    }
  }
}
