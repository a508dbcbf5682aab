/** What is known of the largest radius at which a property holds, and which radius to try next. No rounding matters here. */

/** A property that holds at a radius holds at every smaller one; one that is refuted is so at every larger one. */
export interface Bracket {
  /** The largest radius proved, and the smallest refuted, among those tried or reached by a point. */
  readonly certified: number | null;
  readonly refuted: number | null;
  /** Radii that were tried and left open. */
  readonly open: readonly number[];
}

/** First the largest radius, then 0: most of what follows depends on whether anything holds at all. */
const FACTOR = 8;
/** Its natural logarithm, rounded up: what two radii of that ratio lie apart. */
const WIDEST = 2.08;
/** Divisions by {@link FACTOR} that are allowed for until something is proved above 0. */
const DESCENTS = 6;

/**
 * The radius to try next; null: the bracket is as narrow as `gap` asks, or what lies inside it was tried and is open.
 *
 * Two edges are sought, one after the other: the largest radius that can be proved, then the smallest that can be refuted.
 */
export function nextRadius({ certified, refuted, open }: Bracket, max: number, gap: number): number | null {
  if (certified === null && refuted === null && open.length === 0) return max;
  if (certified === max) return null;
  const most = refuted ?? Infinity;
  if (certified === null && most > 0 && !open.includes(0)) return 0;
  const proved = certified ?? 0;
  if (certified !== null) {
    const next = between(proved, open.reduce((least, r) => r > proved ? Math.min(least, r) : least, most), gap);
    if (next !== null) return next;
  }
  if (refuted === null) return null;
  return between(open.reduce((largest, r) => r < most ? Math.max(largest, r) : largest, proved), most, gap);
}

/** The middle by ratio of two radii that lie further apart than the gap; null where they do not. */
function between(low: number, high: number, gap: number): number | null {
  if (!(high - low > gap * high)) return null;
  return low === 0 ? high / FACTOR : Math.sqrt(low) * Math.sqrt(high);
}

/** The most radii that are tried: both ends, some divisions, and the halvings of two ratios up to {@link FACTOR}. */
export function mostSteps(gap: number): number {
  let halvings = 0;
  for (let width = WIDEST; width > gap; width /= 2) halvings++;
  return 2 + DESCENTS + 2 * halvings;
}

/** How far the two radii lie apart, relative to the larger: 0 where the answer is exact, null where one is missing. */
export function radiusGap(certified: number | null, refuted: number | null, max: number): number | null {
  if (certified === max || refuted === 0) return 0;
  return certified === null || refuted === null ? null : (refuted - certified) / refuted;
}
