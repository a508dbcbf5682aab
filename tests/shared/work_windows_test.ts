/** What windows compute against a count made from the entries of their matrices, shapes and unstable neurons alone. */
import assert from "node:assert/strict";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import type { Group, Pass } from "../../shared/bounds/pass.ts";
import { withRun } from "../../shared/bounds/run.ts";
import type { Graph, Grid, Node } from "../../shared/graph.ts";
import { differentiate, withAbs } from "../../shared/jacobian/differentiate.ts";
import { jacobianGroups, normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import type { Box } from "../../shared/numeric/box.ts";
import { Random } from "../exact/random.ts";
import { entriesOf } from "../exact/sparse.ts";
import { unroll } from "../exact/unroll.ts";

const SEED = 4110;
const LINEAR = { refine: "linear", rule: "chord" } as const;
const RADII = [0.005, 0.05, 0.2];

/**
 * Most flops for each flop of the count (4 to 11 on this network): rows walk together over all that one of them reaches,
 * blocks hold zeros where windows overlap in part, and activations, charges and the meeting with the box, a few flops a
 * column, are no entries of a matrix.
 */
const OVERHEAD = 12;

/** conv, relu, strided conv, relu, conv, relu, dense over 2 channels of 8 by 8. */
function network(): Graph {
  const random = new Random(SEED), nodes: Node[] = [{ operator: "input", inputs: [], size: 128, name: "x" }];
  let fine: Grid = { channels: 2, height: 8, width: 8 };
  const numbers = (length: number, scale: number) => Float64Array.from({ length }, () => scale * random.normal());
  for (const [channels, stride, extent] of [[4, 1, 8], [6, 2, 4], [6, 1, 4]]) {
    const coarse: Grid = { channels, height: extent, width: extent };
    const terms = 9 * fine.channels, size = channels * extent * extent, inputs = [nodes.length - 1];
    nodes.push({
      operator: "convolution",
      inputs,
      size,
      name: `conv${nodes.length}`,
      kernel: numbers(channels * terms, 1 / Math.sqrt(terms)),
      windows: {
        batch: 1,
        groups: 1,
        coarse,
        fine,
        kernel: [3, 3],
        stride: [stride, stride],
        dilation: [1, 1],
        begin: [1, 1],
      },
      transposed: false,
      bias: numbers(size, 0.2),
    });
    nodes.push({ operator: "relu", inputs: [nodes.length - 1], size, name: `relu${nodes.length}` });
    fine = coarse;
  }
  const columns = nodes.at(-1)!.size, inputs = [nodes.length - 1];
  nodes.push({ operator: "affine", inputs, size: 3, name: "y", weights: numbers(3 * columns, 0.1), bias: null });
  return { nodes };
}

function cube(size: number, radius: number): Box {
  const at = (i: number) => 0.3 + 0.4 * ((i * 5) % 7) / 7;
  return {
    lower: Float64Array.from({ length: size }, (_, i) => at(i) - radius),
    upper: Float64Array.from({ length: size }, (_, i) => at(i) + radius),
  };
}

/** Bounds the first `nodes` nodes: the last box is what intervals make of the refined boxes below. */
function boundPrefix(graph: Graph, nodes: number, groups: readonly Group[]): Promise<Pass> {
  const prefix: Graph = { nodes: graph.nodes.slice(0, nodes) };
  return withRun([graph], { kernels: referenceKernels() }, (run) => boundGraph(prefix, groups, LINEAR, run));
}

/** The pairs (value, input) that an entry of a matrix node joins. */
function pairsOf({ nodes }: Graph, id: number): readonly (readonly [number, number])[] {
  const node = nodes[id], { size } = nodes[node.inputs[0]];
  if (node.operator === "affine") {
    return Array.from({ length: node.size * size }, (_, k) => [Math.floor(k / size), k % size] as const);
  }
  if (node.operator !== "convolution") throw new RangeError(`${node.operator} is no matrix`);
  const { coarse, fine } = entriesOf(node.windows);
  return coarse.map((o, e) => node.transposed ? [fine[e], o] as const : [o, fine[e]] as const);
}

const isMatrix = ({ operator }: Node) => operator === "affine" || operator === "convolution";

/** Which values of an elementwise node some group needs: relu with u > 0, a product with d other than 0; all of the rest. */
function alive(pass: Pass, id: number): boolean[] {
  const node = pass.graph.nodes[id];
  return Array.from({ length: node.size }, (_, i) =>
    pass.groups.some((group, g) => {
      if (node.operator === "relu") return pass.states[node.inputs[0]].boxes[g].upper[i] > 0;
      return node.operator !== "derivative_product" || group.ranges!.get(id)!.upper[i] !== 0;
    }));
}

/** Entries that a row passes on its way down a chain: of one value of a matrix node (its own row is there), or of all. */
function entriesBelow(pass: Pass, target: number, index: number | null): number {
  const { nodes } = pass.graph;
  let entries = 0;
  let reached = new Set(index === null ? Array.from({ length: nodes[target].size }, (_, i) => i) : [index]);
  for (let id = target; id > 0; id--) {
    if (!isMatrix(nodes[id])) {
      const lives = alive(pass, id);
      reached = new Set([...reached].filter((i) => lives[i]));
      continue;
    }
    const lives = alive(pass, id - 1);
    const joined = pairsOf(pass.graph, id).filter(([i, j]) => reached.has(i) && lives[j]);
    if (index === null || id < target) entries += joined.length;
    reached = new Set(joined.map(([, j]) => j));
  }
  return entries;
}

/** Rows of one index: the end nearer to 0 first; that end is final then, the other still as intervals left it. */
function rowsAt(before: Box, after: Box, i: number, needs: (box: Box) => boolean): number {
  if (!needs(before)) return 0;
  const isLower = before.upper[i] >= -before.lower[i];
  return needs(isLower ? { lower: after.lower, upper: before.upper } : { lower: before.lower, upper: after.upper })
    ? 2
    : 1;
}

interface Count {
  rows: number;
  /** Flops of products and interval images alone. */
  flops: number;
}

/** The count for a chain input, matrix, bend, matrix, bend, …; `needs` says which indices intervals leave open. */
async function countPass(
  graph: Graph,
  groups: readonly Group[],
  final: Pass,
  needs: (box: Box, group: Group, id: number, i: number) => boolean,
): Promise<Count> {
  const count: Count = { rows: 0, flops: 0 };
  for (let id = 1; id < graph.nodes.length; id++) {
    const node = graph.nodes[id];
    if (isMatrix(node)) {
      const rows = graph.nodes[id + 1]?.operator === "derivative_product" ? alive(final, id + 1) : null;
      // Images of windows visit their inputs, needed or not.
      const lives = node.operator === "affine" ? alive(final, id - 1) : null;
      const entries = pairsOf(graph, id).filter(([i, j]) => rows?.[i] !== false && lives?.[j] !== false).length;
      count.flops += 6 * groups.length * entries;
      continue;
    }
    if (id <= 2) continue; // below the first bend the interval image is exact
    const below = (await boundPrefix(graph, id, groups)).states[id - 1].boxes;
    groups.forEach((group, g) => {
      for (let i = 0; i < node.size; i++) {
        const rows = rowsAt(below[g], final.states[id - 1].boxes[g], i, (box) => needs(box, group, id, i));
        if (rows === 0) continue;
        count.rows += rows;
        count.flops += 2 * rows * entriesBelow(final, id - 1, i);
      }
    });
  }
  return count;
}

const straddles = (box: Box, i: number) => box.lower[i] < 0 && box.upper[i] > 0;

function within(done: Count, counted: Count, what: string): void {
  assert.equal(done.rows, counted.rows, `${what}: rows`);
  const ratio = done.flops / counted.flops;
  assert.ok(ratio >= 1 && ratio <= OVERHEAD, `${what}: ${done.flops} flops, ${counted.flops} counted (${ratio})`);
}

/** Rows and flops of the network's pass and of the norms of its Jacobian. */
async function workOf(graph: Graph, groups: readonly Group[], seeds: readonly Float64Array[]) {
  return await withRun([graph], { kernels: referenceKernels() }, async (run) => {
    const forward = await boundGraph(graph, groups, LINEAR, run);
    const before = { ...run.work };
    await normBounds(forward, seeds, LINEAR, run);
    const jacobian: Count = { rows: run.work.rows - before.rows, flops: run.work.flops - before.flops };
    return { forward, network: before as Count, jacobian };
  });
}

Deno.test(`work of windows: rows where bounds are open, flops near the entries between living neurons (seed ${SEED})`, async () => {
  const graph = network(), twin = unroll(graph);
  const seeds = [0, 1, 2].map((k) => Float64Array.from({ length: 3 }, (_, i) => (i === k ? 1 : 0)));
  for (const radius of RADII) {
    const groups = [{ box: cube(graph.nodes[0].size, radius) }];
    const done = await workOf(graph, groups, seeds);
    const opens = (box: Box, i: number) => box.lower[i] <= 0 && box.upper[i] >= 0 && box.lower[i] < box.upper[i];
    const counted = await countPass(graph, groups, done.forward, (box, _group, _id, i) => opens(box, i));
    within(done.network, counted, `network, radius ${radius}`);

    const jacobian = withAbs(differentiate(graph));
    const pairs = jacobianGroups(done.forward, jacobian, seeds);
    const final = await boundPrefix(jacobian, jacobian.nodes.length, pairs);
    const norms = await countPass(jacobian, pairs, final, (box, group, id, i) => {
      const range = group.ranges!.get(id);
      return straddles(box, i) && (range === undefined || range.lower[i] < range.upper[i]);
    });
    norms.rows += pairs.length;
    norms.flops += pairs.length * 2 * entriesBelow(final, jacobian.nodes.length - 1, null);
    within(done.jacobian, norms, `Jacobian, radius ${radius}`);

    const dense = await workOf(twin, groups, seeds);
    // Few and large tiles on so small a feature map, whose layout would cost more than their rows save.
    assert.ok(done.network.flops < dense.network.flops / 2, `network, radius ${radius}: half of the dense twin's`);
    assert.ok(
      done.jacobian.flops < 0.6 * dense.jacobian.flops,
      `Jacobian, radius ${radius}: less than the dense twin's`,
    );
  }
});
