import type { Pass } from "../bounds/pass.ts";
import type { NodeId } from "../graph.ts";
import { magnitudes } from "../numeric/box.ts";
import { addDown, addUp, radiusFactor } from "../numeric/rounding.ts";
import { FLOOR, type Rows } from "./pull_back.ts";
import { type Bend, bentNodes, ranksOf, type Unit } from "./units.ts";
import { type Tables, walkDown, type Way, wayOf } from "./walk.ts";

/**
 * A network over a region, as relus alone. With r_v = relu(h_v), h_u is row u of
 *
 *     inputWeights . x + unitWeights . r + bias,
 *
 * and the outputs are its last K rows. It is the network itself for every x of the region, up to `error`.
 */
export interface CondensedNetwork {
  /** n, K. */
  readonly features: number;
  readonly outputs: number;
  /** U of them, each after all that it depends on. */
  readonly units: readonly Unit[];
  /** [U + K][n] */
  readonly inputWeights: Float64Array;
  /** [U + K][U]; strictly lower triangular in its first U rows. */
  readonly unitWeights: Float64Array;
  /** [U + K] */
  readonly bias: Float64Array;
  /**
   * At least the sums of the magnitudes of all products on all paths: |stored - true| <= fl(error * magnitude) in every
   * place, and |true|, |stored| <= magnitude. A magnitude of 0 means that both are exactly 0.
   */
  readonly inputMagnitudes: Float64Array;
  readonly unitMagnitudes: Float64Array;
  readonly biasMagnitudes: Float64Array;
  readonly error: number;
  /** [U + K]: proved bounds of every row's value over the region (infinite ends mean "not known"). */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** [n]: the largest |x_j| in the box. */
  readonly reach: Float64Array;
  /** [U]: units of equal rank do not depend on each other; ranks ascend from 0. */
  readonly rank: Int32Array;
}

/** Numbers of the two matrices together; above it nothing is condensed. */
export const MOST_NUMBERS = 2 ** 24;

/** Rows that are walked together: what is in memory at once beside the matrices. */
const BLOCK = 32;

/**
 * The network of a finished forward pass, condensed over the region of one of its groups.
 *
 * Every activation whose derivative is known over the pass's bounds is a line and vanishes; each kink of the others
 * is a unit. null where the matrices would have more than {@link MOST_NUMBERS} numbers, or a number overflows.
 *
 * Rounding: stored numbers are off by at most `error` times their magnitudes. Source: shared/README.md (23); cost 4 flops
 * for each row and each entry of a matrix below it with a coefficient that is not 0.
 */
export function condenseNetwork(pass: Pass, group = 0): CondensedNetwork | null {
  const { graph } = pass;
  const last = graph.nodes.length - 1;
  const bent = bentNodes(pass, group), ranks = ranksOf(graph, bent);
  const bends: Bend[] = [...bent.values()].flatMap((node) => node.bends)
    .sort((a, b) => ranks[a.unit.activation] - ranks[b.unit.activation]);
  const units = bends.map(({ unit }) => unit);
  const [n, count, outputs] = [graph.nodes[0].size, units.length, graph.nodes[last].size];
  const rows = count + outputs;
  if (rows * (n + count) > MOST_NUMBERS) return null;
  const way = wayOf(graph, bent, new Map(units.map((unit, u) => [unit, u])));
  const values = tables(rows, n, count), sizes = tables(rows, n, count);
  const targets: Target[] = units.map(({ activation, index }) => ({ node: graph.nodes[activation].inputs[0], index }));
  for (let index = 0; index < outputs; index++) targets.push({ node: last, index });
  walkAll(way, targets, values, sizes);
  units.forEach(({ kink }, u) => {
    values.constants[u] -= kink;
    sizes.constants[u] += Math.abs(kink);
  });
  if (![sizes.inputs, sizes.units, sizes.constants].every(settle)) return null;
  const lower = new Float64Array(rows), upper = new Float64Array(rows);
  targets.forEach(({ node, index }, r) => {
    const box = pass.states[node].boxes[group], kink = r < count ? units[r].kink : 0;
    lower[r] = addDown(box.lower[index], -kink);
    upper[r] = addUp(box.upper[index], -kink);
  });
  return {
    features: n,
    outputs,
    units,
    inputWeights: values.inputs,
    unitWeights: values.units,
    bias: values.constants,
    inputMagnitudes: sizes.inputs,
    unitMagnitudes: sizes.units,
    biasMagnitudes: sizes.constants,
    error: radiusFactor(way.roundings),
    lower,
    upper,
    reach: magnitudes(pass.groups[group].box),
    rank: Int32Array.from(units, ({ activation }) => ranks[activation]),
  };
}

/** A value of a node that a row starts at. */
interface Target {
  readonly node: NodeId;
  readonly index: number;
}

/** Row r of the tables from target r, in blocks of one node. */
function walkAll(way: Way, targets: readonly Target[], values: Tables, magnitudes: Tables): void {
  for (let first = 0; first < targets.length;) {
    const { node } = targets[first];
    let end = first + 1;
    while (end < targets.length && end < first + BLOCK && targets[end].node === node) end++;
    const { size } = way.graph.nodes[node];
    const units = targets.slice(first, end).map(({ index }) => new Float64Array(size).fill(1, index, index + 1));
    const start: Rows = { values: units, magnitudes: units };
    walkDown(way, node, start, { first, values, magnitudes });
    first = end;
  }
}

function tables(rows: number, n: number, count: number): Tables {
  return {
    inputs: new Float64Array(rows * n),
    units: new Float64Array(rows * count),
    constants: new Float64Array(rows),
  };
}

/** Makes computed magnitudes upper bounds, in place; false where one is not finite. */
function settle(magnitudes: Float64Array): boolean {
  for (let i = 0; i < magnitudes.length; i++) {
    if (magnitudes[i] === 0) continue;
    magnitudes[i] = magnitudes[i] * INFLATION + FLOOR;
    if (!(magnitudes[i] < Infinity)) return false;
  }
  return true;
}

/** Covers the roundings of the sums of magnitudes themselves. */
const INFLATION = 1 + 2 ** -20;
