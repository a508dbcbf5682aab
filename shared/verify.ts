import { type RunContext, withRun } from "./bounds/run.ts";
import { type Certificate, idOf, questionOf } from "./certificate/certificate.ts";
import { canonicalBytes } from "./certificate/canonical.ts";
import type {
  LipschitzFinding,
  MonotonicityFinding,
  RadiusFinding,
  RobustnessFinding,
  Target,
} from "./certificate/finding.ts";
import { inconsistency } from "./consistency.ts";
import type { Graph } from "./graph.ts";
import type { Model } from "./model.ts";
import { seedsOf, unitRow } from "./properties/analysis.ts";
import type { Chosen, Claim, Query } from "./query.ts";
import type { Box } from "./numeric/box.ts";
import { mostNormAt, signsAt } from "./witness/exact_gradients.ts";
import { gradientAt, leastNorm, outputsAt } from "./witness/prove.ts";
import { refutes } from "./properties/refutes.ts";

/** One thing that was checked; `detail` says what was compared. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface VerifyReport {
  /** True iff every check is ok. */
  readonly valid: boolean;
  readonly checks: readonly Check[];
}

/**
 * Checks what can be checked of a certificate without running the bounds again: its id, its question, whether finding and
 * verdict follow from their parts, and with the model its digest and every point it names (a witness, a counterexample),
 * replayed in outward arithmetic, and exactly where that does not prove it.
 *
 * The upper bounds are NOT re-derived here, and the report says so.
 */
export async function verify(
  certificate: Certificate,
  model: Model | null,
  context: RunContext,
): Promise<VerifyReport> {
  const id = await idOf(certificate);
  const question = await questionOf(certificate.query);
  const checks: Check[] = [
    compare("id", certificate.id, id, "SHA-256 of the canonical JSON without id"),
    compare("question", certificate.question, question, "SHA-256 of the resolved query and this engine's version"),
    consistency(certificate),
  ];
  if (model === null) {
    checks.push({ name: "points", ok: true, detail: "not replayed: no model was given" });
  } else {
    checks.push(compare("model", certificate.query.model_digest, model.digest, "SHA-256 of the ONNX bytes"));
    if (checks.every(({ ok }) => ok)) checks.push(...await replay(certificate, model, context));
  }
  checks.push({ name: "bounds", ok: true, detail: "not re-derived: upper bounds are taken from the certificate" });
  return { valid: checks.every(({ ok }) => ok), checks };
}

function consistency(certificate: Certificate): Check {
  const wrong = inconsistency(certificate);
  return {
    name: "finding",
    ok: wrong === null,
    detail: wrong ?? "answers the question, and the verdict follows from it",
  };
}

function compare(name: string, claimed: unknown, found: string, what: string): Check {
  const ok = claimed === found;
  return { name, ok, detail: ok ? `${what} is as claimed` : `${what} is ${found}, the certificate says ${claimed}` };
}

async function replay(certificate: Certificate, model: Model, context: RunContext): Promise<Check[]> {
  const graph = model.graph(certificate.query.output);
  const { query, finding } = certificate;
  switch (finding.type) {
    case "lipschitz":
      return [await replayLipschitz(graph, query, finding, context)];
    case "robustness":
      return finding.counterexample ? [await replayCounterexample(graph, query, finding, context)] : [];
    case "monotonicity":
      return await replaySigns(graph, query, finding, context);
    case "radius":
      return finding.witness ? [await replayRadius(graph, query, finding, context)] : [];
    default:
      return [];
  }
}

/** The distance of the points follows from the certificate alone: `inconsistency`. */
async function replayRadius(
  graph: Graph,
  query: Query,
  { witness, refuted }: RadiusFinding,
  context: RunContext,
): Promise<Check> {
  const name = "witness";
  if (!witness!.points.every((point) => isInside(query, point))) return outside(name);
  const { of } = query.property as { readonly of: Claim };
  const ok = await withRun([graph], context, (run) => refutes(of, witness!, graph, run));
  return { name, ok, detail: `the claim is ${ok ? "" : "not "}proved false by it, at distance ${refuted}` };
}

async function replayLipschitz(
  graph: Graph,
  query: Query,
  finding: LipschitzFinding,
  context: RunContext,
): Promise<Check> {
  const { point, ...target } = finding.witness;
  const { property } = query;
  const name = "witness";
  if (!isInside(query, point)) return outside(name);
  const seed = property.type === "lipschitz" ? seedOf(property, target, graph) : undefined;
  if (!seed) return { name, ok: false, detail: "the witness names no output or row of the question" };
  const proved = await withRun([graph], context, async (run) => {
    const at = Float64Array.from(point), [gradient] = await gradientAt(graph, [{ point: at, seed }], run);
    const least = leastNorm(gradient);
    return least >= finding.lower ? least : Math.max(least, await mostNormAt(graph, boxOf(query), at, seed, run));
  });
  return {
    name,
    ok: proved >= finding.lower,
    detail: `at the witness the norm is proved to be at least ${proved}; the certificate says ${finding.lower}`,
  };
}

function seedOf(property: Chosen, target: Target, graph: Graph): Float64Array | undefined {
  const { rows, targets } = seedsOf(property, graph.nodes[graph.nodes.length - 1].size);
  return rows[targets.findIndex((one) => canonicalBytes(one).join() === canonicalBytes(target).join())];
}

async function replayCounterexample(
  graph: Graph,
  query: Query,
  finding: RobustnessFinding,
  context: RunContext,
): Promise<Check> {
  const name = "counterexample";
  const point = finding.counterexample!;
  if (!isInside(query, point)) return outside(name);
  const [outputs] = await withRun([graph], context, (run) => outputsAt(graph, [Float64Array.from(point)], run));
  const other = outputs.lower.findIndex((l, k) => k !== finding.label && l > outputs.upper[finding.label]);
  return {
    name,
    ok: other >= 0,
    detail: other >= 0
      ? `output ${other} is proved larger than output ${finding.label} there`
      : `no output is proved larger than output ${finding.label} there`,
  };
}

async function replaySigns(
  graph: Graph,
  query: Query,
  finding: MonotonicityFinding,
  context: RunContext,
): Promise<Check[]> {
  const seed = unitRow(graph.nodes[graph.nodes.length - 1].size, finding.output);
  const asked = finding.features.flatMap(({ feature, witnesses }) => witnesses.map((point) => ({ feature, point })));
  const inside = asked.filter(({ point }) => isInside(query, point));
  const signs = await withRun([graph], context, async (run) => {
    const points = inside.map(({ feature, point }) => ({ feature, point: Float64Array.from(point), seed }));
    return await signsAt(graph, boxOf(query), points, run);
  });
  return finding.features.filter(({ witnesses }) => witnesses.length > 0).map(({ feature, witnesses }) => {
    // On a kink a point may have both.
    const found = signs.filter((_, p) => inside[p].feature === feature);
    const ok = found.length === witnesses.length && found.every(({ falls, rises }) => falls || rises) &&
      (found.length === 1 || found.some(({ falls }, p) => falls && found.some(({ rises }, q) => rises && q !== p)));
    return {
      name: `witnesses of feature ${feature}`,
      ok,
      detail: ok ? "each has a derivative of a proved sign of its own" : "a sign is not proved at one of them",
    };
  });
}

function boxOf({ region }: Query): Box {
  return { lower: Float64Array.from(region.lower), upper: Float64Array.from(region.upper) };
}

function isInside({ region }: Query, point: readonly number[]): boolean {
  return point.length === region.lower.length &&
    point.every((x, i) => region.lower[i] <= x && x <= region.upper[i]);
}

function outside(name: string): Check {
  return { name, ok: false, detail: "the point is not in the region" };
}
