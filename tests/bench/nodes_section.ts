/** Nodes a second of the search, and where their time goes. */
import { createKernels } from "../../functions/kernels.ts";
import { withRun } from "../../shared/bounds/run.ts";
import { condenseNetwork } from "../../shared/condensed/condense_network.ts";
import { normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import type { Vectors } from "../../shared/kernels/vectors.ts";
import { boundNetwork } from "../../shared/properties/analysis.ts";
import { expanderOf } from "../../shared/search/expand.ts";
import { search } from "../../shared/search/loop.ts";
import type { Piece } from "../../shared/search/piece.ts";
import { regionOf } from "../../shared/search/region.ts";
import { problemOf, rootOf } from "../../shared/search/roots.ts";
import type { Root } from "../../shared/search/tree.ts";
import { PeakSamples, TARGET_PEAK } from "./peak.ts";
import { openQuestion } from "./questions.ts";
import { figure, percent, type Section } from "./report.ts";

/** What is searched: the norm of one output around a stored input, to a number of nodes. `target`: nodes a second, scaled. */
const SEARCHED = [
  { model: "mnist_mlp_256x3", eps: 0.01, output: 6, nodes: 2000, target: 2000 },
  { model: "mnist_mlp_256x3", eps: 0.004, output: 6, nodes: 2000, target: null },
  { model: "diabetes_mlp", eps: 0.2, output: 0, nodes: 4000, target: null },
  { model: "synthetic_w32_d6", eps: 0.05, output: 8, nodes: 1000, target: null },
] as const;

interface Speed {
  readonly width: number;
  readonly features: number;
  readonly nodes: number;
  readonly ms: number;
  readonly programs: number;
  readonly inKernels: number;
}

/** The kernels, with the time of their calls in `spent.ms`. */
function timedVectors(vectors: Vectors, spent: { ms: number }): Vectors {
  const timed = <A extends unknown[], T>(call: (...of: A) => T) => (...of: A): T => {
    const start = performance.now();
    const result = call.apply(vectors, of);
    spent.ms += performance.now() - start;
    return result;
  };
  return {
    name: vectors.name,
    take: (length) => vectors.take(length),
    takeIndices: (length) => vectors.takeIndices(length),
    release: () => vectors.release(),
    combine: timed(vectors.combine),
    products: timed(vectors.products),
    corner: timed(vectors.corner),
    move: timed(vectors.move),
    intervals: timed(vectors.intervals),
    gatedRows: timed(vectors.gatedRows),
  };
}

async function searchOnce(at: typeof SEARCHED[number], isTimed: boolean): Promise<Speed> {
  const { graph, box } = await openQuestion(at.model, at.eps);
  const kernels = createKernels(2 ** 31), spent = { ms: 0 };
  return await withRun([graph], { kernels }, async (run) => {
    const options = { relaxation: "linear", preactivation: "crown", arithmetic: "f64" } as const;
    const forward = await boundNetwork({ graph, box, inputType: "float32", options, run });
    const network = condenseNetwork(forward);
    if (network === null) throw new Error(`Cannot search ${at.model}: it is too large`);
    const row = new Float64Array(network.outputs).fill(1, at.output, at.output + 1);
    const [upper] = await normBounds(forward, [row], { refine: "linear", rule: "chord", condense: "cheaper" }, run);
    const region = regionOf(network, box, (numbers) => {
      const vectors = kernels.vectors(numbers)!;
      return isTimed ? timedVectors(vectors, spent) : vectors;
    });
    const original = { graph, inputs: new Map(graph.nodes.map((_, id) => [id, forward.states[id].boxes[0]])) };
    const problem = problemOf(region, original, [{ aim: { kind: "norm", row }, upper, lower: 0, entries: null }]);
    const node = rootOf(problem, 0, upper, -Infinity);
    const roots: Root<Piece>[] = [{ upper: node.upper, node, proved: { lower: 0, point: null } }];
    spent.ms = 0;
    const start = performance.now();
    const { nodes } = await search(roots, {
      goal: { kind: "largest" },
      limits: { max_nodes: at.nodes, gap: 0 },
      expander: expanderOf(problem),
      // Proofs of points are passes over the network, which another section times.
      prove: (points) => Promise.resolve(points.map(({ score }) => score * (1 - 1e-12))),
    });
    const ms = performance.now() - start, { width, features } = region;
    region.vectors.release();
    return { width, features, nodes, ms, programs: problem.programs.count, inKernels: spent.ms / ms };
  });
}

/** The best of `repeats` searches each, after one that warms up; calls are timed in a search of their own. */
export async function nodesSection(repeats: number): Promise<Section> {
  const figures = [];
  for (const at of SEARCHED) {
    await searchOnce(at, false);
    const peak = new PeakSamples();
    let best = await searchOnce(at, false);
    for (let i = 1; i < repeats; i++) {
      peak.take();
      const one = await searchOnce(at, false);
      if (one.ms < best.ms) best = one;
    }
    peak.take();
    const { inKernels } = await searchOnce(at, true);
    const rate = 1000 * best.nodes / best.ms, scaled = rate * TARGET_PEAK / peak.best;
    figures.push({ ...at, ...best, inKernels, rate, scaled, peak: peak.best });
  }
  return {
    title: "Search",
    columns: [
      "norm of one output",
      "units x inputs",
      "nodes",
      "nodes a s",
      `at ${TARGET_PEAK} GFLOP/s`,
      "in kernels",
      "LPs in 1000",
      "target",
    ],
    rows: figures.map((f) => [
      `${f.model}, radius ${f.eps}`,
      `${f.width} x ${f.features}`,
      `${f.nodes}`,
      figure(f.rate),
      figure(f.scaled),
      percent(f.inKernels),
      figure(1000 * f.programs / f.nodes),
      f.target === null ? "" : `${f.target} (${f.scaled >= f.target ? "met" : "MISSED"})`,
    ]),
    notes: [
      "The best of some searches; those at 35 GFLOP/s are scaled by the best peak. The share in kernels is that of a search with a timer around every call, which costs more than short calls do.",
    ],
    figures,
  };
}
