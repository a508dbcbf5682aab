/** Random networks of every recipe and structure, bounded and condensed. */
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import type { Pass } from "../../../shared/bounds/pass.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { type CondensedNetwork, condenseNetwork } from "../../../shared/condensed/condense_network.ts";
import type { Graph, Node } from "../../../shared/graph.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import type { Box } from "../../../shared/numeric/box.ts";
import { randomConvolutional } from "../../exact/random_convolutional.ts";
import { type Fresh, pushNode, randomNetwork } from "../../exact/random_networks.ts";

export interface Bounded {
  readonly name: string;
  readonly box: Box;
  readonly pass: Pass;
}

/** The forward pass over a box; what it keeps on the backend is gone, its bounds stay. */
export function passOf(graph: Graph, box: Box): Promise<Pass> {
  const options = { refine: "linear", rule: "chord" } as const;
  return withRun([graph], { kernels: referenceKernels() }, (run) => boundGraph(graph, [{ box }], options, run));
}

/** A chain of nodes over an input of `size` values. */
export function chain(
  size: number,
  ...nodes: [Fresh<Exclude<Node, { operator: "input" }>>, number][]
): { readonly nodes: Node[] } {
  const all: Node[] = [{ operator: "input", inputs: [], size, name: "x" }];
  for (const [node, width] of nodes) pushNode(all, node, width);
  return { nodes: all };
}

export async function dense(seed: number, index: number): Promise<Bounded> {
  const { name, graph, lower, upper } = randomNetwork(seed, index, 16);
  const box = { lower, upper };
  return { name, box, pass: await passOf(graph, box) };
}

export async function convolutional(seed: number, index: number): Promise<Bounded> {
  const { name, graph, lower, upper } = randomConvolutional(seed, index);
  const box = { lower, upper };
  return { name, box, pass: await passOf(graph, box) };
}

/** The condensed form of a network that has one. */
export function condensed(pass: Pass): CondensedNetwork {
  const network = condenseNetwork(pass);
  if (network === null) throw new RangeError("the network has no condensed form");
  return network;
}
