import { type Box, midpoint } from "../numeric/box.ts";
import { descend, standBest } from "./descend.ts";
import { climb, type Dictionary, type Outcome } from "./dictionary.ts";
import { type Frame, frameOf, missedBy, multipliersOf, pointOf } from "./frame.ts";
import type { HalfSpaces } from "./half_spaces.ts";

/**
 * The point farthest inside and the multipliers that say why there is none farther. All of it is a proposal: `empty.ts`
 * and `exact_leaf.ts` prove what they use.
 */
export interface Roomiest {
  readonly point: Float64Array;
  /** y >= 0 with sum y_i scale_i = 1 (near it): the largest value of sum y_i (a_i . x + b_i) on the box is `room`. */
  readonly multipliers: Float64Array;
  /** min over i of (a_i . x + b_i) / scale_i at the point; Infinity where no half-space moves over the box. */
  readonly room: number;
  readonly outcome: Outcome;
}

/**
 * Maximises t with a_i . x + b_i >= t scale_i over x in the box; scale_i as in `scalesOf`.
 *
 * A half-space that is constant on the box (scale 0) is left out where it holds; where it is missed it alone is the answer:
 * its multiplier is 1, `room` its value. With `enough` the climb goes from point to point and ends at the first that has
 * so much room; without it the optimum is approached from multipliers to multipliers, and where a limit ends that early `room` is
 * above the optimum and the point of no use. Deterministic. Infinite boxes give nothing of use.
 * Cost: 2 m n flops a pivot, most often fewer than 2 m pivots; memory 8 m n bytes.
 */
export function roomiest(halfSpaces: HalfSpaces, box: Box, limits: RoomLimits = {}): Roomiest {
  const frame = frameOf(halfSpaces, box);
  if (frame.missed >= 0) return constantMiss(frame);
  if (frame.rows.length === 0) {
    return {
      point: midpoint(box),
      multipliers: new Float64Array(frame.scales.length),
      room: Infinity,
      outcome: "optimal",
    };
  }
  const steps = limits.steps ?? stepsFor(frame), enough = limits.enough ?? Infinity;
  const dictionary = roomDictionary(frame);
  const outcome = enough === Infinity
    ? settle(dictionary, steps, limits.below ?? -Infinity)
    : climb(dictionary, { steps, enough });
  return {
    point: pointOf(frame, dictionary),
    multipliers: multipliersOf(frame, dictionary),
    room: dictionary.table[dictionary.m * (dictionary.n + 1) + dictionary.n],
    outcome,
  };
}

/** Down to a point, then up by what rounding left. */
function settle(dictionary: Dictionary, steps: number, below: number): Outcome {
  standBest(dictionary);
  const { outcome } = descend(dictionary, steps, below);
  return outcome === "optimal"
    ? climb(dictionary, { steps, enough: Infinity })
    : outcome === "enough"
    ? outcome
    : "open";
}

/** What ends a search for room before the optimum; nothing does where it is left out. */
export interface RoomLimits {
  /** The most pivots. */
  readonly steps?: number;
  /** A point with more room than this will do: goes from point to point. */
  readonly enough?: number;
  /** Multipliers whose `room` is below this will do (with `enough` they are not looked for). */
  readonly below?: number;
}

/** A limit that only trouble reaches. */
export function stepsFor({ rows, coordinates }: Frame): number {
  return 20 * (rows.length + coordinates.length) + 200;
}

/** The answer where a constant half-space is missed. */
export function constantMiss(frame: Frame): Roomiest {
  return {
    point: midpoint(frame.box),
    multipliers: new Float64Array(frame.scales.length).fill(1, frame.missed, frame.missed + 1),
    room: missedBy(frame),
    outcome: "optimal",
  };
}

/** t stands in the objective's row from the start: it replaces the slack of the row that is missed most in the corner. */
function roomDictionary({ rows, coordinates, flipped, table: raw }: Frame): Dictionary {
  const structural = coordinates.length, width = structural + 1;
  let least = 0;
  for (let r = 1; r < rows.length; r++) {
    if (raw[r * width + structural] < raw[least * width + structural]) least = r;
  }
  const m = rows.length - 1, n = structural + 1, stride = n + 1;
  const table = new Float64Array((m + 1) * stride), basic = new Int32Array(m);
  for (let r = 0, i = 0; r < rows.length; r++) {
    if (r === least) continue;
    const to = i * stride;
    for (let k = 0; k < structural; k++) table[to + k] = raw[r * width + k] - raw[least * width + k];
    table[to + structural] = 1;
    table[to + n] = raw[r * width + structural] - raw[least * width + structural];
    basic[i++] = structural + r;
  }
  for (let k = 0; k < structural; k++) table[m * stride + k] = raw[least * width + k];
  table[m * stride + structural] = -1;
  table[m * stride + n] = raw[least * width + structural];
  return {
    m,
    n,
    table,
    basic,
    columns: columnsOf(structural, structural + least),
    structural,
    flipped: flipped.slice(),
  };
}

/** The columns of a dictionary: the coordinates and one variable more. */
export function columnsOf(structural: number, last: number): Int32Array {
  const columns = new Int32Array(structural + 1);
  for (let k = 0; k < structural; k++) columns[k] = k;
  columns[structural] = last;
  return columns;
}
