/** Sums over a piece's g, p, r, h and x, bounded over the rationals from coefficients that are data. */
import {
  add,
  compare,
  type Exact,
  exact,
  maximum,
  multiply,
  negate,
  sign,
  toNumber,
  ZERO,
} from "../../exact/dyadic.ts";
import type { ExactCondensed } from "./exact_condensed.ts";

/** null: infinite. */
export interface Ends {
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
}

/** What is known of a piece. */
export interface Known {
  readonly box: Ends;
  readonly phases: readonly number[];
  readonly heights: Ends;
  readonly gradients: Ends;
}

/** constant + gated . g + units . r + inputs . x; p_u begins with seed_u. */
export interface ExactSum {
  readonly constant: Exact;
  readonly gated: readonly Exact[];
  readonly units: readonly Exact[];
  readonly inputs: readonly Exact[];
  readonly seed: readonly Exact[];
}

export interface SumBound {
  /** null: infinite. */
  readonly most: Exact | null;
  /** Coefficients over x; without them and g the sum is at most `rest`. */
  readonly overInput: readonly Exact[];
}

/** The bound that coefficients over p and h give: the sum and 0 = q (what p is - p) + E (what h is - h), unit by unit. */
export function boundOf(
  { width, features, inputs, units, bias }: ExactCondensed,
  { box, phases, heights, gradients }: Known,
  sum: ExactSum,
  q: readonly number[],
  e: readonly number[],
): SumBound {
  let total: Exact | null = sum.constant;
  const plus = (term: Exact | null) => total = total && term && add(total, term);
  for (let u = 0; u < width; u++) {
    plus(multiply(exact(q[u]), sum.seed[u]));
    plus(multiply(exact(e[u]), bias[u]));
    const overGated = add(sum.gated[u], dot(q, (v) => (v < u ? units[u][v] : ZERO)));
    const overUnit = add(sum.units[u], dot(e, (v) => (v > u ? units[v][u] : ZERO)));
    const [minusQ, minusE] = [negate(exact(q[u])), negate(exact(e[u]))];
    const l = heights.lower[u], h = heights.upper[u], phase = phases[u], branches: (Exact | null)[] = [];
    const p = [gradients.lower[u], gradients.upper[u]] as const;
    if (phase >= 0) {
      branches.push(
        both(most(add(overGated, minusQ), ...p), most(add(overUnit, minusE), l! > 0 && phase > 0 ? l : 0, h)),
      );
    }
    if (phase <= 0) branches.push(both(most(minusQ, ...p), most(minusE, l, h! < 0 && phase < 0 ? h : 0)));
    plus(branches.reduce((a, b) => a && b && maximum(a, b)));
  }
  const overInput = Array.from({ length: features }, (_, j) => add(sum.inputs[j], dot(e, (v) => inputs[v][j])));
  overInput.forEach((c, j) => plus(most(c, box.lower[j], box.upper[j])));
  return { most: total, overInput };
}

/** sum factors_at column(at) */
export function dot(factors: readonly number[], column: (at: number) => Exact): Exact {
  return factors.reduce((sum, c, at) => (c === 0 ? sum : add(sum, multiply(exact(c), column(at)))), ZERO);
}

function both(a: Exact | null, b: Exact | null): Exact | null {
  return a && b && add(a, b);
}

/** The largest c z for z in [low, high]; null where it is infinite. */
export function most(c: Exact, low: number | null, high: number | null): Exact | null {
  if (sign(c) === 0) return ZERO;
  const end = sign(c) > 0 ? high : low;
  return end === null ? null : multiply(c, exact(end));
}

/** sign h_unit by its row: each r below takes the line that lies above the sum, its lower slope or its chord. */
export function rowBound(
  numbers: ExactCondensed,
  known: Known,
  unit: number,
  direction: number,
  lowerSlopes: readonly number[],
): SumBound {
  const { width, units, inputs, bias } = numbers, { phases, heights } = known;
  const zeros = new Array<Exact>(width).fill(ZERO), one = exact(direction);
  const sum: ExactSum = {
    constant: multiply(one, bias[unit]),
    gated: zeros,
    units: units[unit].map((w) => multiply(one, w)),
    inputs: inputs[unit].map((w) => multiply(one, w)),
    seed: zeros,
  };
  const e = new Array<number>(width).fill(0);
  for (let v = unit - 1; v >= 0; v--) {
    const over = toNumber(add(sum.units[v], dot(e, (w) => (w > v ? units[w][v] : ZERO))));
    const l = heights.lower[v]!, h = heights.upper[v]!, slope = over < 0 ? lowerSlopes[v] : h / (h - l);
    e[v] = over * (phases[v] !== 0 ? (phases[v] > 0 ? 1 : 0) : clamped(slope));
  }
  return boundOf(numbers, known, sum, new Array<number>(width).fill(0), e);
}

/** constant + gated . g by rows: each g takes the line of (7) that lies above the sum; by intervals: its own range. */
export function gatedBound(
  numbers: ExactCondensed,
  known: Known,
  sum: Pick<ExactSum, "constant" | "gated" | "seed">,
  by: "rows" | "intervals",
): Exact | null {
  const { width, features, units } = numbers, { phases, gradients } = known;
  const zeros = new Array<Exact>(width).fill(ZERO), q = new Array<number>(width).fill(0);
  for (let w = 0; by === "rows" && w < width; w++) {
    const over = toNumber(add(sum.gated[w], dot(q, (v) => (v < w ? units[w][v] : ZERO))));
    const a = gradients.lower[w]!, b = gradients.upper[w]!, up = over > 0;
    const slope = a >= 0 ? Number(up) : b <= 0 ? Number(!up) : clamped((up ? b : -a) / (b - a));
    q[w] = over * (phases[w] !== 0 ? (phases[w] > 0 ? 1 : 0) : slope);
  }
  const all = { ...sum, units: zeros, inputs: new Array<Exact>(features).fill(ZERO) };
  return boundOf(numbers, known, all, q, new Array<number>(width).fill(0)).most;
}

export function negated(sum: Pick<ExactSum, "constant" | "gated" | "seed">): typeof sum {
  const [constant, gated, seed] = [negate(sum.constant), sum.gated.map(negate), sum.seed];
  return { constant, gated, seed };
}

function clamped(slope: number): number {
  return slope > 0 ? Math.min(1, slope) : 0;
}

/** Whether a number is at least one of these, of which null is infinite. */
export function isAbove(bound: number | null, ...least: readonly (Exact | number | null)[]): boolean {
  if (bound === null) return true;
  return least.some((one) => one !== null && compare(typeof one === "number" ? exact(one) : one, exact(bound)) <= 0);
}
