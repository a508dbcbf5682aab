import { productAbove } from "../numeric/rounding.ts";
import type { ElementwiseOperator } from "./operator.ts";

/**
 * relu(z) = max(z, 0).
 *
 * Over l < 0 < u: above by the chord from (l, 0) to (u, u), below by alpha z with alpha = 1 if u > -l, else 0 (the line
 * that leaves the smaller area). A bound of exactly 0 is unstable for the derivative (Clarke: [0, 1] at 0) and exact for
 * the value. Source: CROWN (Zhang et al. 2018); shared/README.md (5), (6).
 */
export const relu: ElementwiseOperator = {
  kind: "elementwise",
  counts: true,

  plain: {
    value: (_node, _i, z) => positive(z),
    derivative: (_node, _i, z, step) => step(z),
    bend: (_node, _i, z, slope) => slope(z),
    steepest: () => 1,
  },

  linearPieces: () => PIECES,

  image: (box) => ({ lower: box.lower.map(positive), upper: box.upper.map(positive) }),

  undetermined: (box, _context, i) => box.lower[i] <= 0 && box.upper[i] >= 0 && box.lower[i] < box.upper[i],

  relax(box) {
    const size = box.lower.length;
    const lowerSlope = new Float64Array(size);
    const upperSlope = new Float64Array(size);
    const upperIntercept = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const l = box.lower[i];
      const u = box.upper[i];
      if (u <= 0) continue;
      if (l >= 0) {
        lowerSlope[i] = upperSlope[i] = 1;
        continue;
      }
      const chord = chordSlope(l, u);
      lowerSlope[i] = u > -l ? 1 : 0;
      upperSlope[i] = chord;
      // The gap sigma(z) - s z is convex: largest at an end, -s l at l and (1 - s) u at u.
      upperIntercept[i] = Math.max(productAbove(chord, -l), productAbove(1 - chord, u));
    }
    return { lowerSlope, lowerIntercept: new Float64Array(size), upperSlope, upperIntercept };
  },

  derivative(box, phases) {
    const size = box.lower.length;
    const lower = new Float64Array(size);
    const upper = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const phase = phases?.[i] ?? 0;
      lower[i] = phase > 0 || (phase === 0 && box.lower[i] > 0) ? 1 : 0;
      upper[i] = phase < 0 || (phase === 0 && box.upper[i] < 0) ? 0 : 1;
    }
    return { lower, upper };
  },
};

const PIECES = { kinks: [0], slopes: [0, 1], constants: [0, 0] };

function positive(z: number): number {
  return z > 0 ? z : 0;
}

/** u / (u - l) in [0, 1]; any number in [0, 1] is sound, so its rounding needs no care. */
function chordSlope(l: number, u: number): number {
  const slope = u / (u - l);
  return slope >= 0 && slope <= 1 ? slope : 0;
}
