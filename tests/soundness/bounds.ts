/** The engine's bounds of a network over a box, straight from the bounding passes: no question, no certificate. */
import type { Graph } from "../../shared/graph.ts";
import type { Buffer, Kernels } from "../../shared/kernels/kernels.ts";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { BoundOptions, Pass, Run } from "../../shared/bounds/pass.ts";
import { lowerBounds } from "../../shared/bounds/walk.ts";
import { entryBounds, normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import type { IntervalClaim } from "./findings.ts";
import { type Region, type Rows, unitRows } from "./samples.ts";

/** The three relaxations: how p d is bounded and whether rows are walked. */
export const RELAXATIONS: Readonly<Record<string, BoundOptions>> = {
  interval: { refine: "interval", rule: "chord" },
  recurjac: { refine: "linear", rule: "constant" },
  linear: { refine: "linear", rule: "chord" },
  condensed: { refine: "linear", rule: "chord", condense: "always" },
};

export interface Bounds {
  readonly outputs: IntervalClaim;
  /** By row. */
  readonly entries: readonly IntervalClaim[];
  /** By row: l1 norms of the gradient. */
  readonly norms: readonly number[];
}

/** A run on these kernels with the constants of the network uploaded. Call it inside a scope. */
export function runOn(kernels: Kernels, graph: Graph): Run {
  const uploads = new Map<Float64Array, Buffer>();
  for (const node of graph.nodes) {
    if (node.operator === "affine") uploads.set(node.weights, kernels.upload(node.weights));
    if (node.operator === "convolution") uploads.set(node.kernel, kernels.upload(node.kernel));
  }
  return { kernels, work: { flops: 0, rows: 0 }, uploads };
}

/** Bounds of the network alone. Call it inside a scope. */
export function boundNetwork(graph: Graph, box: Region, refine: BoundOptions["refine"], run: Run): Promise<Pass> {
  const domain = { lower: Float64Array.from(box.lower), upper: Float64Array.from(box.upper) };
  return boundGraph(graph, [{ box: domain }], { refine, rule: "chord" }, run);
}

/** Everything at once: outputs, entries of the Jacobian and norms of its rows. */
export async function boundEverything(
  kernels: Kernels,
  graph: Graph,
  box: Region,
  relaxation: BoundOptions,
  preactivation: BoundOptions["refine"],
  rows: Rows = unitRows(graph),
): Promise<Bounds> {
  return await kernels.scope(async () => {
    const run = runOn(kernels, graph);
    const forward = await boundNetwork(graph, box, preactivation, run);
    const seeds = rows.map((row) => Float64Array.from(row));
    const inputs = Array.from({ length: graph.nodes[0].size }, (_, i) => i);
    const entries = await entryBounds(forward, seeds, inputs, relaxation, run);
    return {
      outputs: await outputBounds(forward, rows),
      entries: entries.map(({ lower, upper }) => ({ lower: Array.from(lower), upper: Array.from(upper) })),
      norms: await normBounds(forward, seeds, relaxation, run),
    };
  });
}

/** Rows of the outputs, from below and from above. */
export async function outputBounds(forward: Pass, rows: Rows): Promise<IntervalClaim> {
  const last = forward.graph.nodes.length - 1;
  const below = Float64Array.from(rows.flat());
  const walk = (coefficients: Float64Array) =>
    lowerBounds(forward, last, { groups: new Int32Array(rows.length), start: { layout: "dense", coefficients } });
  const lower = await walk(below);
  const upper = await walk(below.map((c) => -c));
  return { lower: Array.from(lower), upper: Array.from(upper, (u) => -u) };
}
