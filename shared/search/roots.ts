import type { Vectors } from "../kernels/vectors.ts";
import { plainVectors } from "../kernels/vectors_reference.ts";
import type { Box } from "../numeric/box.ts";
import { boundPart, type Part } from "./bound_piece.ts";
import { COMPARED_EVERY, splitsOf } from "./choose_split.ts";
import { boundEntries, boundGradients } from "./gradients.ts";
import { boundingOf, type Problem } from "./expand.ts";
import type { Original } from "./leaf.ts";
import { type Aim, type Objective, objectiveOf } from "./objective.ts";
import type { Piece } from "./piece.ts";
import { FEWEST_UNITS, placesOf } from "./places.ts";
import type { Region } from "./region.ts";
import type { Trace } from "./trace.ts";
import { firstWeights } from "./weighing.ts";
import { workspaceOf } from "./workspace.ts";

/** What is known of an aim before the search: a bound over the region, and of J where it was bounded by entries. */
export interface Asked {
  readonly aim: Aim;
  readonly upper: number;
  readonly lower: number;
  readonly entries: Box | null;
}

/** A problem for some aims over a region. `makeVectors`: kernels for smaller networks of pieces. */
export function problemOf(
  region: Region,
  original: Original,
  asked: readonly Asked[],
  makeVectors: (numbers: number) => Vectors = () => plainVectors,
): Problem {
  // Entries of one gradient share everything but the feature.
  const ofRow = new Map<Float64Array, Objective>();
  const objective = ({ aim, entries }: Asked): Objective => {
    const known = entries === null ? ofRow.get(aim.row) : undefined;
    if (known && aim.kind !== "norm" && known.aim.kind === aim.kind) return { ...known, aim };
    const made = objectiveOf(region, aim, entries);
    ofRow.set(aim.row, made);
    return made;
  };
  return {
    region,
    original,
    programs: { count: 0 },
    objectives: asked.map(objective),
    scales: asked.map(({ upper, lower }) => sizeOf(upper, lower)),
    workspace: workspaceOf(region),
    places: placesOf(region, makeVectors),
    fewest: FEWEST_UNITS,
    every: COMPARED_EVERY,
  };
}

function sizeOf(upper: number, lower: number): number {
  const size = Math.abs(upper) + (lower > -Infinity ? upper - lower : 0);
  return size > 0 && size < Infinity ? size : 1;
}

/** The whole region as a piece of a tree, with its bound. Its split is null where nothing is left to decide. */
export function rootOf(
  problem: Problem,
  tree: number,
  upper: number,
  level: number,
  trace: Trace | null = null,
): Piece {
  const bounding = boundingOf(problem, tree), bounded = rootPart(problem, tree, upper, level, trace);
  const box = bounded.box ?? problem.region.box;
  return { ...bounded, ...splitsOf(bounding, { ...bounded, box }, bounded.box !== null, problem.every) };
}

/** The whole region as a part: bounded once, entries of J by rows. */
export function rootPart(
  problem: Problem,
  tree: number,
  upper: number,
  level: number,
  trace: Trace | null = null,
): Part {
  const { region, workspace } = problem, bounding = boundingOf(problem, tree), { objective } = bounding;
  const { lower: low, upper: high } = region.network, { width, features } = region;
  const { aim } = objective, isNorm = aim.kind === "norm";
  const phases = new Int8Array(width);
  const gradients = { lower: objective.charges.map((size) => -size), upper: objective.charges.slice() };
  if (aim.kind !== "value") boundGradients(region, objective, workspace, { phases, gradients });
  if (isNorm) {
    workspace.entryLower.set(objective.entries.lower);
    workspace.entryUpper.set(objective.entries.upper);
    boundEntries(region, objective, workspace, { phases, gradients, signs: new Int8Array(0) }, true);
    objective.entries.lower.set(workspace.entryLower);
    objective.entries.upper.set(workspace.entryUpper);
  }
  const part: Part = {
    tree,
    upper,
    box: null,
    base: null,
    phases,
    heights: { lower: low.slice(0, width), upper: high.slice(0, width) },
    gradients,
    signs: new Int8Array(isNorm ? features : 0),
    multipliers: new Float32Array(0),
    weights: aim.kind === "value" && aim.among ? firstWeights(region, aim.among) : new Float64Array(0),
    prefers: "unit",
    depth: 0,
  };
  const bounded = boundPart(bounding, part, isNorm ? objective.entries : null, level, trace);
  if (bounded === null) throw new RangeError("Cannot search: the region was found empty");
  return bounded;
}
