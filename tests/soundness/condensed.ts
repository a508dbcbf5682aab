/** Bounds of the Jacobian on its condensed form, which small networks would not choose by themselves, against exact values. */
import type { Kernels } from "../../shared/kernels/kernels.ts";
import type { Random } from "../exact/random.ts";
import type { RandomNetwork } from "../exact/random_networks.ts";
import { boundEverything, RELAXATIONS } from "./bounds.ts";
import { falseJacobianBounds, falseLipschitz } from "./findings.ts";
import { samplePoints } from "./samples.ts";

/** What exact values contradict, and how many bounds were held against them. */
export async function falseCondensedBounds(
  network: RandomNetwork,
  kernels: Kernels,
  random: Random,
  points: number,
): Promise<{ found: string[]; bounds: number }> {
  const samples = samplePoints(network.graph, network, random, points);
  const { entries, norms } = await boundEverything(kernels, network.graph, network, RELAXATIONS.condensed, "linear");
  const outputs = norms.map((upper, output) => ({ output, upper, lower: null }));
  const found = [
    ...falseJacobianBounds(samples, entries),
    ...falseLipschitz(samples, { upper: Math.max(...norms), lower: null, outputs, witness: null }),
  ];
  const bounds = norms.length + entries.reduce((sum, { lower }) => sum + 2 * lower.length, 0);
  return { found: found.map((text) => `${network.name}, condensed: ${text}`), bounds };
}
