import type { Finding, Outcome } from "./certificate/finding.ts";
import type { Graph, Node } from "./graph.ts";
import type { Precision } from "./kernels/kernels.ts";
import { plainOf, type Property, type Query } from "./query.ts";

/**
 * Estimated flops from which `auto` tries f32 first: nowhere as measured. f32 saves 15 to 40 % of a large answer's time and
 * none of a small one's, makes bounds up to 1e-3 looser, and doubles the estimate (shared/README.md, "f32 measured").
 */
export const F32_FROM = Infinity;

/** Rounding that may be seen in an answer of `auto`, as a share of its largest bound. */
const VISIBLE = 1e-4;

/** A sign or a claim may turn out otherwise in f64 when it is missed by less than this many radii of the last walk. */
const RADII = 16;

/** Constants that f32 holds with full precision, and products of a few of them: others are answered in f64. */
const LEAST = 2 ** -100, GREATEST = 2 ** 100;

/** The kinds of coefficients to try for a question of `flops`, in order; the last one's answer stands. */
export function precisionsFor(
  graph: Graph,
  { property, options }: Pick<Query, "property" | "options">,
  flops: number,
  from: number = F32_FROM,
): readonly Precision[] {
  const { arithmetic } = options;
  if (arithmetic === "f64" || (arithmetic === "auto" && flops < from)) return ["f64"];
  const asked = plainOf(property);
  const rows = "rows" in asked ? asked.rows : [];
  if (!rows.every(isInRange) || !isGraphInRange(graph)) return ["f64"];
  return arithmetic === "f32" ? ["f32"] : ["f32", "f64"];
}

const inRange = new WeakMap<Graph, boolean>();

/** Whether every constant that coefficients meet is one that f32 holds with full precision. */
export function isGraphInRange(graph: Graph): boolean {
  let known = inRange.get(graph);
  if (known === undefined) {
    known = graph.nodes.every((node) => multipliersOf(node).every(isInRange));
    inRange.set(graph, known);
  }
  return known;
}

/** What coefficients are multiplied with or divided by. */
function multipliersOf(node: Node): readonly Float64Array[] {
  switch (node.operator) {
    case "affine":
      return [node.weights];
    case "convolution":
      return [node.kernel];
    case "scale":
      return [node.factors];
    case "leaky_relu":
      return [node.slopes];
    default:
      return [];
  }
}

function isInRange(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude !== 0 && !(magnitude >= LEAST && magnitude <= GREATEST)) return false;
  }
  return true;
}

/**
 * Whether an answer in f32 will do for `auto`: every bound is a number, `radius` (the largest of the walks that end in
 * reported bounds) is a small share of the largest of them, and no claim or sign is missed by so little that f64 might
 * prove it. Only convenience hangs on this: a bound in f32 is proved like any other.
 */
export function willDo(property: Property, { finding, verdict }: Outcome, radius: number): boolean {
  // Its bounds are not reported: f64 may close what f32 leaves open.
  if (finding.type === "radius") return verdict === "certified";
  const bounds = boundsOf(finding);
  if (bounds.includes(null)) return false;
  const largest = bounds.reduce<number>((most, bound) => Math.max(most, Math.abs(bound!)), 0);
  return radius <= VISIBLE * largest && !isMissedBy(RADII * radius, property, finding, verdict);
}

function boundsOf(finding: Exclude<Finding, { type: "radius" }>): readonly (number | null)[] {
  switch (finding.type) {
    case "lipschitz":
      return finding.outputs.map(({ upper }) => upper);
    case "robustness":
      return finding.margins.map(({ lower }) => lower);
    case "output_bounds":
      return [...finding.lower, ...finding.upper];
    case "jacobian_bounds":
      return finding.outputs.flatMap(({ lower, upper }) => [...lower, ...upper]);
    case "monotonicity":
      return finding.features.flatMap(({ lower, upper }) => [lower, upper]);
  }
}

function isMissedBy(slack: number, property: Property, finding: Finding, verdict: Outcome["verdict"]): boolean {
  switch (finding.type) {
    case "lipschitz": {
      const atMost = (property as { readonly at_most?: number }).at_most;
      return atMost !== undefined && verdict === "unknown" && finding.upper! - slack <= atMost;
    }
    case "robustness":
      return verdict === "unknown" && finding.margins.every(({ lower }) => lower! > -slack);
    case "monotonicity":
      return finding.features.some(({ direction, lower, upper }) =>
        direction === "unknown" && (lower! > -slack || upper! < slack)
      );
    default:
      return false;
  }
}
