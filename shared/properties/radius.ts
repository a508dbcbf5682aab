import type { Outcome, RadiusFinding, Refutation, SearchReport } from "../certificate/finding.ts";
import { around, distanceAbove } from "../numeric/around.ts";
import type { Claim, Property } from "../query.ts";
import { interruption } from "../search/limits.ts";
import type { Analysis, SearchHost } from "./analysis.ts";
import { type Bracket, mostSteps, nextRadius, radiusGap } from "./bracket.ts";

type Question = Extract<Property, { type: "radius" }>;

/** Answers a claim over the box of an analysis. */
export type Ask = (claim: Claim, analysis: Analysis) => Promise<Outcome>;

/**
 * How far around a center a claim holds: the largest radius proved and the smallest refuted up to `max`.
 *
 * Every step is the plain question over one box. What is proved over a box that is rounded outward holds for the real
 * one; a refutation counts from the distance of its points, rounded up, whatever radius was tried.
 *
 * Where the claim is searched, the host's clock and `finish` hold for all steps together: the first step is always made,
 * none follows once the host has ended one.
 */
export async function radius({ of, center, max, gap }: Question, analysis: Analysis, ask: Ask): Promise<Outcome> {
  const from = Float64Array.from(center), most = mostSteps(gap);
  let bracket: Bracket = { certified: null, refuted: null, open: [] };
  let nearest: Nearest | null = null;
  const outcomes: Outcome[] = [];
  let next = nextRadius(bracket, max, gap);
  let ended: Ended | null = null;
  for (; ended === null && next !== null && outcomes.length < most; next = nextRadius(bracket, max, gap)) {
    analysis.run.signal?.throwIfAborted();
    const outcome = await ask(of, stepOf(analysis, around(from, [next], analysis.box), outcomes));
    outcomes.push(outcome);
    const found = nearestOf(outcome, from);
    if (found && (!nearest || found.distance < nearest.distance)) nearest = found;
    bracket = narrowed(bracket, next, outcome, found);
    ended = await endedBy(outcome, analysis, nextRadius(bracket, max, gap) === null);
  }
  const { certified } = bracket, refuted = nearest?.distance ?? null;
  if (certified !== null && refuted !== null && refuted <= certified) {
    throw new RangeError(`Cannot certify: refuted at ${refuted}, proved at ${certified}`);
  }
  const reached = radiusGap(certified, refuted, max);
  const finding: RadiusFinding = {
    type: "radius",
    of: of.type,
    certified,
    refuted,
    gap: reached,
    witness: nearest?.refutation ?? null,
    steps: outcomes.length,
    stopped_by: ended ?? (reached !== null && reached <= gap ? "gap" : next === null ? "unknown" : "steps"),
  };
  return { ...verdictOf(finding, max, outcomes), finding, ...searchOf(outcomes, ended) };
}

/** A step of the same run; who watches hears of all searches as of one. */
function stepOf(analysis: Analysis, box: Analysis["box"], before: readonly Outcome[]): Analysis {
  // Of many searches none is gone on with: a saved one would be another's.
  const { saved: _, onSave: __, conduct: ___, ...host } = analysis.host ?? {},
    nodes = before.reduce((sum, { search }) => sum + (search?.nodes ?? 0), 0);
  if (!host.onProgress) return { ...analysis, box, everyBox: true, host };
  const onProgress: SearchHost["onProgress"] = (progress) =>
    host.onProgress!({ ...progress, nodes: nodes + progress.nodes });
  return { ...analysis, box, everyBox: true, host: { ...host, onProgress } };
}

type Ended = "time" | "canceled";

/**
 * What the host ended, in a step's search or after the step; a bracket that is complete has nothing left to end. Memory
 * ends one search only: the next radius may do with less.
 */
async function endedBy({ search }: Outcome, { host }: Analysis, isComplete: boolean): Promise<Ended | null> {
  if (search === undefined) return null;
  if (search.stopped_by === "time" || search.stopped_by === "canceled") return search.stopped_by;
  if (isComplete || host === undefined) return null;
  await host.clock?.pause();
  const by = interruption(host, 0);
  return by === "memory" ? null : by;
}

interface Nearest {
  readonly refutation: Refutation;
  /** Of its farthest point from the center, rounded up: the claim fails at every radius from here on. */
  readonly distance: number;
}

function nearestOf({ refutations = [] }: Outcome, center: Float64Array): Nearest | null {
  const all = refutations.map((refutation) => ({ refutation, distance: distanceAbove(center, refutation.points) }));
  return all.reduce<Nearest | null>((best, one) => best && best.distance <= one.distance ? best : one, null);
}

/** A point of a box that is rounded outward may lie a rounding beyond the radius tried: nothing is sought in between. */
function narrowed(bracket: Bracket, tried: number, { verdict }: Outcome, found: Nearest | null): Bracket {
  if (verdict === "certified") return { ...bracket, certified: Math.max(tried, bracket.certified ?? 0) };
  if (!found) return { ...bracket, open: [...bracket.open, tried] };
  return { ...bracket, refuted: Math.min(tried, found.distance, bracket.refuted ?? Infinity) };
}

/** The verdict of the claim over the whole region: the radii are in the finding. */
function verdictOf(
  { certified, refuted }: RadiusFinding,
  max: number,
  [first]: readonly Outcome[],
): Pick<Outcome, "verdict" | "reason"> {
  if (certified === max) return { verdict: "certified", reason: null };
  return refuted === null ? { verdict: "unknown", reason: first.reason } : { verdict: "refuted", reason: null };
}

/** What the searches of all steps did together, and what ended them. */
function searchOf(outcomes: readonly Outcome[], ended: Ended | null): { readonly search?: SearchReport } {
  const reports = outcomes.flatMap(({ search }) => search ?? []);
  if (reports.length === 0) return {};
  const stops = (["memory", "max_nodes", "gap", "closed"] as const).filter((stop) =>
    reports.some(({ stopped_by }) => stopped_by === stop)
  );
  const sum = (part: (report: SearchReport) => number) => reports.reduce((total, report) => total + part(report), 0);
  return { search: { nodes: sum((r) => r.nodes), open: sum((r) => r.open), stopped_by: ended ?? stops[0] } };
}
