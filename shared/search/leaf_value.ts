import { boxMaximum } from "../linear/empty.ts";
import { optimise } from "../linear/optimise.ts";
import type { Box } from "../numeric/box.ts";
import { type Bounding, type Part, sumOf } from "./bound_piece.ts";
import type { Problem } from "./expand.ts";
import { decide, type LeafForms, leafForms } from "./leaf.ts";
import { type Bounded, pushDown, settlePushed, type Sum } from "./push_down.ts";
import { type Form, leastForms } from "./least_forms.ts";
import { keepCoefficients, keepDecision, keepHalfSpaces, type Trace } from "./trace.ts";
import { weighingOf } from "./weighing.ts";

/** What a value is at most on a piece, and a point where a linear program finds it so large. */
export interface LeafBound {
  readonly upper: number;
  readonly point: Float64Array | null;
}

/**
 * The bound of a value on a piece where every unit has its phase: it is affine there (or the least of affine forms), and what
 * a linear program finds are the multipliers of a bound. Null where the piece is proved empty, or without interior where the
 * region has one: its points are limits of others, and values are continuous.
 */
export function boundLeaf(
  { original, programs }: Pick<Problem, "original" | "programs">,
  bounding: Bounding,
  part: Part,
  box: Box,
  trace: Trace | null = null,
): LeafBound | null {
  const { region, objective } = bounding, { among } = objective, isAmong = among.length > 1;
  const bounded: Bounded = { ...part, box }, leaf = leafForms(region, bounded), { units, halfSpaces, errors } = leaf;
  const sum = isAmong ? weighingOf(region, objective, part.weights).sum() : sumOf(bounding, part.signs);
  programs.count++;
  const found = optimise(halfSpaces, box, formOf(bounding, bounded, sum).slopes);
  if (found.isEmpty) {
    if (boxMaximum(halfSpaces, errors, box, found.multipliers) < 0) {
      if (trace) keepHalfSpaces(trace, units, found.multipliers);
      return null;
    }
    programs.count++;
    const decision = decide(region, original, bounded, leaf);
    if (decision.kind === "empty" || (decision.kind === "thin" && region.isSolid)) {
      if (trace) keepDecision(trace, units, decision);
      return null;
    }
  }
  const { multipliers } = found.isEmpty
    ? optimiseThin(leaf, box, formOf(bounding, bounded, sum).slopes) ?? found
    : found;
  const alone = settled(bounding, bounded, sum, units, multipliers);
  if (trace) keepCoefficients(trace, bounding.workspace, alone, isAmong ? part.weights : null);
  const upper = Math.min(part.upper, alone), point = found.isEmpty ? null : found.point;
  if (!isAmong || found.isEmpty) return { upper, point };
  const forms = among.map(({ seed, direct, constant }) =>
    formOf(bounding, bounded, { gated: null, units: seed, inputs: direct, constant, charge: 0 })
  );
  const least = leastForms(forms, halfSpaces, box);
  const weighed = weighingOf(region, objective, least.weights).sum();
  const together = settled(bounding, bounded, weighed, units, least.multipliers);
  if (trace) keepCoefficients(trace, bounding.workspace, together, least.weights);
  return { upper: Math.min(upper, together), point: least.point };
}

/**
 * The largest value on half-spaces whose meeting is thinner than what plain arithmetic tells from empty: they are moved outward by
 * some times what they are off by, until they meet. Any multipliers are sound.
 */
function optimiseThin({ halfSpaces: { rows, constants }, errors }: LeafForms, box: Box, slopes: Float64Array) {
  for (const times of ROOMS) {
    const moved = { rows, constants: constants.map((constant, i) => constant + times * errors[i]) };
    const found = optimise(moved, box, slopes);
    if (!found.isEmpty) return found;
  }
  return null;
}

const ROOMS = [2 ** 10, 2 ** 16, 2 ** 22];

function settled(
  { region, objective, workspace }: Bounding,
  piece: Bounded,
  sum: Sum,
  units: readonly number[],
  found: Float64Array,
): number {
  const { multipliers } = workspace, { width } = region;
  multipliers.fill(0, 3 * width);
  units.forEach((u, i) => multipliers[3 * width + u] = found[i]);
  pushDown(region, objective, workspace, piece, sum, multipliers);
  return settlePushed(region, objective, workspace, piece, sum);
}

/** A sum as an affine form of x on a piece without open units, in plain arithmetic. */
function formOf({ region, objective, workspace }: Bounding, piece: Bounded, sum: Sum): Form {
  workspace.multipliers.fill(0, 3 * region.width);
  const largest = pushDown(region, objective, workspace, piece, sum, workspace.multipliers);
  const slopes = workspace.overInput.slice(0, region.features);
  const constant = slopes.reduce((left, slope, j) => left - slope * workspace.corner[j], largest);
  return { slopes, constant };
}
