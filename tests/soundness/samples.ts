/** Points of a box with the exact outputs there and the exact Jacobians of the regions that meet there. */
import type { Graph } from "../../shared/graph.ts";
import { evaluate, jacobianRow, type Phases, phasesAt, unitRow } from "../exact/network.ts";
import type { Random } from "../exact/random.ts";
import { exactMatrix, type ExactVector, exactVector, product } from "../exact/vector.ts";

export interface Region {
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
}

export interface Sample {
  readonly point: Float64Array;
  readonly exactPoint: ExactVector;
  /** Exact values of every node. */
  readonly values: readonly ExactVector[];
  /** C f(x), exact; C is the identity or the rows asked for. */
  readonly output: ExactVector;
  /** The derivatives of each region that was found next to the point. */
  readonly phases: readonly Phases[];
  /** One C J for each region that was found next to the point, row by row, exact. */
  readonly jacobians: readonly (readonly ExactVector[])[];
}

/** Rows C over the outputs of a network. */
export type Rows = readonly (readonly number[])[];

/** One row an output. */
export function unitRows(graph: Graph): Rows {
  const { size } = graph.nodes.at(-1)!;
  return Array.from({ length: size }, (_, k) => unitRow(size, k));
}

/** Centre, corners and inner points of a box, each with what is exactly true there. */
export function samplePoints(
  graph: Graph,
  box: Region,
  random: Random,
  count: number,
  rows: Rows = unitRows(graph),
): Sample[] {
  const samples = [sampleAt(graph, box, center(box), random, rows)];
  while (samples.length < count) samples.push(sampleAt(graph, box, randomPoint(box, random), random, rows));
  return samples;
}

/** The exact facts at one point of the box. */
export function sampleAt(
  graph: Graph,
  box: Region,
  point: Float64Array,
  random: Random,
  rows: Rows = unitRows(graph),
): Sample {
  const values = evaluate(graph, point);
  const output = product(exactMatrix(rows.flat()), values.at(-1)!, rows.length);
  const here = phasesAt(graph, values, null);
  const near = here === null
    ? [1, 2, 3].map(() => phasesAt(graph, values, inwardDirection(box, point, random)))
    : [here];
  const phases = near.filter((found) => found !== null);
  const jacobians = phases.map((found) => rows.map((row) => jacobianRow(graph, found, row)));
  return { point, exactPoint: exactVector(point), values, output, phases, jacobians };
}

/** The middle of the box, kept inside it. */
export function center(box: Region): Float64Array {
  return Float64Array.from(box.lower, (l, j) => {
    const middle = l + (box.upper[j] - l) / 2;
    return Math.min(Math.max(middle, l), box.upper[j]);
  });
}

/** Corners, faces and inner points alike: each coordinate is an end or anything between. */
function randomPoint(box: Region, random: Random): Float64Array {
  const ends = random.pick([0, 0.5, 1]);
  return Float64Array.from(box.lower, (l, j) => {
    const u = box.upper[j];
    if (random.chance(ends)) return random.chance(0.5) ? l : u;
    return Math.min(Math.max(random.between(l, u), l), u);
  });
}

/**
 * A direction that stays in the box where it has width; where it has none any direction will do, for there the constant
 * means the ambient Clarke Jacobian.
 */
function inwardDirection(box: Region, point: Float64Array, random: Random): Float64Array {
  return point.map((x, j) => {
    const l = box.lower[j], u = box.upper[j], length = random.between(0.25, 1);
    if (l < u && x === l) return length;
    if (l < u && x === u) return -length;
    return random.sign() * length;
  });
}
