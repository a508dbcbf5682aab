/** What the engine says about a network over a box, at every node of both graphs, as plain data that outlives the run. */
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { BoundOptions, Pass } from "../../shared/bounds/pass.ts";
import type { Graph, NodeId } from "../../shared/graph.ts";
import { differentiate, withAbs } from "../../shared/jacobian/differentiate.ts";
import { entryBounds, jacobianGroups, normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { type Box, copyBox } from "../../shared/numeric/box.ts";
import { type Demand, type DerivativeRange, isAsked, type Relaxation } from "../../shared/operators/operator.ts";
import { boundNetwork, outputBounds, runOn } from "./bounds.ts";
import { falseJacobianBounds, falseLipschitz, falseOutputBounds, type IntervalClaim } from "./findings.ts";
import { falseNodeBoxes, gradientValues } from "./node_boxes.ts";
import { center, type Region, type Rows, type Sample } from "./samples.ts";

export interface NodeFacts {
  /** By group: one for the network, one a row for the graph of the Jacobian. */
  readonly boxes: readonly Box[];
  readonly relaxations: readonly Relaxation[] | null;
  /** The values that anything above asks for; elsewhere there need not be a bound. */
  readonly demand: Demand | null;
}

export interface Passes {
  readonly graph: Graph;
  /** The graph of the Jacobian with |.| at its end. */
  readonly gradient: Graph;
  readonly forward: readonly NodeFacts[];
  readonly backward: readonly NodeFacts[];
  /** Ranges of the derivatives, by node of `gradient`. */
  readonly ranges: ReadonlyMap<NodeId, DerivativeRange>;
  /** By row. */
  readonly outputs: IntervalClaim;
  readonly entries: readonly IntervalClaim[];
  readonly norms: readonly number[];
}

/** Bounds of the network, and of the rows of its Jacobian bounded together. */
export async function boundPasses(
  kernels: Kernels,
  graph: Graph,
  box: Region,
  options: BoundOptions,
  rows: Rows,
): Promise<Passes> {
  return await kernels.scope(async () => {
    const run = runOn(kernels, graph), gradient = withAbs(differentiate(graph));
    const forward = await boundNetwork(graph, box, options.refine, run);
    const seeds = rows.map((row) => Float64Array.from(row));
    const groups = jacobianGroups(forward, gradient, seeds);
    const backward = await boundGraph(gradient, groups, options, run);
    const inputs = Array.from({ length: graph.nodes[0].size }, (_, i) => i);
    const entries = await entryBounds(forward, seeds, inputs, options, run);
    return {
      graph,
      gradient,
      forward: factsOf(forward),
      backward: factsOf(backward),
      ranges: groups[0].ranges!,
      outputs: await outputBounds(forward, rows),
      entries: entries.map(({ lower, upper }) => ({ lower: Array.from(lower), upper: Array.from(upper) })),
      norms: await normBounds(forward, seeds, options, run),
    };
  });
}

function factsOf({ states }: Pass): NodeFacts[] {
  return states.map(({ boxes, relaxations, demand }) => ({ boxes: boxes.map(copyBox), relaxations, demand }));
}

/** Does anything above ask for value i of a node in this group? */
export function asksFor({ demand }: NodeFacts, group: number, i: number): boolean {
  return isAsked(demand, group, i);
}

/** Bounds that are numbers. */
export function countBounds({ forward, backward, outputs, entries, norms }: Passes): number {
  const boxes = [...forward, ...backward].flatMap((facts) => facts.boxes);
  const ends = [...boxes, outputs, ...entries].flatMap(({ lower, upper }) => [lower, upper]).concat([[...norms]]);
  return ends.reduce((sum, list) => sum + Array.from(list).filter(Number.isFinite).length, 0);
}

/**
 * Exact values at the samples that a bound of the passes contradicts. `exact` is the network whose samples these are: the
 * bounded one, or another with factors that its roundings allow.
 */
export function falsePasses(passes: Passes, exact: Graph, samples: readonly Sample[], rows: Rows): string[] {
  const { graph, forward, backward, outputs, entries, norms } = passes;
  const gradient = withAbs(differentiate(exact));
  const claim = {
    upper: Math.max(...norms),
    lower: null,
    outputs: norms.map((upper, output) => ({ output, upper, lower: null })),
    witness: null,
  };
  return [
    ...samples.flatMap(({ values, phases }) => [
      ...falseNodeBoxes(graph, (id) => forward[id].boxes[0], values),
      ...phases.flatMap((found) =>
        rows.flatMap((row, g) =>
          falseNodeBoxes(gradient, (id) => backward[id].boxes[g], gradientValues(gradient, found, row))
        )
      ),
    ]),
    ...falseOutputBounds(samples, outputs),
    ...falseJacobianBounds(samples, entries),
    ...falseLipschitz(samples, claim),
  ];
}

/**
 * The bits of a group do not depend on the others it is bounded with (shared/README.md (12)): the box beside its lower
 * half, and the first row of the Jacobian alone. The condensed form takes magnitudes over all of its groups (14): there the
 * norm is another one, within its radius.
 */
export async function falseBatches(
  kernels: Kernels,
  graph: Graph,
  box: Region,
  options: BoundOptions,
  rows: Rows,
  { forward, norms }: Passes,
): Promise<string[]> {
  return await kernels.scope(async () => {
    const run = runOn(kernels, graph), found: string[] = [];
    const whole = { lower: Float64Array.from(box.lower), upper: Float64Array.from(box.upper) };
    const { refine } = options;
    const half = { lower: whole.lower, upper: center(box) };
    const both = await boundGraph(graph, [{ box: whole }, { box: half }], { refine, rule: "chord" }, run);
    graph.nodes.forEach(({ name }, id) => {
      const [alone, beside] = [forward[id].boxes[0], both.states[id].boxes[0]];
      if (!sameBits(alone, beside)) found.push(`the box of ${name} is another one beside a second group`);
    });
    if (options.condense) return found;
    const single = await boundNetwork(graph, box, refine, run);
    const [norm] = await normBounds(single, [Float64Array.from(rows[0])], options, run);
    if (norm !== norms[0]) found.push(`the norm of row 0 is ${norm} alone, ${norms[0]} beside others`);
    return found;
  });
}

function sameBits(a: Box, b: Box): boolean {
  const same = (x: Float64Array, y: Float64Array) => x.every((value, i) => Object.is(value, y[i]));
  return same(a.lower, b.lower) && same(a.upper, b.upper);
}
