import type { Region } from "./region.ts";

/** Arrays that bounds are computed in, made once for a region: no call leaves anything behind in them. */
export interface Workspace {
  /** [U]: a row of coefficients over g on its way; coefficients over g, over p, over h, over r. */
  readonly row: Float64Array;
  readonly overGated: Float64Array;
  readonly overGradient: Float64Array;
  readonly overHeight: Float64Array;
  readonly overUnit: Float64Array;
  /** [n]: coefficients over x, and the corner of the box where they are largest. */
  readonly overInput: Float64Array;
  readonly corner: Float64Array;
  /** [U]: h, r, d, p, g that attain the bound at the corner. */
  readonly height: Float64Array;
  readonly unit: Float64Array;
  readonly derivative: Float64Array;
  readonly gradient: Float64Array;
  readonly gated: Float64Array;
  /** [U]: what is left over d. */
  readonly overDerivative: Float64Array;
  /** [n]: chords of |J_j|. */
  readonly slopes: Float64Array;
  /** [U]: coefficients to begin with. */
  readonly start: Float64Array;
  /** [4][U]. */
  readonly multipliers: Float64Array;
  readonly best: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
  /** [n]: bounds of J. */
  readonly entryLower: Float64Array;
  readonly entryUpper: Float64Array;
  /** [n]: ends of a piece's box; where h was last brought up to date, and by how much it moved. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly reached: Float64Array;
  readonly moved: Float64Array;
  /** [U]: what x adds to h there. */
  readonly byInputs: Float64Array;
  /** [n]: entries that are asked for; what kernels find of them, [n][4]. */
  readonly asked: Int32Array;
  readonly found: Float64Array;
  /** [U]: of the objective, for kernels; [U + n][8]. */
  readonly seed: Float64Array;
  readonly charges: Float64Array;
  readonly laneSlopes: Float64Array;
  /** [4][U + n]: lines of r and x at the places of `Region.upward`. */
  readonly upwardLines: Float64Array;
  /** Lines of g = p d over the piece: below and above, slope and intercept, [4][U]. */
  readonly lines: Float64Array;
  /** [8]: upper bounds of -h, h for the last rows, by lane. */
  readonly mosts: Float64Array;
  /** [U][n], [U]: what the last rows had over x: h_u is at most above_u . x + constant, at least below_u . x + constant. */
  readonly rowsAbove: Float64Array;
  readonly rowsBelow: Float64Array;
  readonly constantsAbove: Float64Array;
  readonly constantsBelow: Float64Array;
  /** [U]: what a split may take from a unit's relaxation; [n]: a box that is tried. */
  readonly weights: Float64Array;
  readonly lookLower: Float64Array;
  readonly lookUpper: Float64Array;
}

/** Throws: `RangeError` for a second workspace of a region. */
export function workspaceOf({ width, features, vectors }: Region): Workspace {
  const units = (count = 1) => vectors.take(count * width), inputs = (count = 1) => vectors.take(count * features);
  return {
    row: units(),
    overGated: units(),
    overGradient: units(),
    overHeight: units(),
    overUnit: units(),
    overInput: inputs(),
    corner: inputs(),
    height: units(),
    unit: units(),
    derivative: units(),
    gradient: units(),
    gated: units(),
    overDerivative: units(),
    slopes: inputs(),
    start: units(),
    multipliers: units(4),
    best: units(4),
    mean: units(4),
    square: units(4),
    entryLower: inputs(),
    entryUpper: inputs(),
    lower: inputs(),
    upper: inputs(),
    reached: inputs(),
    moved: inputs(),
    byInputs: units(),
    asked: vectors.takeIndices(Math.max(features, width)),
    found: vectors.take(4 * Math.max(features, width)),
    seed: units(),
    charges: units(),
    laneSlopes: vectors.take(8 * (width + features)),
    upwardLines: vectors.take(4 * (width + features)),
    lines: units(4),
    // No kernel reads these.
    mosts: new Float64Array(8),
    rowsAbove: new Float64Array(features * width),
    rowsBelow: new Float64Array(features * width),
    constantsAbove: new Float64Array(width),
    constantsBelow: new Float64Array(width),
    weights: new Float64Array(width),
    lookLower: new Float64Array(features),
    lookUpper: new Float64Array(features),
  };
}
