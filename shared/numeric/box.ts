/** A product of closed intervals: lower <= upper in every place and no NaN; infinite ends mean "not known". */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** The box that holds one point. */
export function pointBox(point: Float64Array): Box {
  return { lower: point, upper: point };
}

export function copyBox(box: Box): Box {
  return { lower: box.lower.slice(), upper: box.upper.slice() };
}

/** The largest magnitude in each place. */
export function magnitudes(box: Box): Float64Array {
  return box.lower.map((lower, i) => Math.max(-lower, box.upper[i]));
}

/**
 * Intersects `box` in place with [lower, upper] at one index.
 *
 * Returns false where the two do not meet: two rigorous bounds that cross prove that the domain is empty (possible only
 * in a domain with phases); the box keeps its old bound there.
 */
export function tighten(box: Box, index: number, lower: number, upper: number): boolean {
  const l = Math.max(box.lower[index], lower);
  const u = Math.min(box.upper[index], upper);
  if (!(l <= u)) return false;
  box.lower[index] = l;
  box.upper[index] = u;
  return true;
}

export function midpoint(box: Box): Float64Array {
  return box.lower.map((l, i) => Math.min(Math.max(l / 2 + box.upper[i] / 2, l), box.upper[i]));
}
