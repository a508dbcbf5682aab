import type { Run } from "../bounds/pass.ts";
import type { Refutation, Target } from "../certificate/finding.ts";
import type { Graph } from "../graph.ts";
import type { Claim } from "../query.ts";
import { mostNormAt, signsAt } from "../witness/exact_gradients.ts";
import { gradientAt, leastNorm, outputsAt } from "../witness/prove.ts";
import { outputSize, seedsOf, unitRow } from "./analysis.ts";

type ClaimOf<T extends Claim["type"]> = Extract<Claim, { type: T }>;

/** Whether the points prove a claim false in every box that holds them, replayed in outward arithmetic (11), else exactly (27). */
export async function refutes(claim: Claim, refutation: Refutation, graph: Graph, run: Run): Promise<boolean> {
  const points = refutation.points.map((point) => Float64Array.from(point));
  switch (claim.type) {
    case "robustness":
      return await changesLabel(claim, points, graph, run);
    case "lipschitz":
      return await exceeds(claim, refutation, points, graph, run);
    case "monotonicity":
      return "feature" in refutation && await turns(claim, refutation.feature, points, graph, run);
  }
}

async function changesLabel({ label }: ClaimOf<"robustness">, points: readonly Float64Array[], graph: Graph, run: Run) {
  if (points.length !== 1) return false;
  const [{ lower, upper }] = await outputsAt(graph, points, run);
  return lower.some((l, k) => k !== label && l > upper[label]);
}

async function exceeds(
  claim: ClaimOf<"lipschitz">,
  named: object,
  points: readonly Float64Array[],
  graph: Graph,
  run: Run,
): Promise<boolean> {
  const { rows, targets } = seedsOf(claim, outputSize(graph));
  const at = targets.findIndex((target) => sameTarget(target, named));
  if (points.length !== 1 || at < 0) return false;
  const [gradient] = await gradientAt(graph, [{ point: points[0], seed: rows[at] }], run);
  return leastNorm(gradient) > claim.at_most ||
    await mostNormAt(graph, null, points[0], rows[at], run) > claim.at_most;
}

function sameTarget(target: Target, named: object): boolean {
  if ("output" in target) return "output" in named && named.output === target.output;
  return "row" in named && named.row === target.row;
}

/** A proved sign against the direction, or both signs where either direction would do. */
async function turns(
  { output, features, direction }: ClaimOf<"monotonicity">,
  feature: number,
  points: readonly Float64Array[],
  graph: Graph,
  run: Run,
): Promise<boolean> {
  if (!features.includes(feature)) return false;
  const seed = unitRow(outputSize(graph), output);
  const signs = await signsAt(graph, null, points.map((point) => ({ feature, point, seed })), run);
  const falls = signs.some((one) => one.falls), rises = signs.some((one) => one.rises);
  return direction === undefined ? falls && rises : direction === "increasing" ? falls : rises;
}
