import type { LeakyReluNode, Node } from "../graph.ts";
import { multiplyDown, multiplyUp, productAbove } from "../numeric/rounding.ts";
import type { ElementwiseOperator } from "./operator.ts";

/**
 * leaky_relu(z) = z for z >= 0 and a z below, with a slope a of its own for every neuron: any finite number.
 *
 * For a <= 1 it is max(z, a z), convex; for a > 1 it is min(z, a z), concave. Over l < 0 < u one line is the chord from
 * (l, a l) to (u, u), the other the piece that leaves the smaller area: z if u > -l, else a z. With a = 0 all numbers are
 * relu's. A bound of exactly 0 is unstable for the derivative and exact for the value. Source: shared/README.md (15).
 */
export const leakyRelu: ElementwiseOperator = {
  kind: "elementwise",
  counts: true,

  plain: {
    value: (node, i, z) => (z > 0 ? z : leaky(node).slopes[i] * z),
    derivative: (node, i, z, step) => leaky(node).slopes[i] + (1 - leaky(node).slopes[i]) * step(z),
    bend: (node, i, z, slope) => (1 - leaky(node).slopes[i]) * slope(z),
    steepest: (node, i) => Math.max(Math.abs(leaky(node).slopes[i]), 1),
  },

  linearPieces(node, i) {
    const slope = leaky(node).slopes[i];
    return slope === 1 ? IDENTITY : { kinks: [0], slopes: [slope, 1], constants: [0, 0] };
  },

  image(box, { node }) {
    const { slopes } = leaky(node);
    const lower = new Float64Array(slopes.length);
    const upper = new Float64Array(slopes.length);
    for (let i = 0; i < slopes.length; i++) {
      const l = box.lower[i];
      const u = box.upper[i];
      lower[i] = Math.min(below(slopes[i], l), below(slopes[i], u));
      upper[i] = Math.max(above(slopes[i], l), above(slopes[i], u));
      // For a < 0 the value turns at 0; for the others 0 lies between the ends anyway.
      if (l < 0 && u > 0) {
        lower[i] = Math.min(lower[i], 0);
        upper[i] = Math.max(upper[i], 0);
      }
    }
    return { lower, upper };
  },

  undetermined: (box, { node }, i) =>
    leaky(node).slopes[i] !== 1 && box.lower[i] <= 0 && box.upper[i] >= 0 && box.lower[i] < box.upper[i],

  relax(box, { node, pieces }) {
    const { slopes } = leaky(node);
    const size = slopes.length;
    const lowerSlope = new Float64Array(size);
    const lowerIntercept = new Float64Array(size);
    const upperSlope = new Float64Array(size);
    const upperIntercept = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const l = box.lower[i];
      const u = box.upper[i];
      const a = slopes[i];
      if (l >= 0 || u <= 0 || a === 1) {
        lowerSlope[i] = upperSlope[i] = u <= 0 ? a : 1;
        continue;
      }
      const chord = chordSlope(a, l, u);
      const piece = (pieces === "slope" ? chord > 0.5 : u > -l) ? 1 : a;
      // The distance from the line s z through the kink is (s - a) (-l) at l and (1 - s) u at u: both of one sign.
      if (a < 1) {
        lowerSlope[i] = piece;
        upperSlope[i] = chord;
        upperIntercept[i] = Math.max(productAbove(chord - a, -l), productAbove(1 - chord, u));
      } else {
        upperSlope[i] = piece;
        lowerSlope[i] = chord;
        lowerIntercept[i] = -Math.max(productAbove(a - chord, -l), productAbove(chord - 1, u));
      }
    }
    return { lowerSlope, lowerIntercept, upperSlope, upperIntercept };
  },

  derivative(box, phases, node) {
    const { slopes } = leaky(node);
    const lower = new Float64Array(slopes.length);
    const upper = new Float64Array(slopes.length);
    for (let i = 0; i < slopes.length; i++) {
      const phase = phases?.[i] ?? 0;
      const active = phase > 0 || (phase === 0 && box.lower[i] > 0);
      const inactive = phase < 0 || (phase === 0 && box.upper[i] < 0);
      lower[i] = active ? 1 : inactive ? slopes[i] : Math.min(slopes[i], 1);
      upper[i] = active ? 1 : inactive ? slopes[i] : Math.max(slopes[i], 1);
    }
    return { lower, upper };
  },
};

const IDENTITY = { kinks: [], slopes: [1], constants: [0] };

function leaky(node: Node | undefined): LeakyReluNode {
  if (node?.operator !== "leaky_relu") throw new RangeError("leaky_relu needs its node");
  return node;
}

/** The value at z rounded down; its sign is that of the real value. */
function below(slope: number, z: number): number {
  if (z >= 0) return z;
  if (slope === 0) return 0;
  const value = multiplyDown(slope, z);
  return slope < 0 ? Math.max(value, 0) : value;
}

function above(slope: number, z: number): number {
  if (z >= 0) return z;
  if (slope === 0) return 0;
  const value = multiplyUp(slope, z);
  return slope > 0 ? Math.min(value, 0) : value;
}

/** (u - a l) / (u - l) between a and 1; any number between them is sound, so its rounding needs no care. */
function chordSlope(a: number, l: number, u: number): number {
  const slope = (u - a * l) / (u - l);
  return slope >= Math.min(a, 1) && slope <= Math.max(a, 1) ? slope : a;
}
