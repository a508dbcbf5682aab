/** Rows over feature maps: what they reach, and that it is theirs alone whatever tile they walk in. */
import assert from "node:assert/strict";
import { boundGraph } from "../../../shared/bounds/bound_graph.ts";
import { bends } from "../../../shared/bounds/columns.ts";
import { type BoundOptions, type Group, isMixing, keptAt, type Pass, rulesOf } from "../../../shared/bounds/pass.ts";
import type { RowSet } from "../../../shared/bounds/rows.ts";
import { gridAt } from "../../../shared/bounds/rows.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { supportsBelow } from "../../../shared/bounds/support.ts";
import { lowerBounds } from "../../../shared/bounds/walk.ts";
import type { Graph, NodeId } from "../../../shared/graph.ts";
import { differentiate, withAbs } from "../../../shared/jacobian/differentiate.ts";
import { jacobianGroups } from "../../../shared/jacobian/jacobian_bounds.ts";
import { wasmKernels } from "../../../shared/kernels/wasm.ts";
import { unitRow } from "../../../shared/properties/analysis.ts";
import module from "../../../wasm/dist/kernels.js";
import { Random } from "../../exact/random.ts";
import { randomConvolutional } from "../../exact/random_convolutional.ts";
import { convolutionMatrix, selectionMatrix } from "../../exact/unroll.ts";

const SEED = 2012;
const PLAIN: BoundOptions = { refine: "linear", rule: "chord" };
const kernels = wasmKernels(module);

/** The passes over a network and over the graph of its Jacobian, while both are at hand. */
async function withPasses(
  index: number,
  use: (pass: Pass, name: string, random: Random) => Promise<void>,
): Promise<void> {
  const { graph, lower, upper, name } = randomConvolutional(SEED, index);
  const size = graph.nodes[graph.nodes.length - 1].size;
  await withRun([graph], { kernels }, async (run) => {
    const forward = await boundGraph(graph, [{ box: { lower, upper } }], PLAIN, run);
    const jacobian = withAbs(differentiate(graph));
    const seeds = Array.from({ length: size }, (_, k) => unitRow(size, k));
    const groups: Group[] = jacobianGroups(forward, jacobian, seeds);
    const random = new Random(SEED, index);
    await use(forward, `${name}, network`, random);
    await use(await boundGraph(jacobian, groups, PLAIN, run), `${name}, Jacobian`, random);
  });
}

/** The pass as it was when a bend above the node walked its rows; null where nothing is walked. */
function asWalked(pass: Pass, id: NodeId): Pass | null {
  const above = pass.graph.nodes.findIndex((node) => node.inputs.includes(id) && rulesOf(node)?.kind === "elementwise");
  return above < 0 ? null : { ...pass, states: pass.states.slice(0, above) };
}

/** Unit rows of values, a lower and an upper one in every group that asks for them. */
function unitRowsOf(pass: Pass, id: NodeId, indices: readonly number[]): RowSet {
  const { demand } = pass.states[id];
  const rows = pass.groups.flatMap((_, group) =>
    indices.filter((i) => !demand || demand.groups[group][i] === 1).flatMap((index) =>
      [1, -1].map((sign) => ({ group, index, sign }))
    )
  );
  return {
    groups: Int32Array.from(rows, ({ group }) => group),
    start: {
      layout: "unit",
      indices: Int32Array.from(rows, ({ index }) => index),
      signs: Int32Array.from(rows, ({ sign }) => sign),
    },
  };
}

/** The values of a node by squares of positions. */
function squares(graph: Graph, id: NodeId, side: number): number[][] {
  const { height, width } = gridAt(graph, id)!;
  const parts = new Map<string, number[]>();
  for (let i = 0; i < graph.nodes[id].size; i++) {
    const x = i % width, y = (i % (height * width) - x) / width;
    const key = `${Math.floor(y / side)} ${Math.floor(x / side)}`;
    parts.set(key, [...(parts.get(key) ?? []), i]);
  }
  return [...parts.values()];
}

Deno.test(`(12) (20) rows have the same bits all at once, in squares and alone (seed ${SEED})`, async () => {
  let compared = 0;
  for (let index = 0; index < 55; index++) {
    await withPasses(index, async (pass, name) => {
      for (const [id, { size }] of pass.graph.nodes.entries()) {
        const then = id > 0 && gridAt(pass.graph, id) ? asWalked(pass, id) : null;
        if (!then) continue;
        const all = unitRowsOf(then, id, [...Array(size).keys()]);
        if (all.groups.length === 0) continue; // no group needs any
        const together = await lowerBounds(then, id, all);
        const boundOf = new Map(Array.from(together, (bound, r) => [keyOf(all, r), bound]));
        for (const side of [1, 2, 3]) {
          const parts = side === 1 ? [...Array(size).keys()].map((i) => [i]) : squares(pass.graph, id, side);
          for (const part of parts) {
            const rows = unitRowsOf(then, id, part);
            if (rows.groups.length === 0) continue;
            const bounds = await lowerBounds(then, id, rows);
            bounds.forEach((bound, r) => {
              assert.ok(
                Object.is(bound, boundOf.get(keyOf(rows, r))),
                `${name}, node ${id}, row ${keyOf(rows, r)}, side ${side}: ${bound} and ${boundOf.get(keyOf(rows, r))}`,
              );
              compared++;
            });
          }
        }
      }
    });
  }
  assert.ok(compared > 10_000, `only ${compared} rows`);
});

function keyOf({ groups, start }: RowSet, r: number): string {
  if (start.layout !== "unit") throw new TypeError("unit rows were expected");
  return `${groups[r]} ${start.indices[r]} ${start.signs[r]}`;
}

/** Which input values each value of a matrix node has an entry for, by the matrix written out. */
function joinedBy({ nodes }: Graph, id: NodeId): (row: number, column: number) => boolean {
  const node = nodes[id], { size } = nodes[node.inputs[0]];
  if (node.operator === "convolution") {
    const matrix = convolutionMatrix({ ...node, kernel: node.kernel.map(() => 1) }, size);
    return (row, column) => matrix[row * size + column] !== 0;
  }
  if (node.operator === "selection") {
    const matrix = selectionMatrix(node, size);
    return (row, column) => matrix[row * size + column] !== 0;
  }
  return () => true;
}

/** What rows reach, value by value: entries of written-out matrices, less what no group needs. */
function reachedFrom(pass: Pass, target: NodeId, indices: readonly number[]): Map<NodeId, Set<number>> {
  const { nodes } = pass.graph;
  const reached = new Map<NodeId, Set<number>>([[target, new Set(indices)]]);
  const takesAll = new Set([target]);
  for (let id = target; id >= 0; id--) {
    const own = reached.get(id);
    if (!own) continue;
    const kept = keptAt(pass, id), lines = pass.states[id]?.relaxations;
    for (const i of own) {
      const isDropped = kept !== null && !kept.includes(i);
      const isFlat = kept === null && !takesAll.has(id) && lines && !lines.some((one) => bends(one, i));
      if (isDropped || isFlat) own.delete(i);
    }
    for (const input of nodes[id].inputs) {
      const below = reached.get(input) ?? new Set();
      reached.set(input, below);
      if (!isMixing(nodes[id])) {
        takesAll.add(input);
        for (const i of own) below.add(i);
        continue;
      }
      const joined = joinedBy(pass.graph, id);
      for (let j = 0; j < nodes[input].size; j++) {
        if (nodes[id].operator === "affine" || [...own].some((i) => joined(i, j))) below.add(j);
      }
    }
  }
  return reached;
}

Deno.test(`(20) supportsBelow() is exactly what entries of the matrices reach and some group needs (seed ${SEED})`, async () => {
  let partial = 0, compared = 0;
  for (let index = 0; index < 110; index++) {
    await withPasses(index, (pass, name, random) => {
      for (const [id, { size }] of pass.graph.nodes.entries()) {
        const then = id > 0 ? asWalked(pass, id) : null;
        if (!then) continue;
        const all = then.states[id].demand?.indices ?? Int32Array.from({ length: size }, (_, i) => i);
        const some = [...all].filter(() => random.chance(0.1));
        for (const indices of [some, [...all].slice(0, 1), [...all].slice(-1)]) {
          if (indices.length === 0) continue;
          const supports = supportsBelow(then, id, Int32Array.from(indices), 0);
          const reached = reachedFrom(then, id, indices);
          assert.deepEqual([...supports.keys()].sort(), [...reached.keys()].sort(), `${name}: nodes below ${id}`);
          for (const [below, { columns, whole }] of supports) {
            const wanted = [...reached.get(below)!].sort((a, b) => a - b);
            const kept: number = keptAt(then, below)?.length ?? pass.graph.nodes[below].size;
            const found = columns === null ? [...Array(pass.graph.nodes[below].size).keys()] : [...columns];
            assert.deepEqual(found, wanted, `${name}: rows of ${indices} at node ${id} over node ${below}`);
            assert.equal(whole, found.length === kept, `${name}: node ${below} whole`);
            if (!whole) partial++;
            compared++;
          }
        }
      }
      return Promise.resolve();
    });
  }
  assert.ok(partial > 500 && compared > 2000, `only ${partial} of ${compared} supports in part`);
});
