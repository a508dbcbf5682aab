import { productAbove } from "../numeric/rounding.ts";
import type { ElementwiseOperator } from "./operator.ts";

/**
 * |z|: above by its chord over [l, u], below by the line through 0 on the longer side.
 * It turns the Jacobian's entries into terms of the norm, and networks have it as an activation with the derivative
 * range [-1, 1] where the sign is not known (a bound of exactly 0 is unstable).
 * Source: [Shi22, section 3.3]; shared/README.md (8), (17).
 */
export const abs: ElementwiseOperator = {
  kind: "elementwise",
  // The norm's own |.| is in the graph of the Jacobian, which no description of a model speaks of.
  counts: true,

  plain: {
    value: (_node, _i, z) => Math.abs(z),
    derivative: (_node, _i, z, step) => 2 * step(z) - 1,
    bend: (_node, _i, z, slope) => 2 * slope(z),
    steepest: () => 1,
  },

  linearPieces: () => PIECES,

  image({ lower, upper }) {
    const size = lower.length;
    const low = new Float64Array(size);
    const high = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      low[i] = Math.max(lower[i], -upper[i], 0);
      high[i] = Math.max(upper[i], -lower[i]);
    }
    return { lower: low, upper: high };
  },

  // A bound of exactly 0 leaves nothing to gain for the lines, and rows for the norm are dear.
  undetermined: (box, _context, i) => box.lower[i] < 0 && box.upper[i] > 0,

  relax(box) {
    const size = box.lower.length;
    const lowerSlope = new Float64Array(size);
    const upperSlope = new Float64Array(size);
    const upperIntercept = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const l = box.lower[i];
      const u = box.upper[i];
      if (l >= 0) {
        lowerSlope[i] = upperSlope[i] = 1;
      } else if (u <= 0) {
        lowerSlope[i] = upperSlope[i] = -1;
      } else {
        const chord = u - l < Infinity ? (u + l) / (u - l) : 0;
        lowerSlope[i] = u > -l ? 1 : -1;
        upperSlope[i] = chord;
        upperIntercept[i] = Math.max(productAbove(1 - chord, u), productAbove(1 + chord, -l));
      }
    }
    return { lowerSlope, lowerIntercept: new Float64Array(size), upperSlope, upperIntercept };
  },

  derivative(box, phases) {
    const size = box.lower.length;
    const lower = new Float64Array(size);
    const upper = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const phase = phases?.[i] ?? 0;
      lower[i] = phase > 0 || (phase === 0 && box.lower[i] > 0) ? 1 : -1;
      upper[i] = phase < 0 || (phase === 0 && box.upper[i] < 0) ? -1 : 1;
    }
    return { lower, upper };
  },
};

const PIECES = { kinks: [0], slopes: [-1, 1], constants: [0, 0] };
