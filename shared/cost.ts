import { addCosts, type Cost, costOfPass, type LastRows } from "./bounds/cost.ts";
import { constantsOf } from "./bounds/run.ts";
import { operatorOf } from "./operators/registry.ts";
import { precisionsFor } from "./arithmetic.ts";
import { MOST_NUMBERS } from "./condensed/condense_network.ts";
import { LipcertError } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { differentiate, withAbs } from "./jacobian/differentiate.ts";
import { GROUPS_PER_BATCH } from "./jacobian/jacobian_bounds.ts";
import type { Precision } from "./kernels/kernels.ts";
import { searchFlops } from "./properties/analysis.ts";
import { mostSteps } from "./properties/bracket.ts";
import { plainOf, type PlainProperty, type Query, type SearchLimits } from "./query.ts";
import { flopsOfPiece } from "./search/region.ts";
import { POINTS_PER_BATCH } from "./witness/prove.ts";
import { START_POINTS } from "./witness/search_entries.ts";
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
  const once = costOfBox(graph, plainOf(property), options);
  // A claim is asked of one box after the other; each gives its memory back.
  return property.type === "radius" ? { ...once, flops: once.flops * mostSteps(property.gap) } : once;
}

/** The same for one box. */
function costOfBox(graph: Graph, property: PlainProperty, options: Query["options"]): Cost {
  const crown = options.preactivation === "crown" ? "linear" : "interval";
  const refine = options.relaxation === "interval" ? "interval" : "linear";
  const outputs = graph.nodes[graph.nodes.length - 1].size;
  const weights = plainFlops(graph, 0) / 2;
  const model: Cost = { flops: SMALL, bytes: 8 * 2 * constantsIn(graph) };
  const chosen = chosenRows(property, outputs);
  if (property.type === "output_bounds" || property.type === "robustness") {
    const network = addCosts(
      model,
      timesOver(graph, costOfPass(graph, 1, crown, { layout: "unit", count: 2 * chosen })),
    );
    // A counterexample against every other label is proved at a point; rows are an affine node more.
    const proofs = property.type === "robustness" ? 6 * weights * chosen : 0;
    return { flops: network.flops + proofs + 24 * chosen * outputs, bytes: network.bytes + 48 * chosen * outputs };
  }
  const network = addCosts(model, timesOver(graph, costOfPass(graph, 1, crown, NO_ROWS)));
  const isNorm = property.type === "lipschitz";
  const jacobian = jacobianOf(graph, isNorm);
  const entries = property.type === "monotonicity" ? property.features.length : graph.nodes[0].size;
  const lastRows: LastRows = refine === "interval"
    ? NO_ROWS
    : isNorm
    ? { layout: "dense", count: 1 }
    : { layout: "unit", count: 2 * entries };
  const batch = costOfPass(jacobian, Math.min(chosen, GROUPS_PER_BATCH), refine, lastRows);
  const batches = chosen / Math.min(chosen, GROUPS_PER_BATCH);
  const flops = network.flops + batch.flops * batches;
  if (property.type === "jacobian_bounds") return { flops: 1.05 * flops, bytes: network.bytes + batch.bytes };
  const searched = options.search ? searchCost(graph, chosen, options.search) : NONE;
  const points = isNorm ? chosen : Math.min(2 * entries, pointsSearched(graph, flops));
  const proofs = addCosts(
    costOfPass(graph, Math.min(points, POINTS_PER_BATCH), "interval", NO_ROWS),
    costOfPass(jacobian, Math.min(points, POINTS_PER_BATCH), "interval", NO_ROWS),
  );
  return {
    flops: 1.05 * flops + 12 * weights * points + searched.flops,
    bytes: Math.max(network.bytes + batch.bytes, model.bytes + proofs.bytes, model.bytes + searched.bytes),
  };
}

const NONE: Cost = { flops: 0, bytes: 0 };

/**
 * A search in which every node is bounded, with all kinks open on small networks and a quarter of the neurons on large ones: how
 * many are is known after the first pass only, so there this is no upper bound. A search that is to end at some time takes no more than a fast core does until then.
 */
function searchCost(graph: Graph, trees: number, { max_nodes, time_ms }: SearchLimits): Cost {
  const width = unitsOf(graph), features = graph.nodes[0].size;
  const numbers = Math.min(MOST_NUMBERS, (width + outputsOf(graph)) * (features + width));
  const nodes = max_nodes + trees, flops = nodes * flopsOfPiece(width, features);
  const built = 4 * width * plainFlops(graph, 0);
  return {
    flops: built + (time_ms === undefined ? flops : Math.min(flops, time_ms * FLOPS_A_MILLISECOND)),
    bytes: 40 * numbers + Math.min(nodes, max_nodes) * (400 + 49 * width + features),
  };
}

function unitsOf({ nodes }: Graph): number {
  let neurons = 0, kinks = 0;
  for (const { operator, size } of nodes) {
    if (operator === "input" || operatorOf(operator).kind !== "elementwise") continue;
    neurons += size;
    kinks += operator === "clip" ? 2 * size : size;
  }
  return Math.min(kinks, Math.max(SMALL_NETWORK, Math.ceil(neurons / 4)));
}

/** Kinks up to which all count as open. */
const SMALL_NETWORK = 256;

/** More than one core does. */
const FLOPS_A_MILLISECOND = 5e7;

function outputsOf({ nodes }: Graph): number {
  return nodes[nodes.length - 1].size;
}

const NO_ROWS: LastRows = { layout: "unit", count: 0 };
/** What the counts may miss on the smallest networks. */
const SMALL = 4e6;

/** How many points a search of entries may visit: a few starts, and six evaluations' worth of its budget a point. */
function pointsSearched(graph: Graph, flops: number): number {
  return START_POINTS + Math.ceil(searchFlops(graph, flops) / plainFlops(graph, 5));
}

/** A network with leaky relus is bounded by two rules (`boundNetwork`), both in memory at once. */
function timesOver({ nodes }: Graph, { flops, bytes }: Cost): Cost {
  const passes = nodes.some(({ operator }) => operator === "leaky_relu") ? 2 : 1;
  return { flops: flops * passes, bytes: bytes * passes };
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

function chosenRows(property: PlainProperty, outputs: number): number {
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
