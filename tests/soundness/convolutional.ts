/** A run over consecutive random convolutional networks: exact values, the dense twin, and every question. */
import { isGraphInRange } from "../../shared/arithmetic.ts";
import type { Kernels, Precision } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { Random } from "../exact/random.ts";
import {
  type ConvolutionalNetwork,
  neighbouringFactors,
  randomConvolutional,
  type Structure,
} from "../exact/random_convolutional.ts";
import type { BoxKind } from "../exact/random_networks.ts";
import type { Scale } from "../exact/random_windows.ts";
import { unroll } from "../exact/unroll.ts";
import { RELAXATIONS } from "./bounds.ts";
import { checkCertificates, emptyTally, modelOf } from "./certificates.ts";
import { boundPasses, countBounds, falseBatches, falsePasses } from "./passes.ts";
import { type Rows, samplePoints, unitRows } from "./samples.ts";
import { compareTwins } from "./twin.ts";
import { falseWalks } from "./walks.ts";

export interface ConvolutionalPlan {
  readonly seed: number;
  readonly networks: number;
  /** Sampled points a network, each with its exact values and Jacobians. */
  readonly points: number;
  readonly kernels: Kernels;
  /** What coefficients are (default f64); in f32 networks whose constants are out of its range are passed over. */
  readonly precision?: Precision;
  /** Every which network is asked all questions, too. */
  readonly questionsEvery: number;
}

/** Deterministic: the same plan gives the same report on every machine. */
export interface ConvolutionalReport {
  readonly seed: number;
  readonly networks: number;
  readonly structures: Partial<Record<Structure, number>>;
  readonly scales: Partial<Record<Scale, number>>;
  readonly boxes: Partial<Record<BoxKind, number>>;
  /** Bounds of nodes, outputs, entries and norms that are numbers, held against exact values. */
  readonly bounds: number;
  /** Points that were evaluated exactly, and regions of the Jacobian next to them. */
  readonly points: number;
  readonly regions: number;
  /** Bounds compared with those of the dense twin, and the largest difference in units of the reach. */
  readonly twin_bounds: number;
  readonly twin_difference: number;
  /** Passes that were not compared to their end, since a value within rounding of a kink took another line. */
  readonly twin_ties: number;
  /** Rows of coefficients replayed in exact arithmetic. */
  readonly replayed_rows: number;
  /** Certificates issued, and the bounds in them. */
  readonly questions: number;
  readonly question_bounds: number;
  readonly violations: number;
  readonly found: readonly string[];
}

interface Counts {
  bounds: number;
  points: number;
  regions: number;
  twin_bounds: number;
  twin_difference: number;
  twin_ties: number;
  replayed_rows: number;
}

/** Runs the plan; `onNetwork` hears how far it is. */
export async function runConvolutional(
  { seed, networks, points, kernels, questionsEvery, precision = "f64" }: ConvolutionalPlan,
  onNetwork: (index: number, violations: number) => void = () => {},
): Promise<ConvolutionalReport> {
  const counts: Counts = {
    bounds: 0,
    points: 0,
    regions: 0,
    twin_bounds: 0,
    twin_difference: 0,
    twin_ties: 0,
    replayed_rows: 0,
  };
  const structures: ConvolutionalReport["structures"] = {}, scales: ConvolutionalReport["scales"] = {};
  const boxes: ConvolutionalReport["boxes"] = {}, tally = emptyTally();
  const of = (kernels: Kernels) => precision === "f32" ? kernels.single : kernels;
  for (let index = 0; index < networks; index++) {
    const network = randomConvolutional(seed, index);
    if (precision === "f32" && !isGraphInRange(network.graph)) continue;
    count(structures, network.structure);
    count(scales, network.scale);
    count(boxes, network.boxKind);
    try {
      tally.found.push(...await checkNetwork(network, of(kernels), new Random(seed, -2 - index), points, counts));
      if (index % questionsEvery === 0) {
        const asked = { ...network, recipe: network.scale };
        const model = modelOf(network.graph, network.name);
        await checkCertificates(asked, kernels, new Random(seed, -10_000 - index), points, tally, model, precision);
      }
    } catch (error) {
      tally.found.push(`${network.name}: ${error}`);
    }
    onNetwork(index, tally.found.length);
  }
  const { questions, bounds, found } = tally;
  return {
    seed,
    networks,
    structures,
    scales,
    boxes,
    ...counts,
    questions,
    question_bounds: bounds,
    violations: found.length,
    found: found.slice(0, 100),
  };
}

function count<K extends string>(into: Partial<Record<K, number>>, key: K): void {
  into[key] = (into[key] ?? 0) + 1;
}

/** Contradictions over all relaxations; adds to the counts. */
async function checkNetwork(
  network: ConvolutionalNetwork,
  kernels: Kernels,
  random: Random,
  points: number,
  counts: Counts,
): Promise<string[]> {
  const { graph, name } = network, twin = unroll(graph), found: string[] = [];
  const rows = rowsOf(network, random);
  const moved = neighbouringFactors(graph, random);
  const instances = graph.nodes.some((node) => node.operator === "scale" && (node.roundings ?? 0) >= 2)
    ? [graph, moved]
    : [graph];
  const sampled = instances.map((exact) => ({ exact, samples: samplePoints(exact, network, random, points, rows) }));
  for (const { samples } of sampled) {
    counts.points += samples.length;
    counts.regions += samples.reduce((sum, { phases }) => sum + phases.length, 0);
  }
  for (const [relaxation, options] of Object.entries(RELAXATIONS)) {
    const report = (texts: readonly string[]) => found.push(...texts.map((text) => `${name}, ${relaxation}: ${text}`));
    const passes = await boundPasses(kernels, graph, network, options, rows);
    counts.bounds += countBounds(passes);
    for (const { exact, samples } of sampled) report(falsePasses(passes, exact, samples, rows));
    // In f32 a chunk of columns ends elsewhere in another batch, or on the dense twin: bits are their own there.
    if (kernels.precision === "f64") {
      report(await falseBatches(kernels, graph, network, options, rows, passes));
      const dense = await boundPasses(kernels, twin, network, options, rows);
      const { found: apart, compared, ties, largest } = compareTwins(
        passes,
        dense,
        network,
        rows,
        options.condense !== undefined,
      );
      report(apart);
      counts.twin_bounds += compared;
      counts.twin_ties += ties;
      counts.twin_difference = Math.max(counts.twin_difference, largest);
    }
    // A replay follows one chain of matrices.
    const isChain = graph.nodes.every(({ operator }) => operator !== "add" && operator !== "selection");
    if (!isChain || (relaxation !== "linear" && relaxation !== "recurjac")) continue;
    const reference = kernels.precision === "f32" ? referenceKernels().single : referenceKernels();
    const replayed = await falseWalks(reference, graph, network, options);
    counts.replayed_rows += replayed.claims;
    report(replayed.found);
  }
  return found;
}

/** Single outputs and a combination of all: one seed or several. */
function rowsOf({ graph, scale }: ConvolutionalNetwork, random: Random): Rows {
  const units = unitRows(graph);
  const large = scale === "extreme" ? 10 ** random.between(-50, 50) : 1;
  const mixed = units.map(() => large * random.pick([0, 1, -1, random.normal()]));
  return random.chance(0.3) ? [mixed] : [...units.slice(0, 2), mixed];
}
