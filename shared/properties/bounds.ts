import { refine } from "../bounds/bound_graph.ts";
import { finiteOrNull, type Outcome, verdictOfBounds } from "../certificate/finding.ts";
import { entryBounds } from "../jacobian/jacobian_bounds.ts";
import type { Graph } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import type { Chosen, Property } from "../query.ts";
import { type Analysis, boundNetwork, outputSize, relaxationOptions, seedsOf, withRows } from "./analysis.ts";
import { negated, type Quantity, searchEnds, type SearchStart, searchStart } from "./searched.ts";

type Question<T extends Property["type"]> = Extract<Property, { type: T }>;

/** Bounds of outputs, or of functionals of them, over the box. */
export async function outputBounds(question: Question<"output_bounds">, analysis: Analysis): Promise<Outcome> {
  const { box, start } = await rowBounds(analysis, question);
  const { rows } = seedsOf(question, outputSize(analysis.graph));
  const quantities = rows.map((row, k): Quantity => ({
    lower: box.lower[k],
    upper: box.upper[k],
    rising: { kind: "value", row },
    falling: { kind: "value", row: negated(row) },
  }));
  const found = start && await searchEnds(analysis, start, quantities);
  const ends = found ? found.ends : quantities;
  const lower = ends.map((end) => end.lower), upper = ends.map((end) => end.upper);
  return {
    ...verdictOfBounds([...lower, ...upper]),
    finding: {
      type: "output_bounds",
      lower: Array.from(lower, finiteOrNull),
      upper: Array.from(upper, finiteOrNull),
    },
    ...found?.told,
  };
}

/** Bounds of every entry of the Clarke Jacobian's rows over the box. */
export async function jacobianBounds(question: Question<"jacobian_bounds">, analysis: Analysis): Promise<Outcome> {
  const seeds = seedsOf(question, outputSize(analysis.graph));
  const features = Array.from({ length: analysis.graph.nodes[0].size }, (_, i) => i);
  const { entries, start } = await analysis.run.kernels.scope(async () => {
    const forward = await boundNetwork(analysis);
    const entries = await entryBounds(forward, seeds.rows, features, relaxationOptions(analysis), analysis.run);
    return { entries, start: searchStart(analysis, forward) };
  });
  const quantities = seeds.rows.flatMap((row, k) => {
    const opposite = negated(row);
    return features.map((feature): Quantity => ({
      lower: entries[k].lower[feature],
      upper: entries[k].upper[feature],
      rising: { kind: "entry", row, feature },
      falling: { kind: "entry", row: opposite, feature },
    }));
  });
  const found = start && await searchEnds(analysis, start, quantities);
  const ends = found ? found.ends : quantities;
  const boxes = seeds.rows.map((_, k) => {
    const own = ends.slice(k * features.length, (k + 1) * features.length);
    return { lower: own.map((end) => end.lower), upper: own.map((end) => end.upper) };
  });
  return {
    ...verdictOfBounds(boxes.flatMap((box) => [...box.lower, ...box.upper])),
    finding: {
      type: "jacobian_bounds",
      outputs: boxes.map((box, k) => ({
        ...seeds.targets[k],
        lower: Array.from(box.lower, finiteOrNull),
        upper: Array.from(box.upper, finiteOrNull),
      })),
    },
    ...found?.told,
  };
}

/**
 * The values of the chosen outputs or rows as a box: the last node is bounded by its rows where lines are asked for. With what a
 * search of them begins with, where one was asked for.
 */
export async function rowBounds(
  analysis: Analysis,
  selection: Chosen,
): Promise<{ readonly box: Box; readonly start: SearchStart | null }> {
  const graph = "rows" in selection
    ? withRows(analysis.graph, seedsOf(selection, outputSize(analysis.graph)).rows)
    : analysis.graph;
  const chosen = "rows" in selection ? selection.rows.map((_, row) => row) : selection.outputs;
  const last = graph.nodes.length - 1;
  return await analysis.run.kernels.scope(async () => {
    const run = withUploads(analysis, graph);
    // Rows by intervals are merged with the last matrix: one step of the walk, then the box below it.
    const floor = relaxationOptions(analysis).refine === "linear" ? 0 : lastMatrixInput(analysis.graph);
    const pass = await boundNetwork({ ...analysis, run }, graph, async (pass) => {
      if (floor === 0 || "rows" in selection) await refine(pass, last, [chosen], floor);
    });
    const [box] = pass.states[last].boxes;
    return {
      box: {
        lower: Float64Array.from(chosen, (i) => box.lower[i]),
        upper: Float64Array.from(chosen, (i) => box.upper[i]),
      },
      start: searchStart(analysis, pass),
    };
  });
}

/** The node that the last matrix of the network reads, or the one where branches meet after it. */
function lastMatrixInput({ nodes }: Graph): number {
  let id = nodes.length - 1;
  while (id > 0 && nodes[id].operator !== "affine" && nodes[id].inputs.length === 1) id = nodes[id].inputs[0];
  return id === 0 || nodes[id].inputs.length > 1 ? id : nodes[id].inputs[0];
}

/** The run with the constants of a node that was appended to the network. */
function withUploads({ run }: Analysis, graph: Analysis["graph"]): Analysis["run"] {
  const last = graph.nodes[graph.nodes.length - 1];
  if (last.operator !== "affine" || run.uploads.has(last.weights)) return run;
  return { ...run, uploads: new Map([...run.uploads, [last.weights, run.kernels.upload(last.weights)]]) };
}
