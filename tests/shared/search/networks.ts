/** Small networks to search, their questions, and what is exactly true of them. */
import type { SearchReport } from "../../../shared/certificate/finding.ts";
import { certify, type CertifyContext } from "../../../shared/certify.ts";
import type { LipschitzFinding } from "../../../shared/certificate/finding.ts";
import type { Node } from "../../../shared/graph.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import type { Query } from "../../../shared/query.ts";
import { Random } from "../../exact/random.ts";
import { boxAround, pushActivation, pushNode, randomNetwork, type Recipe } from "../../exact/random_networks.ts";
import { type AskedNetwork, modelOf } from "../../soundness/certificates.ts";
import { type Sample, sampleAt, samplePoints } from "../../soundness/samples.ts";

/** One or two inputs, up to two layers of neurons of one kind (or of all), weights that are quarters: kinks meet samples. */
export function smallNetwork(seed: number, index: number): AskedNetwork {
  const random = new Random(seed, index);
  const recipe: Recipe = random.pick(["plain", "leaky", "clipped", "mixed"]);
  const features = random.integer(1, 2), layers = random.integer(1, 2);
  const nodes: Node[] = [{ operator: "input", inputs: [], size: features, name: "x" }];
  const affine = (rows: number) => {
    const columns = nodes.at(-1)!.size;
    const quarters = (count: number) => Float64Array.from({ length: count }, () => random.integer(-8, 8) / 4);
    pushNode(nodes, { operator: "affine", weights: quarters(rows * columns), bias: quarters(rows) }, rows);
  };
  for (let layer = 0; layer < layers; layer++) {
    affine(random.integer(2, 4));
    pushActivation(random, nodes, recipe);
  }
  affine(random.integer(1, 2));
  const center = Array.from({ length: features }, () => random.integer(-4, 4) / 4);
  const box = boxAround(random, center, random.pick(["medium", "large", "large", "partly degenerate"]), 1, true);
  return { name: `seed ${seed} small ${index} (${recipe})`, recipe, graph: { nodes }, ...box };
}

/** Any network of the zoo of corner cases, narrow. */
export function cornerCase(seed: number, index: number): AskedNetwork {
  return randomNetwork(seed, index, 8);
}

/** Exact Jacobians on a grid of a box of few inputs, and at random points and corners. */
export function samplesOf({ graph, lower, upper }: AskedNetwork, seed: number): Sample[] {
  const random = new Random(seed), box = { lower, upper };
  const samples = samplePoints(graph, box, random, 24);
  if (lower.length > 2) return samples;
  const steps = lower.length === 1 ? 64 : 12;
  for (let at = 0; at < (steps + 1) ** lower.length; at++) {
    const point = Float64Array.from(lower, (l, j) => {
      const share = (j === 0 ? at % (steps + 1) : Math.floor(at / (steps + 1))) / steps;
      return Math.min(Math.max(l + share * (upper[j] - l), l), upper[j]);
    });
    samples.push(sampleAt(graph, box, point, random));
  }
  return samples;
}

export interface Answered extends Omit<LipschitzFinding, "outputs" | "witness"> {
  readonly outputs: readonly { readonly output: number; readonly upper: number | null; readonly lower: number }[];
  readonly witness: { readonly output: number; readonly point: readonly number[] };
  readonly search: SearchReport;
  readonly json: string;
}

type Options = Partial<Query["options"]>;

/** The constants of all outputs; `max_nodes` null asks for no search. */
export async function ask(
  network: AskedNetwork,
  kernels: Kernels,
  max_nodes: number | null,
  options: Options = {},
  context: Omit<CertifyContext, "kernels"> = {},
): Promise<Answered> {
  const { graph, lower, upper, name } = network;
  const query: Query = {
    model_digest: `sha256:${name}`,
    output: "y",
    region: { lower: Array.from(lower), upper: Array.from(upper) },
    property: { type: "lipschitz", outputs: Array.from({ length: graph.nodes.at(-1)!.size }, (_, k) => k) },
    options: {
      relaxation: "linear",
      preactivation: "crown",
      arithmetic: "f64",
      ...(max_nodes === null ? {} : { search: { max_nodes, gap: 0 } }),
      ...options,
    },
  };
  const certificate = await certify(modelOf(graph, name), query, { kernels, ...context });
  const finding = certificate.finding as Omit<Answered, "search" | "json">;
  return { ...finding, search: certificate.method.search, json: JSON.stringify(certificate) };
}
