import { multiplyDown, multiplyUp, nextDown, nextUp } from "../numeric/rounding.ts";
import type { ElementwiseOperator } from "./operator.ts";

/**
 * g = p d with p in [a, b] and d free in the Clarke derivative range [d-, d+] of an activation: the one operator that the
 * graph of the Jacobian adds, for all activations.
 *
 * max(d- p, d+ p) is convex in p and min(d- p, d+ p) concave, so their chords over [a, b] are the tightest lines; where
 * the sign of p is known they are d+ p and d- p themselves and tighter bounds of p change nothing. With the rule
 * "constant" (RecurJac) the lines have slope 0 where p may change sign.
 * Source: [Shi22, section 3.3] for [0, 1]; shared/README.md (7).
 */
export const derivativeProduct: ElementwiseOperator = {
  kind: "elementwise",
  counts: false,

  image(box, { range }) {
    const size = box.lower.length;
    const lower = new Float64Array(size);
    const upper = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const small = range!.lower[i];
      const large = range!.upper[i];
      // Bilinear: the extremes are at the vertices (where d >= 0 the first of each pair decides).
      lower[i] = Math.min(least(box.lower[i], small, large), least(box.upper[i], small, large));
      upper[i] = -Math.min(least(-box.upper[i], small, large), least(-box.lower[i], small, large));
    }
    return { lower, upper };
  },

  undetermined: (box, { range }, i) => range!.lower[i] < range!.upper[i] && box.lower[i] < 0 && box.upper[i] > 0,

  relax(box, { range, rule }) {
    const size = box.lower.length;
    const lowerSlope = new Float64Array(size);
    const lowerIntercept = new Float64Array(size);
    const upperSlope = new Float64Array(size);
    const upperIntercept = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const a = box.lower[i];
      const b = box.upper[i];
      const small = range!.lower[i];
      const large = range!.upper[i];
      if (small === large || a >= 0) {
        lowerSlope[i] = small;
        upperSlope[i] = large;
      } else if (b <= 0) {
        lowerSlope[i] = large;
        upperSlope[i] = small;
      } else {
        const width = b - a;
        if (rule === "chord" && width < Infinity) {
          upperSlope[i] = (large * b - small * a) / width;
          lowerSlope[i] = (small * b - large * a) / width;
        }
        const above = upperSlope[i];
        const below = lowerSlope[i];
        // Least intercepts from the vertices (a, d-), (a, d+), (b, d-), (b, d+); a < 0 < b picks the two that matter.
        upperIntercept[i] = Math.max(
          multiplyUp(differenceUp(large, above), b),
          multiplyUp(differenceDown(small, above), a),
        );
        lowerIntercept[i] = Math.min(
          multiplyDown(differenceDown(small, below), b),
          multiplyDown(differenceUp(large, below), a),
        );
      }
    }
    return { lowerSlope, lowerIntercept, upperSlope, upperIntercept };
  },
};

/** min over d in [small, large] of d a, rounded down; 0 where d is 0, whatever a is. */
function least(a: number, small: number, large: number): number {
  const d = a < 0 ? large : small;
  return d === 0 ? 0 : multiplyDown(d, a);
}

/** x - y rounded up; exact where nothing is subtracted. */
function differenceUp(x: number, y: number): number {
  return y === 0 ? x : nextUp(x - y);
}

function differenceDown(x: number, y: number): number {
  return y === 0 ? x : nextDown(x - y);
}
