import { willDo } from "./arithmetic.ts";
import type { Work } from "./bounds/pass.ts";
import { type RunContext, withRun } from "./bounds/run.ts";
import { type Answer, type Certificate, issue, questionOf } from "./certificate/certificate.ts";
import { isInterrupted, type Outcome } from "./certificate/finding.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { LipcertError } from "./errors.ts";
import { type Budget, checkBudget, costOf, precisionsOf } from "./cost.ts";
import type { Kernels, Precision } from "./kernels/kernels.ts";
import type { Model } from "./model.ts";
import type { Analysis, SearchHost } from "./properties/analysis.ts";
import { jacobianBounds, outputBounds } from "./properties/bounds.ts";
import { lipschitz } from "./properties/lipschitz.ts";
import { monotonicity } from "./properties/monotonicity.ts";
import { radius } from "./properties/radius.ts";
import { robustness } from "./properties/robustness.ts";
import type { Property, Query, QuestionRequest } from "./query.ts";
import { resolveRequest } from "./resolve_query.ts";
import type { SavedSearch } from "./search/conduct.ts";
import { outputsAt } from "./witness/prove.ts";

export interface CertifyContext extends RunContext, Omit<SearchHost, "deadline" | "onProgress" | "saved" | "onSave"> {
  /** From where to go on: of the same question, by the same engine. The certificate is the one without a stop, byte for byte. */
  readonly checkpoint?: Checkpoint;
  /** Hears of every round of a search (not of those inside a radius); `save` copies all that there is. */
  readonly onCheckpoint?: (save: () => Checkpoint) => void;
  /** Hears of every round of a search. */
  readonly onSearch?: SearchHost["onProgress"];
  readonly budget?: Budget;
  /** The digest of the question ({@link questionOf}), where the caller has it already. */
  readonly question?: string;
}

/**
 * Answers a resolved question with a certificate.
 *
 * The answer depends on the question alone, not on the backend or what was asked before; unless the host ends a search: by
 * its clock where the question limits the time, by `finish`, or for want of memory. Then it is not `reproducible`.
 * Throws: `over-budget` with the figures, or `unsupported-option` for a time limit without a clock, before anything runs; the
 * signal's reason when aborted.
 */
export async function certify(model: Model, query: Query, context: CertifyContext): Promise<Certificate> {
  const graph = model.graph(query.output);
  checkBudget(costOf(graph, query, context.threads), context.budget);
  const deadline = deadlineFor(query, context);
  const question = context.question ?? await questionOf(query);
  return await issue(query, await answerBy(precisionsOf(graph, query), model, query, context, deadline), question);
}

/**
 * The first answer that will do, trying these kinds of coefficients in order; the last one's stands, and one whose search was
 * interrupted. Work counts them all.
 */
export async function answerBy(
  precisions: readonly Precision[],
  model: Model,
  query: Query,
  context: CertifyContext,
  deadline: SearchHost["deadline"] = deadlineFor(query, context),
): Promise<Answer> {
  const done: Work = { flops: 0, rows: 0 };
  const { checkpoint, onCheckpoint } = context, first = checkpoint?.attempt ?? 0;
  if (checkpoint) Object.assign(done, checkpoint.done);
  for (const [at, precision] of precisions.entries()) {
    if (at < first) continue;
    const before = { ...done };
    const { outcome, work, radius } = await answerIn(precision, model, query, {
      ...context,
      ...after(done, context),
      deadline,
      ...(at === first && checkpoint && { saved: checkpoint.search }),
      ...(onCheckpoint && {
        onSave: (save: () => SavedSearch) => onCheckpoint(() => ({ attempt: at, done: before, search: save() })),
      }),
    });
    done.flops += work.flops;
    done.rows += work.rows;
    const isLast = at === precisions.length - 1 || (outcome.search && isInterrupted(outcome.search));
    if (isLast || willDo(query.property, outcome, radius)) {
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
  { finish, clock, openBytes, distribute, threads, onSearch, deadline, saved, onSave, conduct, ...context }:
    & CertifyContext
    & Pick<SearchHost, "deadline" | "saved" | "onSave">,
): Promise<{ readonly outcome: Outcome; readonly work: Work; readonly radius: number }> {
  const graph = model.graph(query.output), { inputType } = model;
  // Pauses are for those who wait: nobody else loses time, and no other question comes in between.
  const isWatched = [deadline, finish, onSearch, onSave, conduct].some((one) => one !== undefined);
  const watched = isWatched ? clock : undefined;
  const host = given({
    ...{ finish, clock: watched, openBytes, deadline },
    ...{ distribute, threads, onProgress: onSearch, saved, onSave, conduct },
  });
  return withRun([graph], { ...context, precision }, async (run) => {
    const box = { lower: Float64Array.from(query.region.lower), upper: Float64Array.from(query.region.upper) };
    const outcome = await answer(query.property, { graph, box, inputType, options: query.options, run, host });
    return { outcome, work: run.work, radius: run.reported?.radius ?? 0 };
  });
}

/** The members that are there. */
function given<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)) as T;
}

/** When a question that begins now is to stop, on the host's clock. Throws: `unsupported-option` where there is none. */
function deadlineFor({ options }: Query, { clock }: Pick<CertifyContext, "clock">): number | undefined {
  const time = options.search?.time_ms;
  if (time === undefined) return undefined;
  if (clock) return clock.now() + time;
  const message = "not supported on this host: it has no clock that goes on while a question is computed";
  throw new LipcertError("unsupported-option", `Cannot answer: option options.search.time_ms is ${message}`, {
    errors: [{ pointer: "/options/search/time_ms", message }],
    options: ["options.search.time_ms"],
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
