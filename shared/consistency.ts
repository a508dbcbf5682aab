import type { Certificate } from "./certificate/certificate.ts";
import { boundsOfTrees, brokenRecord, type SearchRecord } from "./certificate/search_record.ts";
import {
  type Finding,
  isReproducible,
  type JacobianFinding,
  type LipschitzFinding,
  type MonotonicityFinding,
  type OutputsFinding,
  type RadiusFinding,
  type RobustnessFinding,
  type SearchReport,
  type Target,
  type Verdict,
} from "./certificate/finding.ts";
import { distanceAbove } from "./numeric/around.ts";
import { mostSteps, radiusGap } from "./properties/bracket.ts";
import type { Chosen, Property, SearchLimits } from "./query.ts";

/**
 * What is wrong with a certificate on its own terms (null: nothing): a finding that does not answer its question, bounds
 * that cross, totals that do not follow from their parts, a verdict that does not follow from the finding.
 */
export function inconsistency(certificate: Certificate): string | null {
  const { query, finding, verdict, arithmetic, method } = certificate;
  if (certificate.reproducible !== isReproducible(method.search)) return "whether it is reproducible does not follow";
  if (query.options.arithmetic === "f64" && arithmetic.kind !== "f64-outward") return "its arithmetic is not f64";
  if (finding.type !== query.property.type) return `the finding is of type ${finding.type}`;
  const wrong = partsOf(query.property, finding, query.region.lower.length);
  if (wrong !== null) return wrong;
  const search = searchParts(query.options.search, method.search, finding);
  if (search !== null) return search;
  const record = recordParts(query.options.search, certificate.record, finding);
  if (record !== null) return record;
  const allowed = verdictsOf(query.property, finding);
  return allowed.includes(verdict) ? null : `the verdict ${verdict} does not follow from the finding`;
}

function partsOf(property: Property, finding: Finding, inputs: number): string | null {
  switch (finding.type) {
    case "lipschitz":
      return lipschitzParts(property as Chosen, finding);
    case "jacobian_bounds":
      return jacobianParts(property as Chosen, finding, inputs);
    case "output_bounds":
      return outputsParts(property as Chosen, finding);
    case "robustness":
      return robustnessParts(property as Extract<Property, { type: "robustness" }>, finding);
    case "monotonicity":
      return monotonicityParts(property as Extract<Property, { type: "monotonicity" }>, finding);
    case "radius":
      return radiusParts(property as RadiusProperty, finding, inputs);
  }
}

function searchParts(
  asked: SearchLimits | undefined,
  { nodes, open, stopped_by }: SearchReport,
  finding: Finding,
): string | null {
  if ((stopped_by === "none") !== (asked === undefined)) return "its search is not the one that was asked for";
  const searches = finding.type === "radius" ? finding.steps : 1;
  if (nodes > searches * (asked?.max_nodes ?? 0)) return "its search took more nodes than were asked for";
  if ((stopped_by === "none" || stopped_by === "closed") && open > 0) return "its search left nodes open";
  if (stopped_by === "record" && !asked?.record) return "its search ended with a record that was not asked for";
  if (stopped_by === "time" && asked?.time_ms === undefined) {
    return "its search stopped at a time that was not asked for";
  }
  if (finding.type === "radius") {
    const isEnded = (by: string) => by === "time" || by === "canceled";
    const follows = finding.stopped_by === stopped_by || (!isEnded(finding.stopped_by) && !isEnded(stopped_by));
    return follows ? null : "its searches and its radii were ended by different things";
  }
  if (stopped_by !== "gap") return null;
  const gap = finding.type === "lipschitz" ? finding.gap : null;
  return gap !== null && gap <= asked!.gap ? null : "its search did not reach the gap";
}

function recordParts(
  asked: SearchLimits | undefined,
  record: SearchRecord | undefined,
  finding: Finding,
): string | null {
  if ((asked?.record === true) !== (record !== undefined)) return "its record is not what was asked for";
  if (record === undefined) return null;
  const broken = brokenRecord(record);
  if (broken !== null || finding.type !== "lipschitz") return broken;
  const bounds = boundsOfTrees(record), { outputs } = finding;
  const follows = bounds.length === outputs.length &&
    bounds.every((bound, k) => bound === (outputs[k].upper ?? Infinity));
  return follows ? null : "its upper bounds do not follow from its record";
}

function lipschitzParts(property: Chosen, finding: LipschitzFinding): string | null {
  const { outputs, upper, lower, gap } = finding;
  if (!sameTargets(property, outputs)) return "its outputs are not those of the question";
  if (outputs.some((one) => crossed(one.lower, one.upper))) return "its bounds cross";
  const uppers = outputs.map((one) => one.upper);
  const largest = uppers.includes(null) ? null : Math.max(...uppers.map(Number));
  if (upper !== largest) return "its upper bound is not the largest of its outputs'";
  if (lower !== Math.max(...outputs.map((one) => one.lower))) {
    return "its lower bound is not the largest of its outputs'";
  }
  const expected = upper === null ? null : upper === 0 ? 0 : (upper - lower) / upper;
  if (gap !== expected || finding.exact !== (expected !== null && expected <= 1e-6)) return "its gap does not follow";
  const at = outputs.find((one) => sameTarget(one, finding.witness));
  return at?.lower === lower ? null : "its witness is not for the output with the lower bound";
}

function jacobianParts(property: Chosen, finding: JacobianFinding, inputs: number): string | null {
  if (!sameTargets(property, finding.outputs)) return "its outputs are not those of the question";
  for (const { lower, upper } of finding.outputs) {
    if (lower.length !== inputs || upper.length !== inputs) return "its rows do not have an entry for each input";
    if (lower.some((l, i) => crossed(l, upper[i]))) return "its bounds cross";
  }
  return null;
}

function outputsParts(property: Chosen, { lower, upper }: OutputsFinding): string | null {
  const count = targetsOf(property).length;
  if (lower.length !== count || upper.length !== count) return "its bounds are not those of the question";
  return lower.some((l, k) => crossed(l, upper[k])) ? "its bounds cross" : null;
}

function robustnessParts(property: { readonly label: number }, finding: RobustnessFinding): string | null {
  if (finding.label !== property.label) return "its label is not that of the question";
  const others = finding.margins.map(({ output }) => output);
  const expected = Array.from({ length: others.length + 1 }, (_, k) => k).filter((k) => k !== property.label);
  if (others.join() !== expected.join()) return "its margins are not those of all other outputs";
  const proved = finding.margins.every(({ lower }) => lower !== null && lower > 0);
  return proved && finding.counterexample ? "it proves every margin and has a counterexample" : null;
}

function monotonicityParts(
  property: Extract<Property, { type: "monotonicity" }>,
  finding: MonotonicityFinding,
): string | null {
  if (finding.output !== property.output) return "its output is not that of the question";
  if (finding.features.map(({ feature }) => feature).join() !== property.features.join()) {
    return "its features are not those of the question";
  }
  for (const { feature, direction, lower, upper, witnesses } of finding.features) {
    if (crossed(lower, upper)) return "its bounds cross";
    const rises = lower !== null && lower >= 0;
    const falls = upper !== null && upper <= 0;
    const proved = rises && falls ? "constant" : rises ? "increasing" : falls ? "decreasing" : null;
    const expected = proved ?? (witnesses.length === 2 ? "neither" : "unknown");
    if (direction !== expected) return `the direction of feature ${feature} does not follow from its bounds`;
  }
  return null;
}

type RadiusProperty = Extract<Property, { type: "radius" }>;

function radiusParts({ of, center, max, gap }: RadiusProperty, finding: RadiusFinding, inputs: number): string | null {
  const { certified, refuted, witness, steps } = finding;
  if (finding.of !== of.type) return "its radius is not that of the question's claim";
  if (certified !== null && !(certified >= 0 && certified <= max)) return "its radius is beyond the largest one";
  if (certified !== null && refuted !== null && refuted <= certified) return "its radii cross";
  if ((refuted === null) !== (witness === null)) return "its refuted radius and its witness do not belong together";
  if (witness) {
    const { points } = witness;
    if (points.length === 0 || points.some(({ length }) => length !== inputs) || center.length !== inputs) {
      return "its witness is no point of the inputs";
    }
    if (refuted !== distanceAbove(center, points)) return "its refuted radius is not the distance of its witness";
  }
  if (finding.gap !== radiusGap(certified, refuted, max)) return "its gap does not follow";
  if ((finding.stopped_by === "gap") !== (finding.gap !== null && finding.gap <= gap)) {
    return "why it stopped does not follow";
  }
  return steps >= 1 && steps <= mostSteps(gap) ? null : "it took more steps than there are";
}

/** The verdicts a finding allows; where a replayed sign decides, both refuted and unknown pass here. */
function verdictsOf(property: Property, finding: Finding): readonly Verdict[] {
  switch (finding.type) {
    case "lipschitz": {
      const atMost = (property as { at_most?: number }).at_most;
      if (atMost === undefined) return [finding.upper === null ? "unknown" : "certified"];
      if (finding.upper !== null && finding.upper <= atMost) return ["certified"];
      return [finding.lower > atMost ? "refuted" : "unknown"];
    }
    case "jacobian_bounds":
      return [allFinite(finding.outputs.flatMap(({ lower, upper }) => [...lower, ...upper]))];
    case "output_bounds":
      return [allFinite([...finding.lower, ...finding.upper])];
    case "robustness":
      if (finding.margins.every(({ lower }) => lower !== null && lower > 0)) return ["certified"];
      return [finding.counterexample ? "refuted" : "unknown"];
    case "monotonicity": {
      const asked = (property as { direction?: string }).direction;
      const fits = (found: string) =>
        found === "constant" || (asked ? found === asked : found === "increasing" || found === "decreasing");
      if (finding.features.every(({ direction }) => fits(direction))) return ["certified"];
      if (asked) {
        return finding.features.some(({ witnesses }) => witnesses.length > 0) ? ["refuted", "unknown"] : ["unknown"];
      }
      return [finding.features.some(({ direction }) => direction === "neither") ? "refuted" : "unknown"];
    }
    case "radius":
      if (finding.certified === (property as RadiusProperty).max) return ["certified"];
      return [finding.refuted === null ? "unknown" : "refuted"];
  }
}

function allFinite(bounds: readonly (number | null)[]): Verdict {
  return bounds.includes(null) ? "unknown" : "certified";
}

function crossed(lower: number | null, upper: number | null): boolean {
  return lower !== null && upper !== null && lower > upper;
}

function targetsOf(property: Chosen): Target[] {
  return "rows" in property ? property.rows.map((_, row) => ({ row })) : property.outputs.map((output) => ({ output }));
}

function sameTargets(property: Chosen, found: readonly Target[]): boolean {
  const expected = targetsOf(property);
  return expected.length === found.length && expected.every((target, k) => sameTarget(target, found[k]));
}

function sameTarget(a: Target, b: Target): boolean {
  return "row" in a ? "row" in b && a.row === b.row : "output" in b && a.output === b.output;
}
