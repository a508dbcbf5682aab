import type { ClipNode, Node } from "../graph.ts";
import { addDown, addUp, multiplyDown, multiplyUp } from "../numeric/rounding.ts";
import type { ElementwiseOperator } from "./operator.ts";

/**
 * clip(z) = min(max(z, lo), hi), with ends of its own for every neuron, which may be infinite.
 *
 * Convex at lo, concave at hi. Over [l, u] the line above is, with hi inside, the one through (l, clip(l)) and (hi, hi) or
 * the constant hi, whichever leaves the smaller area, else the chord; the line below mirrored at lo. All intercepts come
 * from the vertices l, lo, hi, u, so the slopes need no care. A bound exactly on a kink is unstable for the derivative;
 * lo = hi is a constant. Source: shared/README.md (16).
 */
export const clip: ElementwiseOperator = {
  kind: "elementwise",
  counts: true,

  plain: {
    value: (node, i, z) => valueAt(clipped(node), i, z),
    derivative: (node, i, z, step) => step(z - clipped(node).lower[i]) - step(z - clipped(node).upper[i]),
    bend: (node, i, z, slope) => slope(z - clipped(node).lower[i]) - slope(z - clipped(node).upper[i]),
    steepest: () => 1,
  },

  linearPieces(node, i) {
    const { lower: { [i]: lo }, upper: { [i]: hi } } = clipped(node);
    if (lo === hi) return { kinks: [], slopes: [0], constants: [lo] };
    const [below, above] = [lo > -Infinity, hi < Infinity];
    return {
      kinks: [...below ? [lo] : [], ...above ? [hi] : []],
      slopes: [...below ? [0] : [], 1, ...above ? [0] : []],
      constants: [...below ? [lo] : [], 0, ...above ? [hi] : []],
    };
  },

  image(box, { node }) {
    const ends = clipped(node);
    return {
      lower: box.lower.map((l, i) => valueAt(ends, i, l)),
      upper: box.upper.map((u, i) => valueAt(ends, i, u)),
    };
  },

  undetermined(box, { node }, i) {
    const { lower, upper } = clipped(node);
    const [l, u] = [box.lower[i], box.upper[i]];
    return l < u && lower[i] < upper[i] && (isKink(lower[i], l, u) || isKink(upper[i], l, u));
  },

  relax(box, { node }) {
    const ends = clipped(node);
    const size = ends.size;
    const lowerSlope = new Float64Array(size);
    const lowerIntercept = new Float64Array(size);
    const upperSlope = new Float64Array(size);
    const upperIntercept = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const [l, u, lo, hi] = [box.lower[i], box.upper[i], ends.lower[i], ends.upper[i]];
      if (u <= lo || l >= hi) {
        lowerIntercept[i] = upperIntercept[i] = u <= lo ? lo : hi;
        continue;
      }
      if (l >= lo && u <= hi) {
        lowerSlope[i] = upperSlope[i] = 1;
        continue;
      }
      const [atL, atU] = [valueAt(ends, i, l), valueAt(ends, i, u)];
      // The line through the kink leaves less than the constant if its middle is on the constant's near side.
      const above = u <= hi ? slopeOf(atU - atL, u - l) : hi - l > u - hi ? slopeOf(hi - atL, hi - l) : 0;
      const below = l >= lo ? slopeOf(atU - atL, u - l) : u - lo > lo - l ? slopeOf(atU - lo, u - lo) : 0;
      upperSlope[i] = above;
      lowerSlope[i] = below;
      upperIntercept[i] = Math.max(gapUp(atL, above, l), gapUp(atU, above, u));
      lowerIntercept[i] = Math.min(gapDown(atL, below, l), gapDown(atU, below, u));
      for (const kink of [lo, hi]) {
        if (!(kink > l && kink < u)) continue;
        upperIntercept[i] = Math.max(upperIntercept[i], gapUp(kink, above, kink));
        lowerIntercept[i] = Math.min(lowerIntercept[i], gapDown(kink, below, kink));
      }
    }
    return { lowerSlope, lowerIntercept, upperSlope, upperIntercept };
  },

  piece(phase, node, i) {
    const { lower, upper } = clipped(node);
    if (phase === 2) return [upper[i], Infinity];
    return phase === 1 ? [lower[i], upper[i]] : [-Infinity, lower[i]];
  },

  derivative(box, phases, node) {
    const ends = clipped(node);
    const lower = new Float64Array(ends.size);
    const upper = new Float64Array(ends.size);
    for (let i = 0; i < ends.size; i++) {
      const [l, u, lo, hi] = [box.lower[i], box.upper[i], ends.lower[i], ends.upper[i]];
      if (lo === hi) continue;
      const phase = phases?.[i] ?? 0;
      const middle = phase === 1 || (phase === 0 && (l > lo || lo === -Infinity) && (u < hi || hi === Infinity));
      const flat = phase === -1 || phase === 2 || (phase === 0 && (u < lo || l > hi));
      lower[i] = middle ? 1 : 0;
      upper[i] = flat ? 0 : 1;
    }
    return { lower, upper };
  },
};

function clipped(node: Node | undefined): ClipNode {
  if (node?.operator !== "clip") throw new RangeError("clip needs its node");
  return node;
}

function valueAt({ lower, upper }: ClipNode, i: number, z: number): number {
  return Math.min(Math.max(z, lower[i]), upper[i]);
}

/** Is an end of the clip a kink inside [l, u], its bounds included? */
function isKink(end: number, l: number, u: number): boolean {
  return Math.abs(end) < Infinity && l <= end && end <= u;
}

/** Any finite slope is sound; 0 where the quotient overflows. */
function slopeOf(rise: number, run: number): number {
  const slope = rise / run;
  return Math.abs(slope) < Infinity ? slope : 0;
}

/** value - slope z rounded up; exact for slopes 0 and 1 where the difference is. */
function gapUp(value: number, slope: number, z: number): number {
  return addUp(value, multiplyUp(-slope, z));
}

function gapDown(value: number, slope: number, z: number): number {
  return addDown(value, multiplyDown(-slope, z));
}
