import { boundGraph } from "../bounds/bound_graph.ts";
import type { Group, Pass, Run } from "../bounds/pass.ts";
import type { Graph } from "../graph.ts";
import { differentiate } from "../jacobian/differentiate.ts";
import { jacobianGroups } from "../jacobian/jacobian_bounds.ts";
import { type Box, pointBox } from "../numeric/box.ts";
import { sumBounds } from "../numeric/rounding.ts";

/** Interval arithmetic at points: outward, and at every neuron whose sign is not proved the whole derivative range. */
export const AT_POINTS = { refine: "interval", rule: "chord" } as const;

/** Points proved together; more run in further batches. */
export const POINTS_PER_BATCH = 16;

/** A point and the row of outputs whose gradient is asked for there. */
export interface PointAndSeed {
  readonly point: Float64Array;
  readonly seed: Float64Array;
}

/**
 * Enclosures of the Clarke gradient of seed . f at points, one box each: every element of it lies inside.
 *
 * Source: shared/README.md (11)
 */
export async function gradientAt(graph: Graph, asked: readonly PointAndSeed[], run: Run): Promise<Box[]> {
  const jacobian = differentiate(graph);
  return await inBatches(asked, run, async (batch) => {
    // Seeds that share a point (the same array) share its forward pass.
    const points = [...new Set(batch.map(({ point }) => point))];
    const forward = await boundPoints(graph, points, run);
    const groups: Group[] = batch.flatMap(({ point, seed }) =>
      jacobianGroups(single(forward, points.indexOf(point)), jacobian, [seed])
    );
    const pass = await boundGraph(jacobian, groups, AT_POINTS, run);
    return pass.states[jacobian.nodes.length - 1].boxes;
  });
}

/** Enclosures of the network's outputs at points. */
export async function outputsAt(graph: Graph, points: readonly Float64Array[], run: Run): Promise<Box[]> {
  return await inBatches(points, run, async (batch) => {
    const pass = await boundPoints(graph, batch, run);
    return pass.states[graph.nodes.length - 1].boxes;
  });
}

/** A lower bound of the l1 norm of every gradient in the box: the distances of its entries from 0, summed downward. */
export function leastNorm(gradient: Box): number {
  const distances = gradient.lower.map((l, i) => Math.max(l, -gradient.upper[i], 0));
  return Math.max(0, sumBounds(distances).lower); // a sum that overflows proves no more than 0
}

function boundPoints(graph: Graph, points: readonly Float64Array[], run: Run): Promise<Pass> {
  return boundGraph(graph, points.map((point) => ({ box: pointBox(point) })), AT_POINTS, run);
}

/** The pass as seen by one of its groups. */
function single(pass: Pass, group: number): Pass {
  return {
    ...pass,
    groups: [pass.groups[group]],
    states: pass.states.map((state) => ({ ...state, boxes: [state.boxes[group]] })),
  };
}

async function inBatches<A, T>(asked: readonly A[], run: Run, prove: (batch: readonly A[]) => Promise<T[]>) {
  const results: T[] = [];
  for (let from = 0; from < asked.length; from += POINTS_PER_BATCH) {
    results.push(...await run.kernels.scope(() => prove(asked.slice(from, from + POINTS_PER_BATCH))));
  }
  return results;
}
