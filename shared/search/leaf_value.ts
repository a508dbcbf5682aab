import { boxMaximum } from "../linear/empty.ts";
import type { HalfSpaces } from "../linear/half_spaces.ts";
import { optimise } from "../linear/optimise.ts";
import type { Box } from "../numeric/box.ts";
import { type Bounding, type Part, sumOf } from "./bound_piece.ts";
import { leafForms } from "./leaf.ts";
import { type Bounded, pushDown, settlePushed, type Sum } from "./push_down.ts";
import { onGrid, weighingOf } from "./weighing.ts";

/** What a value is at most on a piece, and a point where a linear program finds it so large. */
export interface LeafBound {
  readonly upper: number;
  readonly point: Float64Array | null;
}

/**
 * The bound of a value on a piece where every unit has its phase: it is affine there (or the least of affine forms), and what
 * a linear program finds are the multipliers of a bound. Null where the piece is proved empty.
 */
export function boundLeaf(bounding: Bounding, part: Part, box: Box): LeafBound | null {
  const { region, objective } = bounding, { among } = objective;
  const bounded: Bounded = { ...part, box }, { units, halfSpaces, errors } = leafForms(region, bounded);
  const sum = among.length > 1 ? weighingOf(region, objective, part.weights).sum() : sumOf(bounding, part.signs);
  const found = optimise(halfSpaces, box, formOf(bounding, bounded, sum).slopes);
  if (found.isEmpty && boxMaximum(halfSpaces, errors, box, found.multipliers) < 0) return null;
  const alone = settled(bounding, bounded, sum, units, found.multipliers);
  const upper = Math.min(part.upper, alone), point = found.isEmpty ? null : found.point;
  if (among.length < 2 || found.isEmpty) return { upper, point };
  const least = leastOf(bounding, bounded, halfSpaces);
  const weighed = weighingOf(region, objective, least.weights).sum();
  return {
    upper: Math.min(upper, settled(bounding, bounded, weighed, units, least.multipliers)),
    point: least.point,
  };
}

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
function formOf(
  { region, objective, workspace }: Bounding,
  piece: Bounded,
  sum: Sum,
): { readonly slopes: Float64Array; readonly constant: number; readonly largest: number } {
  workspace.multipliers.fill(0, 3 * region.width);
  const largest = pushDown(region, objective, workspace, piece, sum, workspace.multipliers);
  const slopes = workspace.overInput.slice(0, region.features);
  const constant = slopes.reduce((left, slope, j) => left - slope * workspace.corner[j], largest);
  return { slopes, constant, largest };
}

/**
 * The largest t with t <= v_i(x) for every output the aim is among: the multipliers of these rows are the weights. Proposals, as
 * all that `optimise` finds.
 */
function leastOf(bounding: Bounding, piece: Bounded, { rows, constants }: HalfSpaces) {
  const { region: { features: n }, objective: { among } } = bounding, { lower, upper } = piece.box;
  const count = constants.length, all = new Float64Array((count + among.length) * (n + 1));
  for (let i = 0; i < count; i++) all.set(rows.subarray(i * n, (i + 1) * n), i * (n + 1));
  const forms = among.map(({ seed, direct, constant }) =>
    formOf(bounding, piece, { gated: null, units: seed, inputs: direct, constant, charge: 0 })
  );
  let low = Infinity, high = Infinity;
  forms.forEach(({ slopes, constant, largest }, i) => {
    all.set(slopes, (count + i) * (n + 1));
    all[(count + i) * (n + 1) + n] = -1;
    const smallest = slopes.reduce((sum, c, j) => sum + c * (c > 0 ? lower[j] : upper[j]), constant);
    low = Math.min(low, smallest);
    high = Math.min(high, largest);
  });
  // t keeps some room, so that only the outputs limit it.
  const room = 1 + Math.abs(low) + Math.abs(high), slope = new Float64Array(n + 1);
  slope[n] = 1;
  const found = optimise(
    { rows: all, constants: Float64Array.of(...constants, ...forms.map(({ constant }) => constant)) },
    { lower: Float64Array.of(...lower, low - room), upper: Float64Array.of(...upper, high + room) },
    slope,
  );
  const total = found.multipliers.subarray(count).reduce((sum, y) => sum + y, 0);
  const weights = found.multipliers.slice(count).map((y) => (total > 0 && total < Infinity ? y / total : 1 / among.length));
  onGrid(weights);
  return {
    weights,
    multipliers: found.multipliers.slice(0, count).map((y) => (y > 0 && y < Infinity && total > 0 ? y / total : 0)),
    point: found.point.slice(0, n),
  };
}
