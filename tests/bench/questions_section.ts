/** Upper bounds and whole certificates of the timed questions, and where their time goes. */
import { createKernels } from "../../functions/kernels.ts";
import { certify } from "../../shared/mod.ts";
import { PeakSamples, scaled } from "./peak.ts";
import { openQuestion, type Question, TIMED, type UpperBounds, upperBounds } from "./questions.ts";
import { againstTarget, figure, pair, percent, type Section } from "./report.ts";
import { summaryOf, timed } from "./statistics.ts";
import { TimedKernels } from "./timed_kernels.ts";

const MEMORY = 2 ** 30;
const WARM_UP = 5;

/** One timed question with its samples, all in milliseconds. */
interface Samples {
  readonly question: Question;
  readonly targetMs: number | null;
  work: UpperBounds | null;
  readonly upper: number[];
  readonly whole: number[];
  /** A run with every kernel call measured: the time of all calls of a kind, and of the run. */
  readonly calls: Map<string, number[]>;
  readonly watched: number[];
  callCount: number;
}

export async function questionsSections(samples: number): Promise<Section[]> {
  const kernels = createKernels(MEMORY), watching = new TimedKernels(createKernels(MEMORY));
  const peak = new PeakSamples();
  const all: Samples[] = [];
  for (const { model, eps, targetMs } of TIMED) all.push(emptySamples(await openQuestion(model, eps), targetMs));
  for (let round = -WARM_UP; round < samples; round++) {
    peak.take();
    for (const one of all) {
      const { question } = one;
      const upper = await timed(() => upperBounds(question, kernels));
      const whole = await timed(() => certify(question.model, question.query, { kernels }));
      watching.reset();
      const watched = await timed(() => upperBounds(question, watching));
      if (round < 0) continue;
      one.work = upper.result;
      one.upper.push(upper.ms);
      one.whole.push(whole.ms);
      one.watched.push(watched.ms);
      one.callCount = 0;
      for (const [name, { calls, ms }] of watching.times) {
        one.callCount += calls;
        one.calls.set(name, [...(one.calls.get(name) ?? []), ms]);
      }
    }
  }
  return [timesSection(all, peak), sharesSection(all)];
}

function emptySamples(question: Question, targetMs: number | null): Samples {
  return { question, targetMs, work: null, upper: [], whole: [], calls: new Map(), watched: [], callCount: 0 };
}

function timesSection(all: readonly Samples[], peak: PeakSamples): Section {
  const figures = all.map(({ question, targetMs, work, upper, whole }) => {
    const bounds = summaryOf(upper), certificate = summaryOf(whole);
    const { flops, rows, unstable, neurons } = work!;
    const rate = flops / (bounds.median * 1e6);
    return {
      question: question.name,
      unstable,
      neurons,
      rows,
      gflop: flops / 1e9,
      upper_ms: bounds,
      upper_scaled_ms: { median: scaled(bounds.median, peak.median), best: scaled(bounds.best, peak.best) },
      target_ms: targetMs,
      gflop_per_s: rate,
      share_of_peak: rate / peak.median,
      certify_ms: certificate,
      certify_scaled_ms: scaled(certificate.median, peak.median),
      search_scaled_ms: scaled(certificate.median - bounds.median, peak.median),
    };
  });
  return {
    title: "Questions: ten outputs, linear, CROWN, f64, warm",
    columns: [
      "question",
      "unstable",
      "GFLOP",
      "upper bounds ms median / best",
      "scaled",
      "target",
      "GFLOP/s",
      "share of peak",
      "certify() scaled",
      "of it search, proof, certificate",
    ],
    rows: figures.map((f) => [
      f.question,
      `${f.unstable} of ${f.neurons}`,
      figure(f.gflop),
      pair(f.upper_ms),
      pair(f.upper_scaled_ms),
      f.target_ms === null ? "" : againstTarget(f.upper_scaled_ms.median, f.target_ms),
      figure(f.gflop_per_s),
      percent(f.share_of_peak),
      figure(f.certify_scaled_ms),
      figure(f.search_scaled_ms),
    ]),
    notes: [
      `Scaled: time x peak / 35 GFLOP/s. Peak between the samples: ${figure(peak.median)} GFLOP/s median, ` +
      `${figure(peak.best)} best. ${all[0].upper.length} samples each, interleaved; single figures are medians.`,
    ],
    figures: { peak: { median: peak.median, best: peak.best }, questions: figures },
  };
}

function sharesSection(all: readonly Samples[]): Section {
  const names = [...new Set(all.flatMap(({ calls }) => [...calls.keys()]))];
  const figures = all.map(({ question, upper, watched, calls, callCount }) => {
    const total = summaryOf(watched).median;
    const shares = names.map((name) => {
      const times = calls.get(name);
      return times ? summaryOf(times).median / total : 0;
    });
    return {
      question: question.name,
      kernel_calls: callCount,
      watching: total / summaryOf(upper).median,
      outside: 1 - shares.reduce((sum, share) => sum + share, 0),
      kernels: Object.fromEntries(names.map((name, n) => [name, shares[n]])),
    };
  });
  return {
    title: "Where the time of the upper bounds goes",
    columns: ["question", "outside kernels", ...names, "kernel calls"],
    rows: figures.map((f) => [
      f.question,
      percent(f.outside),
      ...names.map((name) => percent(f.kernels[name])),
      String(f.kernel_calls),
    ]),
    notes: [
      "A run in which every kernel call is measured; it takes " +
      `${figures.map(({ watching }) => `${figure(watching)}`).join(", ")} times as long as one without.`,
    ],
    figures,
  };
}
