import { willDo } from "./arithmetic.ts";
import type { Work } from "./bounds/pass.ts";
import { type RunContext, withRun } from "./bounds/run.ts";
import { type Answer, type Certificate, issue, questionOf } from "./certificate/certificate.ts";
import type { Outcome } from "./certificate/finding.ts";
import { type Budget, checkBudget, costOf, precisionsOf } from "./cost.ts";
import type { Kernels, Precision } from "./kernels/kernels.ts";
import type { Model } from "./model.ts";
import type { Analysis } from "./properties/analysis.ts";
import { jacobianBounds, outputBounds } from "./properties/bounds.ts";
import { lipschitz } from "./properties/lipschitz.ts";
import { monotonicity } from "./properties/monotonicity.ts";
import { radius } from "./properties/radius.ts";
import { robustness } from "./properties/robustness.ts";
import type { Property, Query, QuestionRequest } from "./query.ts";
import { resolveRequest } from "./resolve_query.ts";
import { outputsAt } from "./witness/prove.ts";

export interface CertifyContext extends RunContext {
  readonly budget?: Budget;
  /** The digest of the question ({@link questionOf}), where the caller has it already. */
  readonly question?: string;
}

/**
 * Answers a resolved question with a certificate.
 *
 * The answer depends on the question alone: not on time, the backend, or what was asked before.
 * Throws: `over-budget` with the figures before anything runs; the signal's reason when aborted.
 */
export async function certify(model: Model, query: Query, context: CertifyContext): Promise<Certificate> {
  const graph = model.graph(query.output);
  checkBudget(costOf(graph, query), context.budget);
  const question = context.question ?? await questionOf(query);
  return await issue(query, await answerBy(precisionsOf(graph, query), model, query, context), question);
}

/** The first answer that will do, trying these kinds of coefficients in order; the last one's stands. Work counts them all. */
export async function answerBy(
  precisions: readonly Precision[],
  model: Model,
  query: Query,
  context: RunContext,
): Promise<Answer> {
  const done: Work = { flops: 0, rows: 0 };
  for (const [at, precision] of precisions.entries()) {
    const { outcome, work, radius } = await answerIn(precision, model, query, { ...context, ...after(done, context) });
    done.flops += work.flops;
    done.rows += work.rows;
    if (at === precisions.length - 1 || willDo(query.property, outcome, radius)) {
      return { outcome, precision, work: done };
    }
  }
  throw new RangeError("Cannot certify: there is no arithmetic to try");
}

/** Progress of an attempt counts on from what was done before it. */
function after({ flops, rows }: Readonly<Work>, { onProgress }: RunContext): Pick<RunContext, "onProgress"> {
  if (!onProgress) return {};
  return { onProgress: (progress) => onProgress({ flops: flops + progress.flops, rows: rows + progress.rows }) };
}

function answerIn(
  precision: Precision,
  model: Model,
  query: Query,
  context: RunContext,
): Promise<{ readonly outcome: Outcome; readonly work: Work; readonly radius: number }> {
  const graph = model.graph(query.output), { inputType } = model;
  return withRun([graph], { ...context, precision }, async (run) => {
    const box = { lower: Float64Array.from(query.region.lower), upper: Float64Array.from(query.region.upper) };
    const outcome = await answer(query.property, { graph, box, inputType, options: query.options, run });
    return { outcome, work: run.work, radius: run.reported?.radius ?? 0 };
  });
}

function answer(property: Property, analysis: Analysis): Promise<Outcome> {
  switch (property.type) {
    case "lipschitz":
      return lipschitz(property, analysis);
    case "jacobian_bounds":
      return jacobianBounds(property, analysis);
    case "output_bounds":
      return outputBounds(property, analysis);
    case "robustness":
      return robustness(property, analysis);
    case "monotonicity":
      return monotonicity(property, analysis);
    case "radius":
      return radius(property, analysis, answer);
  }
}

/**
 * Resolves a request against a model: defaults, lengths, the region as a box of doubles. A label that is not given is the
 * output proved largest at the center. Throws: `invalid-query` with JSON pointers, `empty-region`.
 */
export function resolveQuery(request: QuestionRequest, model: Model, kernels: Kernels): Promise<Query> {
  return resolveRequest(request, model, async (output, point) => {
    const graph = model.graph(output);
    const [{ lower, upper }] = await withRun([graph], { kernels }, (run) => outputsAt(graph, [point], run));
    const label = lower.findIndex((l, k) => upper.every((u, other) => other === k || u < l));
    return label < 0 ? null : label;
  });
}
