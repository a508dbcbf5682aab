/** A run over consecutive random networks: every question, and every walk replayed. */
import { isGraphInRange } from "../../shared/arithmetic.ts";
import type { Kernels, Precision } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { Random } from "../exact/random.ts";
import { type BoxKind, randomNetwork, type Recipe } from "../exact/random_networks.ts";
import { RELAXATIONS } from "./bounds.ts";
import { checkCertificates, emptyTally, modelOf } from "./certificates.ts";
import { falseCondensedBounds } from "./condensed.ts";
import { falseWalks } from "./walks.ts";

export interface CampaignPlan {
  readonly seed: number;
  readonly networks: number;
  /** Sampled points a network, each with its exact outputs and Jacobians. */
  readonly points: number;
  /** The backend that answers the questions; walks are replayed on the reference. */
  readonly kernels: Kernels;
  /** What coefficients are (default f64); in f32 a network whose constants are out of its range is answered in f64. */
  readonly precision?: Precision;
}

/** Deterministic: the same plan gives the same report on every machine. */
export interface CampaignReport {
  readonly seed: number;
  readonly networks: number;
  readonly recipes: Partial<Record<Recipe, number>>;
  readonly boxes: Partial<Record<BoxKind, number>>;
  /** Certificates issued. */
  readonly questions: number;
  /** Bounds in them that are numbers. */
  readonly bounds: number;
  /** Points in them that were evaluated exactly. */
  readonly witnesses: number;
  /** Rows of coefficients replayed in exact arithmetic. */
  readonly replayed_rows: number;
  /** Jacobian bounds on the condensed form, held against exact values. */
  readonly condensed_bounds: number;
  /** Exact facts that contradict a claim, and questions that failed. */
  readonly violations: number;
  readonly found: readonly string[];
}

/** Runs the plan; `onNetwork` hears how far it is. */
export async function runCampaign(
  { seed, networks, points, kernels, precision = "f64" }: CampaignPlan,
  onNetwork: (index: number, violations: number) => void = () => {},
): Promise<CampaignReport> {
  const tally = emptyTally();
  const of = (kernels: Kernels) => precision === "f32" ? kernels.single : kernels;
  const recipes: Partial<Record<Recipe, number>> = {}, boxes: Partial<Record<BoxKind, number>> = {};
  let replayed = 0, condensed = 0;
  for (let index = 0; index < networks; index++) {
    const network = randomNetwork(seed, index);
    recipes[network.recipe] = (recipes[network.recipe] ?? 0) + 1;
    boxes[network.boxKind] = (boxes[network.boxKind] ?? 0) + 1;
    try {
      const model = modelOf(network.graph, network.name);
      await checkCertificates(network, kernels, new Random(seed, -2 - index), points, tally, model, precision);
      if (precision === "f32" && !isGraphInRange(network.graph)) continue;
      // A replay follows one chain; networks with branches are held against exact values only.
      const isChain = network.graph.nodes.every(({ operator }) => operator !== "add");
      for (const name of isChain ? ["linear", "recurjac"] : []) {
        const { found, claims } = await falseWalks(of(referenceKernels()), network.graph, network, RELAXATIONS[name]);
        replayed += claims;
        tally.found.push(...found.map((text) => `${network.name}, ${name}: ${text}`));
      }
      const held = await falseCondensedBounds(network, of(kernels), new Random(seed, -5000 - index), points);
      condensed += held.bounds;
      tally.found.push(...held.found);
    } catch (error) {
      tally.found.push(`${network.name}: ${error}`);
    }
    onNetwork(index, tally.found.length);
  }
  const { questions, bounds, witnesses, found } = tally;
  return {
    seed,
    networks,
    recipes,
    boxes,
    questions,
    bounds,
    witnesses,
    replayed_rows: replayed,
    condensed_bounds: condensed,
    violations: found.length,
    found: found.slice(0, 100),
  };
}
