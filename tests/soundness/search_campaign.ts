/** Searches over consecutive troubled networks, each answer held against the enumeration of all regions. */
import type { Finding, Verdict } from "../../shared/certificate/finding.ts";
import {
  certify,
  type Kernels,
  LipcertError,
  type Model,
  type PropertyRequest,
  resolveQuery,
} from "../../shared/mod.ts";
import { isAtLeast, maximum, sign, toNumber } from "../exact/dyadic.ts";
import { unitRow } from "../exact/network.ts";
import { valueAt } from "../exact/polytope.ts";
import { Random } from "../exact/random.ts";
import { type LinearRegion, regionsOf } from "../exact/regions.ts";
import { type Trouble, type TroubledNetwork, troubledNetwork } from "../exact/troubled_networks.ts";
import { rangeOf, truthOf } from "../exact/truth.ts";
import { exactVector } from "../exact/vector.ts";
import { modelOf } from "./certificates.ts";
import type { Rows } from "./samples.ts";
import {
  type Facts,
  isUpperTight,
  type Judged,
  judgeJacobian,
  judgeLipschitz,
  judgeMonotonicity,
  judgeOutputs,
  judgeRobustness,
} from "./truth_claims.ts";

export interface SearchPlan {
  readonly seed: number;
  readonly networks: number;
  readonly kernels: Kernels;
  readonly max_nodes?: number;
}

type Kind = PropertyRequest["type"] | "lipschitz rows";

/** What became of the questions of one kind. */
export interface Counted {
  questions: number;
  /** Those refused a search as `unsupported-option`: asked again without one, for what is false alone. */
  unsupported: number;
  /** Those that got a search and leave nothing to say. */
  closed: number;
  /** Of the others: the upper bound is all that is true, the lower one is not. */
  upper_tight: number;
  /** Of the others: the constant is exactly 0, the bounds 0 and next to it, so that no relative gap is small. */
  nought: number;
  /** Of boxes with an interior alone. */
  readonly solid: { questions: number; closed: number; upper_tight: number; nought: number };
  /** Troubles of the networks that were not closed. */
  readonly open: Partial<Record<Trouble, number>>;
  /** And their boxes. */
  readonly open_boxes: Record<string, number>;
}

/** Deterministic: the same plan gives the same report on every machine. */
export interface SearchCampaignReport {
  readonly seed: number;
  readonly networks: number;
  readonly max_nodes: number;
  /** Kinds of boxes; `on a kink`: all points of a box without interior lie on one, and none of them proves the constant. */
  readonly boxes: Readonly<Record<string, number>>;
  readonly regions: number;
  readonly properties: Readonly<Partial<Record<Kind, Counted>>>;
  /** The first networks whose constants stay open, with the bounds and the constant. */
  readonly open: readonly string[];
  readonly violations: number;
  readonly found: readonly string[];
}

const SHOWN = 60;

/** Runs the plan; `onNetwork` hears how far it is. */
export async function runSearches(
  { seed, networks, kernels, max_nodes = 2000 }: SearchPlan,
  onNetwork: (index: number, violations: number) => void = () => {},
): Promise<SearchCampaignReport> {
  const properties: Partial<Record<Kind, Counted>> = {}, found: string[] = [], open: string[] = [];
  const boxes: Record<string, number> = {};
  let count = 0;
  for (let index = 0; index < networks; index++) {
    const network = troubledNetwork(seed, index);
    try {
      const regions = regionsOf(network.graph, network), random = new Random(seed, -2 - index);
      count += regions.length;
      const boxKind = boxKindOf(network, random);
      boxes[boxKind] = (boxes[boxKind] ?? 0) + 1;
      const model = modelOf(network.graph, network.name);
      for (const question of questionsOf(network, random)) {
        const counted = properties[question.kind] ??= {
          questions: 0,
          unsupported: 0,
          closed: 0,
          upper_tight: 0,
          nought: 0,
          solid: { questions: 0, closed: 0, upper_tight: 0, nought: 0 },
          open: {},
          open_boxes: {},
        };
        const { searched, judged, upperTight, isNought, bounds } = await ask(
          question,
          network,
          model,
          regions,
          kernels,
          max_nodes,
        );
        found.push(...judged.found.map((text) => `${network.name}, ${question.kind}: ${text}`));
        const kinds = [counted, ...(isSolid(network) ? [counted.solid] : [])];
        for (const kind of kinds) kind.questions++;
        if (!searched) counted.unsupported++;
        else if (judged.closed) { for (const kind of kinds) kind.closed++; }
        else {
          if (upperTight) { for (const kind of kinds) kind.upper_tight++; }
          if (isNought) { for (const kind of kinds) kind.nought++; }
          counted.open[network.recipe] = (counted.open[network.recipe] ?? 0) + 1;
          counted.open_boxes[boxKind] = (counted.open_boxes[boxKind] ?? 0) + 1;
          if (bounds !== null && open.length < SHOWN) open.push(`${network.name}, ${question.kind}: ${bounds}`);
        }
      }
    } catch (error) {
      found.push(`${network.name}: ${error}`);
    }
    onNetwork(index, found.length);
  }
  const violations = found.length;
  return { seed, networks, max_nodes, boxes, regions: count, properties, open, violations, found: found.slice(0, 100) };
}

function isSolid({ lower, upper }: TroubledNetwork): boolean {
  return lower.every((l, j) => l < upper[j]);
}

/** The kind of a network's box; whether it lies on a kink is asked at one of its points. */
function boxKindOf(network: TroubledNetwork, random: Random): string {
  const { graph, lower, upper, boxKind } = network;
  if (isSolid(network)) return boxKind;
  const point = lower.map((l, j) => l + random.between(0.1, 0.9) * (upper[j] - l));
  return regionsOf(graph, { lower: point, upper: point }).length > 1 ? "on a kink" : boxKind;
}

interface Question {
  readonly kind: Kind;
  readonly property: PropertyRequest;
  /** The rows of outputs that it asks about, in the order of the finding. */
  readonly rows: Rows;
}

function questionsOf({ graph }: TroubledNetwork, random: Random): Question[] {
  const { size } = graph.nodes.at(-1)!, outputs = Array.from({ length: size }, (_, k) => k);
  const units = outputs.map((k) => unitRow(size, k));
  const rows = [0, 1].map(() => outputs.map(() => random.pick([0, 1, -1, 0.5, random.normal()])));
  const output = random.pick(outputs), label = random.pick(outputs);
  const margins = outputs.filter((k) => k !== label).map((k) => outputs.map((j) => j === label ? 1 : j === k ? -1 : 0));
  const questions: Question[] = [
    { kind: "lipschitz", property: { type: "lipschitz" }, rows: units },
    { kind: "lipschitz rows", property: { type: "lipschitz", rows }, rows },
    { kind: "output_bounds", property: { type: "output_bounds" }, rows: units },
    { kind: "jacobian_bounds", property: { type: "jacobian_bounds" }, rows: units },
    { kind: "monotonicity", property: { type: "monotonicity", output }, rows: [units[output]] },
  ];
  if (size === 1) return questions;
  return [...questions, { kind: "robustness", property: { type: "robustness", label }, rows: margins }];
}

interface Answered {
  readonly searched: boolean;
  readonly judged: Judged;
  readonly upperTight: boolean;
  readonly isNought: boolean;
  readonly bounds: string | null;
}

async function ask(
  { property, rows }: Question,
  network: TroubledNetwork,
  model: Model,
  regions: readonly LinearRegion[],
  kernels: Kernels,
  max_nodes: number,
): Promise<Answered> {
  const region = { lower: Array.from(network.lower), upper: Array.from(network.upper) };
  const resolved = (options: { search?: { max_nodes: number; gap: number } }) =>
    resolveQuery({ region, property, options }, model, kernels);
  let searched = true;
  const query = await resolved({ search: { max_nodes, gap: 0 } }).catch((error) => {
    if (!(error instanceof LipcertError && error.type === "unsupported-option")) throw error;
    searched = false;
    return resolved({});
  });
  const { finding, verdict } = await certify(model, query, { kernels });
  const ranged = finding.type === "output_bounds" || finding.type === "robustness";
  const facts: Facts = {
    truths: ranged ? [] : rows.map((row) => truthOf(regions, row)),
    ranges: ranged ? rows.map((row) => rangeOf(regions, network, row)) : [],
  };
  const judged = judge(finding, verdict, facts);
  if (finding.type !== "lipschitz") return { searched, judged, upperTight: false, isNought: false, bounds: null };
  const { lower, upper } = finding, found = [...judged.found, ...falseWitness(network, finding, regions, rows)];
  const constant = toNumber(facts.truths.map(({ constant }) => constant).reduce(maximum));
  return {
    searched,
    judged: { ...judged, found },
    upperTight: isUpperTight(finding, facts),
    isNought: constant === 0 && lower === 0 && upper !== null && upper <= NOUGHT,
    bounds: `${lower} to ${upper}, is ${constant}`,
  };
}

/** The witness lies in the box, and in the closure of a region where the norm is no less than what it proves. */
function falseWitness(
  { lower, upper }: TroubledNetwork,
  finding: Extract<Finding, { type: "lipschitz" }>,
  regions: readonly LinearRegion[],
  rows: Rows,
): string[] {
  const { witness } = finding, point = exactVector(witness.point);
  const row = rows["row" in witness ? witness.row : witness.output];
  if (witness.point.some((x, j) => !(lower[j] <= x && x <= upper[j]))) return ["the witness is outside"];
  const near = regions.filter(({ cuts }) => cuts.every((cut) => sign(valueAt(cut, point)) >= 0));
  if (near.length > 0 && isAtLeast(truthOf(near, row).constant, finding.lower)) return [];
  return [`the norm at the witness is not ${finding.lower} in any of ${near.length} regions`];
}

/** Next to 0, for networks of numbers of some units. */
const NOUGHT = 1e-9;

function judge(finding: Finding, verdict: Verdict, facts: Facts): Judged {
  switch (finding.type) {
    case "lipschitz":
      return judgeLipschitz(finding, facts);
    case "output_bounds":
      return judgeOutputs(finding, facts);
    case "jacobian_bounds":
      return judgeJacobian(finding, facts);
    case "monotonicity":
      return judgeMonotonicity(finding, facts);
    case "robustness":
      return judgeRobustness(finding, verdict, facts);
    case "radius":
      throw new TypeError("Cannot judge a radius: none is asked for here");
  }
}
