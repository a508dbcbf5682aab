/** The search of what one pass over a property's boxes leaves open. */
import { withRun } from "../bounds/run.ts";
import type { CertifyContext } from "../certify.ts";
import type { Graph, Node } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { addUp, multiplyUp } from "../numeric/rounding.ts";
import type { Alternatives } from "../search/box_piece.ts";
import { leastOf } from "../search/box_piece.ts";
import { refute, type RefuteAnswer } from "../search/refute.ts";
import { evaluatePlain } from "../witness/plain_network.ts";
import type { Functional, Range } from "./functional.ts";

/** A box and the disjuncts that are open on it. */
export interface OpenCase {
  readonly box: Box;
  readonly disjuncts: readonly (readonly Functional[])[];
  /** Bounds of the outputs over the box, where a coefficient was rounded. */
  readonly outputs: readonly Range[];
}

/** How far a search of open disjuncts may go, and what it asks at a point. */
export interface Deciding {
  readonly maxNodes: number;
  /** Proves and keeps a counterexample: whether a disjunct of a case holds at a point. */
  readonly holdsAt: (point: Float64Array, at: number, disjunct: number) => Promise<boolean>;
}

/**
 * Whether any of the disjuncts holds somewhere on its box.
 *
 * A constraint row . Y <= limit is the output limit - row . Y >= 0 of a larger network, its limit moved up by all that rounding
 * left out: where no disjunct has all of its outputs at 0 or above, no real input is a counterexample.
 * Throws: the signal's reason when aborted.
 */
export async function decide(
  network: Graph,
  cases: readonly OpenCase[],
  { maxNodes, holdsAt }: Deciding,
  { kernels, signal, clock, finish, openBytes, onSearch, onProgress }: CertifyContext,
): Promise<RefuteAnswer> {
  const { graph, alternatives } = withSlacks(network, cases);
  const isWatched = finish !== undefined || onSearch !== undefined;
  const last = graph.nodes.length - 1;
  return await withRun([graph], { kernels, signal, onProgress }, (run) =>
    refute({
      graph,
      cases: cases.map(({ box }, at) => ({ box, alternatives: alternatives[at] })),
      maxNodes,
      run,
      async holdsAt(point, at) {
        const values = evaluatePlain(graph, point).values[last];
        for (const [disjunct, outputs] of alternatives[at].entries()) {
          if (leastOf(values, outputs) >= 0 && await holdsAt(point, at, disjunct)) return true;
        }
        return false;
      },
    }, {
      ...(isWatched && clock ? { clock } : {}),
      ...(finish && { finish }),
      ...(openBytes !== undefined && { openBytes }),
      ...(onSearch && { onProgress: onSearch }),
    }));
}

/** The network followed by the slacks of all constraints, and which of these outputs are those of each disjunct. */
function withSlacks(
  network: Graph,
  cases: readonly OpenCase[],
): { readonly graph: Graph; readonly alternatives: readonly Alternatives[] } {
  const last = network.nodes.length - 1, { size } = network.nodes[last];
  const known = new Map<string, number>(), rows: (readonly number[])[] = [], limits: number[] = [];
  const outputOf = (one: Functional, outputs: readonly Range[]): number => {
    const limit = limitOf(one, outputs), key = `${one.row.join()} ${limit}`;
    const output = known.get(key) ?? rows.length;
    if (output < rows.length) return output;
    known.set(key, output);
    rows.push(one.row);
    limits.push(limit);
    return output;
  };
  const alternatives = cases.map(({ disjuncts, outputs }) =>
    disjuncts.map((constraints) => [...new Set(constraints.map((one) => outputOf(one, outputs)))])
  );
  const node: Node = {
    operator: "affine",
    inputs: [last],
    size: rows.length,
    name: "slacks",
    weights: Float64Array.from({ length: rows.length * size }, (_, i) => 0 - rows[Math.floor(i / size)][i % size]),
    bias: Float64Array.from(limits),
  };
  return { graph: { nodes: [...network.nodes, node] }, alternatives };
}

/** At least the limit of the file and what the rounded coefficients may add to it. */
function limitOf({ errors, above }: Functional, outputs: readonly Range[]): number {
  let limit = above;
  for (const [k, e] of errors) {
    const { lower, upper } = outputs[k];
    limit = addUp(limit, multiplyUp(e, Math.max(-lower, upper)));
  }
  return limit;
}

/** Whether a disjunct can be searched: it has constraints, and all that they compare with is finite. */
export function isSearchable(disjunct: readonly Functional[], outputs: readonly Range[]): boolean {
  return disjunct.length > 0 && disjunct.every((one) => Number.isFinite(limitOf(one, outputs)));
}
