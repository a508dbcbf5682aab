import type { BoundOptions, Pass, Run } from "../bounds/pass.ts";
import { boundGraph } from "../bounds/bound_graph.ts";
import type { Target } from "../certificate/finding.ts";
import type { Graph, Node } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { Chosen, Options } from "../query.ts";
import type { Continuation } from "../search/conduct.ts";
import type { Distribute } from "../search/distribute.ts";
import type { Interruptions } from "../search/limits.ts";
import type { Progress } from "../search/loop.ts";
import { softGates } from "../witness/ascent.ts";
import { plainFlops } from "../witness/plain_network.ts";

/** A question ready to be answered: the network to the chosen output, the box, the options, the open run. */
export interface Analysis {
  readonly graph: Graph;
  readonly box: Box;
  /** The model's input type: points handed out are representable in it where the box holds such a point. */
  readonly inputType: "float32" | "float64";
  readonly options: Options;
  readonly run: Run;
  /** What is proved at a point must hold in every box that holds it: not so of a point on kinks. */
  readonly everyBox?: boolean;
  /** What may end a search, and who hears of it (absent: nothing, nobody). */
  readonly host?: SearchHost;
}

/** A host's part in a search: it ends it, watches it or lends it threads, and changes none of its steps. */
export interface SearchHost extends Omit<Interruptions, "signal" | "isSpent">, Continuation {
  readonly distribute?: Distribute;
  /** How many threads `distribute` shares a search out to (default 1). */
  readonly threads?: number;
  readonly onProgress?: (progress: Progress) => void;
}

export function outputSize(graph: Graph): number {
  return graph.nodes[graph.nodes.length - 1].size;
}

/** How the network itself is bounded. */
export function preactivationOptions({ options }: Analysis): BoundOptions {
  return { refine: options.preactivation === "crown" ? "linear" : "interval", rule: "chord" };
}

/** How the graph of the Jacobian (or the last layer) is bounded. */
export function relaxationOptions({ options }: Analysis): BoundOptions {
  return {
    refine: options.relaxation === "interval" ? "interval" : "linear",
    rule: options.relaxation === "recurjac" ? "constant" : "chord",
    condense: "cheaper",
  };
}

/**
 * The preactivation bounds of the one domain of a question, with the bounds of the last node that `finish` adds.
 *
 * Either rule for the pieces of a leaky relu may give the tighter bounds, so such a network is bounded by both, one after
 * the other, and the intersection counts.
 */
export async function boundNetwork(
  { box, run, ...analysis }: Analysis,
  graph: Graph = analysis.graph,
  finish: (pass: Pass) => Promise<void> = () => Promise.resolve(),
): Promise<Pass> {
  const options = preactivationOptions({ box, run, ...analysis });
  const first = await boundGraph(graph, [{ box }], options, run);
  await finish(first);
  if (!graph.nodes.some(({ operator }) => operator === "leaky_relu")) return first;
  const inherited = new Map(first.states.map(({ boxes }, id) => [id, boxes[0]] as const));
  const second = await boundGraph(graph, [{ box, inherited }], { ...options, pieces: "slope" }, run);
  await finish(second);
  return second;
}

/** The rows of a selection as coefficients over the outputs, with their names. */
export interface Seeds {
  readonly rows: readonly Float64Array[];
  readonly targets: readonly Target[];
}

export function seedsOf(
  selection: Chosen,
  size: number,
): Seeds {
  if ("rows" in selection) {
    return {
      rows: selection.rows.map((row) => Float64Array.from(row)),
      targets: selection.rows.map((_, row) => ({ row })),
    };
  }
  return {
    rows: selection.outputs.map((output) => unitRow(size, output)),
    targets: selection.outputs.map((output) => ({ output })),
  };
}

export function unitRow(size: number, index: number, value = 1): Float64Array {
  const row = new Float64Array(size);
  row[index] = value;
  return row;
}

/** The network followed by functionals of its outputs: node values become rows . f(x). */
export function withRows(graph: Graph, rows: readonly Float64Array[]): Graph {
  const last = graph.nodes.length - 1;
  const size = graph.nodes[last].size;
  const weights = new Float64Array(rows.length * size);
  rows.forEach((row, r) => weights.set(row, r * size));
  const node: Node = { operator: "affine", inputs: [last], size: rows.length, name: "rows", weights, bias: null };
  return { nodes: [...graph.nodes, node] };
}

/** The point itself, or the nearest point of the model's input type that the box holds. */
export function representable(
  point: Float64Array,
  { box, inputType }: Pick<Analysis, "box" | "inputType">,
): Float64Array {
  if (inputType === "float64") return point;
  return point.map((x, i) => {
    const rounded = Math.fround(x);
    if (rounded >= box.lower[i] && rounded <= box.upper[i]) return rounded;
    const other = nextFloat32(rounded, rounded < box.lower[i] ? 1 : -1);
    return other >= box.lower[i] && other <= box.upper[i] ? other : x;
  });
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The neighbour of a float32 above (direction 1) or below (-1). */
function nextFloat32(x: number, direction: 1 | -1): number {
  if (x === 0) return direction * 2 ** -149;
  float[0] = x;
  bits[0] += x > 0 === direction > 0 ? 1 : -1;
  return float[0];
}

/** Plain flops that a search of points may take: some dozens of evaluations, or a share of what the bounds cost. */
export function searchBudget({ graph, run }: Analysis): number {
  return searchFlops(graph, run.work.flops);
}

/** The same where bounds cost so many flops. */
export function searchFlops(graph: Graph, spent: number): number {
  return Math.min(1e6, 32 * plainFlops(graph, 4)) + 0.1 * spent;
}

/** Softened gates for the search of points, from the preactivation bounds. */
export function gatesOf(pass: Pass): number[] {
  return softGates(pass.graph, (id) => pass.states[id].boxes[0]);
}
