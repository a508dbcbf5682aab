import { boundGraph, refine } from "../bounds/bound_graph.ts";
import type { BoundOptions, Group, Pass, Run } from "../bounds/pass.ts";
import { lowerBounds } from "../bounds/walk.ts";
import type { Graph, NodeId } from "../graph.ts";
import { type Box, copyBox, pointBox } from "../numeric/box.ts";
import { sumBounds } from "../numeric/rounding.ts";
import type { DerivativeRange, ElementwiseOperator } from "../operators/operator.ts";
import { operatorOf } from "../operators/registry.ts";
import { differentiate, withAbs } from "./differentiate.ts";

/** Groups bounded together; more run in further batches (the bits of a group do not depend on it). */
export const GROUPS_PER_BATCH = 32;

/**
 * Upper bounds of the l1 norms of gradient rows: for each domain of `forward` and each seed (a row of coefficients over
 * the outputs) a number that no element's norm exceeds, over the whole product set.
 *
 * Order: domain-major, [domains x seeds]. The norm row is walked with the chord of |.| over each entry's bounds and never
 * reported above the sum of the entries' largest magnitudes. Source: [Shi22, section 3.3]; shared/README.md (8)
 */
export function normBounds(
  forward: Pass,
  seeds: readonly Float64Array[],
  options: BoundOptions,
  run: Run,
): Promise<number[]> {
  const graph = withAbs(differentiate(forward.graph));
  return inBatches(forward, graph, seeds, run, async (groups) => (await boundNorms(graph, groups, options, run)).norms);
}

/** The pass over the graph of a Jacobian that ends in |.|, with an upper bound of the norm for each of its groups. */
export async function boundNorms(
  graph: Graph,
  groups: readonly Group[],
  options: BoundOptions,
  run: Run,
): Promise<{ readonly pass: Pass; readonly norms: number[] }> {
  const norm = graph.nodes.length - 1;
  const pass = await boundGraph(graph, groups, options, run);
  const sums = pass.states[norm].boxes.map((box) => sumBounds(box.upper).upper);
  if (options.refine === "interval") return { pass, norms: sums };
  const size = graph.nodes[norm].size;
  const negated = await lowerBounds(pass, norm, {
    groups: Int32Array.from(groups, (_, g) => g),
    start: { layout: "dense", coefficients: new Float64Array(groups.length * size).fill(-1) },
  });
  return { pass, norms: sums.map((sum, g) => Math.min(sum, -negated[g])) };
}

/**
 * Bounds of the gradient's entries for each domain and seed, [domains x seeds]; only the entries of `features` are walked
 * (the others keep their interval bounds).
 */
export function entryBounds(
  forward: Pass,
  seeds: readonly Float64Array[],
  features: readonly number[],
  options: BoundOptions,
  run: Run,
): Promise<Box[]> {
  const graph = differentiate(forward.graph);
  const last = graph.nodes.length - 1;
  return inBatches(forward, graph, seeds, run, async (groups) => {
    const pass = await boundGraph(graph, groups, options, run);
    if (options.refine === "linear") await refine(pass, last, groups.map(() => features));
    return pass.states[last].boxes.map(copyBox);
  });
}

async function inBatches<T>(
  forward: Pass,
  graph: Graph,
  seeds: readonly Float64Array[],
  run: Run,
  bound: (groups: Group[]) => Promise<T[]>,
): Promise<T[]> {
  const groups = jacobianGroups(forward, graph, seeds);
  const results: T[] = [];
  // A batch is of one domain: its groups share the derivative ranges, and with them the condensed form.
  for (let domain = 0; domain < forward.groups.length; domain++) {
    const end = (domain + 1) * seeds.length;
    for (let from = domain * seeds.length; from < end; from += GROUPS_PER_BATCH) {
      const batch = groups.slice(from, Math.min(from + GROUPS_PER_BATCH, end));
      results.push(...await run.kernels.scope(() => bound(batch)));
    }
  }
  return results;
}

/** One group a domain and seed: the seed is the input's point, the derivative ranges are the domain's. */
export function jacobianGroups(forward: Pass, graph: Graph, seeds: readonly Float64Array[]): Group[] {
  return forward.groups.flatMap((_, domain) => {
    const ranges = derivativeRanges(forward, graph, domain);
    return seeds.map((seed) => ({ box: pointBox(seed), ranges }));
  });
}

/** The range of d at each `derivative_product` of the Jacobian's graph, in one domain of the network's pass. */
export function derivativeRanges(forward: Pass, graph: Graph, domain: number): ReadonlyMap<NodeId, DerivativeRange> {
  const ranges = new Map<NodeId, DerivativeRange>();
  graph.nodes.forEach((node, id) => {
    if (node.operator !== "derivative_product") return;
    const activation = forward.graph.nodes[node.of];
    if (activation.operator === "input") throw new RangeError("Cannot differentiate the input");
    const rules = operatorOf(activation.operator) as ElementwiseOperator;
    const box = forward.states[activation.inputs[0]].boxes[domain];
    const phases = forward.groups[domain].phases?.get(node.of) ?? null;
    ranges.set(id, rules.derivative!(box, phases, activation));
  });
  return ranges;
}
