import { addCosts, type Cost, costOfPass } from "./bounds/cost.ts";
import { constantsOf } from "./bounds/run.ts";
import { precisionsFor } from "./arithmetic.ts";
import { LipcertError } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { differentiate, withAbs } from "./jacobian/differentiate.ts";
import { GROUPS_PER_BATCH } from "./jacobian/jacobian_bounds.ts";
import type { Precision } from "./kernels/kernels.ts";
import type { Query } from "./query.ts";
import { plainFlops } from "./witness/plain_network.ts";

/** Flops and bytes that one question may take on a host. */
export type Budget = Cost;

/** The cost of a question before it runs: an upper bound in which no neuron is skipped and an answer in f32 is redone. */
export function costOf(graph: Graph, query: Query): Cost {
  const once = costOnce(graph, query);
  return { ...once, flops: once.flops * precisionsFor(graph, query, once.flops).length };
}

/** The kinds of coefficients to try, in order: an answer that will do ends it, the last one always does. */
export function precisionsOf(graph: Graph, query: Query): readonly Precision[] {
  return precisionsFor(graph, query, costOnce(graph, query).flops);
}

function costOnce(graph: Graph, { property, options }: Query): Cost {
  const crown = options.preactivation === "crown" ? "linear" : "interval";
  const refine = options.relaxation === "interval" ? "interval" : "linear";
  const outputs = graph.nodes[graph.nodes.length - 1].size;
  const weights = plainFlops(graph, 0) / 2;
  const model: Cost = { flops: 0, bytes: 8 * 2 * constantsIn(graph) };
  const chosen = chosenRows(property, outputs);
  if (property.type === "output_bounds" || property.type === "robustness") {
    return addCosts(model, costOfPass(graph, 1, crown, 2 * chosen));
  }
  const network = addCosts(model, costOfPass(graph, 1, crown, 0));
  const isNorm = property.type === "lipschitz";
  const jacobian = jacobianOf(graph, isNorm);
  const entries = property.type === "monotonicity" ? property.features.length : graph.nodes[0].size;
  const lastRows = refine === "interval" ? 0 : isNorm ? 1 : 2 * entries;
  const batch = costOfPass(jacobian, Math.min(chosen, GROUPS_PER_BATCH), refine, lastRows);
  const batches = chosen / Math.min(chosen, GROUPS_PER_BATCH);
  const proofs = isNorm ? 16 * 6 * weights * chosen / 8 : 0;
  const total = addCosts(network, { flops: batch.flops * batches + proofs, bytes: batch.bytes });
  return { flops: 1.05 * total.flops + 4e6, bytes: total.bytes };
}

function constantsIn({ nodes }: Graph): number {
  return nodes.flatMap(constantsOf).reduce((sum, { length }) => sum + length, 0);
}

const jacobians = new WeakMap<Graph, { readonly plain: Graph; readonly norm: Graph }>();

/** The graph of the Jacobian, made once: what is counted on it is remembered with it. */
function jacobianOf(graph: Graph, isNorm: boolean): Graph {
  let known = jacobians.get(graph);
  if (!known) {
    const plain = differentiate(graph);
    jacobians.set(graph, known = { plain, norm: withAbs(plain) });
  }
  return isNorm ? known.norm : known.plain;
}

function chosenRows(property: Query["property"], outputs: number): number {
  if ("rows" in property) return property.rows.length;
  if ("outputs" in property) return property.outputs.length;
  return property.type === "robustness" ? outputs - 1 : 1;
}

/** Throws `over-budget` with the figures where the cost is above what the host allows. */
export function checkBudget(cost: Cost, budget: Budget | undefined): void {
  if (!budget || (cost.flops <= budget.flops && cost.bytes <= budget.bytes)) return;
  throw new LipcertError(
    "over-budget",
    `Cannot certify here: the question may take ${figure(cost.flops)} flop and ${figure(cost.bytes)} bytes, ` +
      `this host allows ${figure(budget.flops)} flop and ${figure(budget.bytes)} bytes`,
    { estimated: cost, allowed: budget },
  );
}

function figure(value: number): string {
  return value.toExponential(2);
}
