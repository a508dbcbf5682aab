/** The questions that are timed: all outputs of a reference model around a stored input, linear with CROWN. */
import { boxOf, type LipschitzCase, readCases } from "../golden/cases.ts";
import { type Kernels, type Model, type Query, readModel } from "../../shared/mod.ts";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { Pass } from "../../shared/bounds/pass.ts";
import { withRun } from "../../shared/bounds/run.ts";
import type { Graph } from "../../shared/graph.ts";
import { normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import type { Box } from "../../shared/numeric/box.ts";

/** A network and a box, in the form that the bounding passes take. */
export interface BoundedNetwork {
  readonly graph: Graph;
  readonly box: Box;
}

export interface Question extends BoundedNetwork {
  readonly name: string;
  readonly model: Model;
  readonly query: Query;
}

/** The questions; `targetMs` is for the upper bounds alone, scaled (null: watched, not aimed at). */
export const TIMED: readonly { readonly model: string; readonly eps: number; readonly targetMs: number | null }[] = [
  { model: "mnist_mlp_20", eps: 0.01, targetMs: 3 },
  { model: "mnist_mlp_20", eps: 0.05, targetMs: 3 },
  { model: "mnist_mlp_256x3", eps: 0.001, targetMs: null },
  { model: "mnist_mlp_256x3", eps: 0.004, targetMs: 80 },
  { model: "mnist_mlp_256x3", eps: 0.01, targetMs: null },
  { model: "mnist_cnn_small", eps: 0.004, targetMs: null },
  { model: "mnist_cnn_small", eps: 0.01, targetMs: null },
];

const TEST_INDEX = 3;

export async function readReference(model: string): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(new URL(`../models/reference/${model}.onnx`, import.meta.url));
}

export async function openQuestion(name: string, eps: number, test_index = TEST_INDEX): Promise<Question> {
  const model = await readModel(await readReference(name));
  const { cases } = await readCases<LipschitzCase>("lipschitz", name);
  const ends = boxOf({ test_index, eps, input: "the stored one" }, cases);
  const output = model.description.outputs[0].name;
  const { outputSize } = model.sizes(output);
  return {
    name: `${name}, radius ${eps}`,
    model,
    graph: model.graph(output),
    box: { lower: Float64Array.from(ends.lower), upper: Float64Array.from(ends.upper) },
    query: {
      model_digest: model.digest,
      output,
      region: ends,
      property: { type: "lipschitz", outputs: Array.from({ length: outputSize }, (_, k) => k) },
      options: { relaxation: "linear", preactivation: "crown", arithmetic: "f64" },
    },
  };
}

export interface UpperBounds {
  readonly uppers: readonly number[];
  readonly flops: number;
  readonly rows: number;
  /** Activations whose phase the preactivation bounds leave open, and all of them. */
  readonly unstable: number;
  readonly neurons: number;
}

/** The upper bounds of a Lipschitz question and nothing else: preactivation bounds, then the norms of all gradients. */
export async function upperBounds({ graph, box }: BoundedNetwork, kernels: Kernels): Promise<UpperBounds> {
  const options = { refine: "linear", rule: "chord", condense: "cheaper" } as const;
  const outputs = graph.nodes[graph.nodes.length - 1].size;
  const seeds = Array.from({ length: outputs }, (_, k) => new Float64Array(outputs).fill(1, k, k + 1));
  return await withRun([graph], { kernels }, async (run) => {
    const forward = await boundGraph(graph, [{ box }], options, run);
    const uppers = await normBounds(forward, seeds, options, run);
    return { uppers, ...run.work, ...phasesOf(forward) };
  });
}

function phasesOf({ graph, states }: Pass): { unstable: number; neurons: number } {
  let unstable = 0, neurons = 0;
  for (const node of graph.nodes) {
    if (node.operator !== "relu") continue;
    const { lower, upper } = states[node.inputs[0]].boxes[0];
    neurons += node.size;
    lower.forEach((l, i) => unstable += l < 0 && upper[i] > 0 ? 1 : 0);
  }
  return { unstable, neurons };
}
