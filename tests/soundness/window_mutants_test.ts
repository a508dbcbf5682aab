import assert from "node:assert/strict";
import type { Graph, Grid, Node, NodeId, Windows } from "../../shared/graph.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { Random } from "../exact/random.ts";
import type { Fresh } from "../exact/random_networks.ts";
import { RELAXATIONS } from "./bounds.ts";
import { boundPasses, falsePasses } from "./passes.ts";
import { type Region, samplePoints, unitRows } from "./samples.ts";
import {
  DroppedColumn,
  exchangedGroups,
  falseRoundings,
  ForgottenTapInImages,
  ForgottenTapInWalks,
  OverwrittenBranch,
  shiftedWindows,
  withForgottenRepeats,
  withoutRoundings,
} from "./window_mutants.ts";

const SEED = 4108;
const random = () => new Random(SEED);

function input(size: number): Node[] {
  return [{ operator: "input", inputs: [], size, name: "x" }];
}

function sizeOf({ channels, height, width }: Grid): number {
  return channels * height * width;
}

/** Appends a convolution of 3 by 3 windows; padding of 1. */
function pushWindows(nodes: Node[], numbers: Random, fine: Grid, channels: number, stride: number, groups = 1): Grid {
  const extent = (n: number) => Math.floor((n - 1) / stride) + 1;
  const coarse = { channels, height: extent(fine.height), width: extent(fine.width) };
  const windows: Windows = {
    batch: 1,
    groups,
    coarse,
    fine,
    kernel: [3, 3],
    stride: [stride, stride],
    dilation: [1, 1],
    begin: [1, 1],
  };
  const terms = 9 * fine.channels / groups;
  const kernel = Float64Array.from({ length: channels * terms }, () => numbers.normal() / Math.sqrt(terms));
  const bias = Float64Array.from({ length: sizeOf(coarse) }, () => 0.1 * numbers.normal());
  const size = sizeOf(coarse), name = `conv${nodes.length}`;
  nodes.push({
    operator: "convolution",
    inputs: [nodes.length - 1],
    size,
    name,
    kernel,
    windows,
    transposed: false,
    bias,
  });
  return coarse;
}

function push(
  nodes: Node[],
  node: Fresh<Exclude<Node, { operator: "input" }>>,
  size: number,
  inputs: NodeId[] = [nodes.length - 1],
): void {
  nodes.push({ ...node, inputs, size, name: `n${nodes.length}` } as Node);
}

function pushDense(nodes: Node[], numbers: Random, rows: number): void {
  const columns = nodes.at(-1)!.size;
  const weights = Float64Array.from({ length: rows * columns }, () => numbers.normal() / Math.sqrt(columns));
  push(nodes, { operator: "affine", weights, bias: null }, rows);
}

/** conv, relu, conv, relu, dense over 2 channels of 5 by 5. */
function chain(groups = 1): Graph {
  const numbers = random(), nodes = input(50);
  const middle = pushWindows(nodes, numbers, { channels: 2, height: 5, width: 5 }, 4, 1, groups);
  push(nodes, { operator: "relu" }, sizeOf(middle));
  const top = pushWindows(nodes, numbers, middle, 3, 2);
  push(nodes, { operator: "relu" }, sizeOf(top));
  pushDense(nodes, numbers, 3);
  return { nodes };
}

/** conv, relu, conv beside the identity, relu, every second value twice, dense. */
function branches(): Graph {
  const numbers = random(), nodes = input(16), grid = { channels: 1, height: 4, width: 4 };
  const middle = pushWindows(nodes, numbers, grid, 2, 1);
  push(nodes, { operator: "relu" }, 32);
  pushWindows(nodes, numbers, middle, 2, 1);
  push(nodes, { operator: "add", signs: [1, 1] }, 32, [3, 2]);
  push(nodes, { operator: "relu" }, 32);
  push(nodes, { operator: "selection", map: new Int32Array(32).map((_, i) => i - i % 2), transposed: false }, 32);
  pushDense(nodes, numbers, 3);
  return { nodes };
}

function cube(size: number, radius: number): Region {
  return { lower: new Float64Array(size).fill(0.3 - radius), upper: new Float64Array(size).fill(0.3 + radius) };
}

/** Exact values of `graph` that bounds of `bounded` (itself unless told) contradict; a bound that crosses another counts. */
async function falseClaims(kernels: Kernels, graph: Graph, refine: "interval" | "linear", bounded = graph) {
  const box = cube(graph.nodes[0].size, 2 ** -8), rows = unitRows(graph);
  const samples = samplePoints(graph, box, new Random(SEED, 1), 8, rows);
  try {
    const passes = await boundPasses(kernels, bounded, box, { ...RELAXATIONS.linear, refine }, rows);
    return falsePasses(passes, graph, samples, rows);
  } catch (error) {
    assert.match(String(error), /cross/);
    return [String(error)];
  }
}

Deno.test("the engine itself contradicts nothing on the networks of these mutants", async () => {
  for (const graph of [chain(), chain(2), branches()]) {
    for (const refine of ["interval", "linear"] as const) {
      assert.deepEqual(await falseClaims(referenceKernels(), graph, refine), []);
    }
  }
});

for (const Mutant of [ForgottenTapInWalks, ForgottenTapInImages, DroppedColumn, OverwrittenBranch]) {
  const kind = Mutant === ForgottenTapInImages ? "interval" : "linear";
  Deno.test(`the mutant ${Mutant.name} contradicts exact values or itself`, async () => {
    const graph = Mutant === OverwrittenBranch ? branches() : chain();
    const mutant = new Mutant(referenceKernels());
    const found = await falseClaims(mutant, graph, kind);
    assert.ok(mutant.made > 0, "the mistake was never made: the engine does not call what the mutant changes");
    assert.ok(found.length > 0);
  });
}

Deno.test("windows one place further on, and exchanged groups, contradict exact values", async () => {
  for (const refine of ["interval", "linear"] as const) {
    assert.ok((await falseClaims(referenceKernels(), chain(), refine, shiftedWindows(chain()))).length > 0);
    assert.ok((await falseClaims(referenceKernels(), chain(2), refine, exchangedGroups(chain(2)))).length > 0);
  }
});

Deno.test("a selection whose adjoint forgets a repeated index contradicts exact Jacobians", async () => {
  const graph = branches();
  for (const refine of ["interval", "linear"] as const) {
    const found = await withForgottenRepeats(() => falseClaims(referenceKernels(), graph, refine));
    assert.ok(found.length > 0);
    assert.deepEqual(await falseClaims(referenceKernels(), graph, refine), []);
  }
});

/** One window over 64 channels of 3 by 3 after another: sums of 576 products meet none that is longer. */
function wideWindows(): Graph {
  const numbers = random(), nodes = input(576), grid = { channels: 64, height: 3, width: 3 };
  pushWindows(nodes, numbers, grid, 64, 1);
  push(nodes, { operator: "relu" }, 576);
  pushWindows(nodes, numbers, grid, 1, 3);
  return { nodes };
}

Deno.test("every step of a convolution counts the roundings of its longest sum; one that counts 0 is told", async () => {
  const count = (graph: Graph) => {
    const kernels = referenceKernels(), box = cube(graph.nodes[0].size, 0.1);
    return falseRoundings(() => boundPasses(kernels, graph, box, RELAXATIONS.linear, unitRows(graph)));
  };
  for (const graph of [chain(), branches(), wideWindows()]) {
    const { found, steps } = await count(graph);
    assert.deepEqual(found, []);
    assert.ok(steps > 0);
    assert.ok((await withoutRoundings(() => count(graph))).found.length > 0);
  }
});
