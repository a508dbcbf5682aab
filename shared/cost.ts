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
import { FLOPS_A_MILLISECOND, OPEN_BYTES } from "./search/limits.ts";
import { NODES_PER_ROUND } from "./search/loop.ts";
import { flopsOfPiece } from "./search/region.ts";
import { POINTS_PER_BATCH } from "./witness/prove.ts";
import { START_POINTS } from "./witness/search_entries.ts";
import { plainFlops } from "./witness/plain_network.ts";

/** Flops and bytes that one question may take on a host. */
export type Budget = Cost;

/**
 * The cost of a question before it runs. Flops: an upper bound of those counted, in which no neuron is skipped, every node
 * of a search is bounded with all kinks open, and an answer in f32 is redone; a time limit counts as what `threads` do in
 * it. Bytes: those of the kernels and the largest arrays beside them, with a quarter of a large network's neurons open in a
 * search; one that needs more than the host has ends for want of memory.
 */
export function costOf(graph: Graph, query: Query, threads = 1): Cost {
  const once = costOnce(graph, query, threads);
  return { ...once, flops: once.flops * precisionsOf(graph, query).length };
}

/** The kinds of coefficients to try, in order: an answer that will do ends it, the last one always does. */
export function precisionsOf(graph: Graph, query: Query): readonly Precision[] {
  return precisionsFor(graph, query, costOnce(graph, query, 1).flops);
}

function costOnce(graph: Graph, { property, options }: Query, threads: number): Cost {
  const once = costOfBox(graph, plainOf(property), options, threads);
  // A claim is asked of one box after the other; each gives its memory back.
  return property.type === "radius" ? { ...once, flops: once.flops * mostSteps(property.gap) } : once;
}

/** The same for one box: one pass, and the search after it. */
function costOfBox(graph: Graph, property: PlainProperty, options: Query["options"], threads: number): Cost {
  const once = costOfPasses(graph, property, options);
  if (!options.search) return once;
  const searched = searchCost(graph, property, options.search, threads);
  // The pass has given its memory back but for the model's.
  return { flops: once.flops + searched.flops, bytes: Math.max(once.bytes, modelCost(graph).bytes + searched.bytes) };
}

function modelCost(graph: Graph): Cost {
  return { flops: SMALL, bytes: 8 * 2 * constantsIn(graph) };
}

function costOfPasses(graph: Graph, property: PlainProperty, options: Query["options"]): Cost {
  const crown = options.preactivation === "crown" ? "linear" : "interval";
  const refine = options.relaxation === "interval" ? "interval" : "linear";
  const outputs = graph.nodes[graph.nodes.length - 1].size;
  const weights = plainFlops(graph, 0) / 2;
  const model = modelCost(graph);
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
  const points = isNorm ? chosen : Math.min(2 * entries, pointsSearched(graph, flops));
  const proofs = addCosts(
    costOfPass(graph, Math.min(points, POINTS_PER_BATCH), "interval", NO_ROWS),
    costOfPass(jacobian, Math.min(points, POINTS_PER_BATCH), "interval", NO_ROWS),
  );
  return {
    flops: 1.05 * flops + 12 * weights * points,
    bytes: Math.max(network.bytes + batch.bytes, model.bytes + proofs.bytes),
  };
}

/**
 * Every node that is allowed, bounded with all kinks open (so many as can be searched at all), and the points met, proved
 * one by one: no more than a part bounded and a root have. What a time limit allows is arithmetic that the search ends
 * after, too, between two rounds.
 */
function searchCost(graph: Graph, property: PlainProperty, limits: SearchLimits, threads: number): Cost {
  const { max_nodes, time_ms } = limits, features = graph.nodes[0].size, outputs = outputsOf(graph);
  const trees = treesOf(graph, property), most = mostUnits(graph), likely = likelyUnits(graph);
  const perNode = flopsOfPiece(most, features), perPoint = pointsCost(graph, property, 1).flops;
  const all = max_nodes * (perNode + perPoint), round = PARTS_A_ROUND * (perNode + perPoint);
  const timed = time_ms === undefined ? all : time_ms * threads * FLOPS_A_MILLISECOND + round;
  const pieces = (max_nodes + trees) * (400 + 49 * likely + features);
  return {
    flops: SMALL + trees * perPoint + Math.min(all, timed),
    bytes: 80 * (likely + outputs) * (features + likely) + 1024 * (likely + features) + 2 ** 16 +
      64 * trees * (likely + features) + Math.min(pieces, OPEN_BYTES) +
      pointsCost(graph, property, POINTS_PER_BATCH).bytes,
  };
}

/** Parts that a round bounds at most: each node becomes two. */
const PARTS_A_ROUND = 2 * NODES_PER_ROUND;

/** Aims that are searched beside each other. */
function treesOf(graph: Graph, property: PlainProperty): number {
  const chosen = chosenRows(property, outputsOf(graph));
  switch (property.type) {
    case "jacobian_bounds":
      return 2 * chosen * graph.nodes[0].size;
    case "monotonicity":
      return 2 * property.features.length;
    case "output_bounds":
      return 2 * chosen;
    default:
      return chosen;
  }
}

/** Points proved together by intervals: the values there, and a gradient where one is asked for. */
function pointsCost(graph: Graph, { type }: PlainProperty, count: number): Cost {
  const values = costOfPass(graph, count, "interval", NO_ROWS);
  const isValue = type === "output_bounds" || type === "robustness";
  const all = isValue ? values : addCosts(values, costOfPass(jacobianOf(graph, false), count, "interval", NO_ROWS));
  return { ...all, flops: 1.05 * all.flops };
}

/** All kinks, or as many as the condensed network may have at most. */
function mostUnits(graph: Graph): number {
  const features = graph.nodes[0].size;
  // U (U + n) = MOST_NUMBERS
  const searchable = Math.ceil((Math.sqrt(features * features + 4 * MOST_NUMBERS) - features) / 2);
  return Math.min(kinksOf(graph).kinks, searchable);
}

/** All kinks of a small network, a quarter of the neurons of a large one. */
function likelyUnits(graph: Graph): number {
  const { kinks, neurons } = kinksOf(graph);
  return Math.min(kinks, Math.max(SMALL_NETWORK, Math.ceil(neurons / 4)));
}

function kinksOf({ nodes }: Graph): { readonly kinks: number; readonly neurons: number } {
  let neurons = 0, kinks = 0;
  for (const { operator, size } of nodes) {
    if (operator === "input" || operatorOf(operator).kind !== "elementwise") continue;
    neurons += size;
    kinks += operator === "clip" ? 2 * size : size;
  }
  return { kinks, neurons };
}

/** Kinks up to which all count as open. */
const SMALL_NETWORK = 256;

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
