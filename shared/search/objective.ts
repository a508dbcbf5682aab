import type { Box } from "../numeric/box.ts";
import { FLOOR, INFLATION, type Region } from "./region.ts";

/** What is maximised over the region: with c a row over the outputs and J the gradient of c . f. */
export type Aim =
  /** The l1 norm of J. */
  | { readonly kind: "norm"; readonly row: Float64Array }
  /** One entry of J. */
  | { readonly kind: "entry"; readonly row: Float64Array; readonly feature: number }
  /**
   * c . f itself; or with `among` the least of these outputs: any c that combines them convexly bounds it from above,
   * the row is the one to begin with.
   */
  | { readonly kind: "value"; readonly row: Float64Array; readonly among?: readonly number[] };

/**
 * An aim over a region: p_u = seed_u + sum_{w > u} columns_uw d_w p_w, J = direct + sum_w byFeature_w d_w p_w,
 * c . f = constant + direct . x + seed . r.
 */
export interface Objective {
  readonly aim: Aim;
  /** [U], [n] and a number: c's combination of the outputs' rows. */
  readonly seed: Float64Array;
  readonly direct: Float64Array;
  readonly constant: number;
  /** The magnitudes of their terms. */
  readonly seedCharges: Float64Array;
  readonly directCharges: Float64Array;
  readonly constantCharge: number;
  /** [U]: at least |p_u| and the magnitudes of its terms; [n]: those of J. */
  readonly charges: Float64Array;
  readonly entryCharges: Float64Array;
  /** What one step of a walk over p, g, h and x may lose to underflow. */
  readonly underflow: number;
  /** Proved bounds of J over the region. */
  readonly entries: Box;
  /** The outputs an aim is `among`, each on its own. */
  readonly among: readonly Objective[];
}

/** `entries` are bounds of J that are known already; null: none are. */
export function objectiveOf(region: Region, aim: Aim, entries: Box | null): Objective {
  const { network, width, features, share, columnCharges, featureCharges } = region;
  const { outputs, inputWeights, unitWeights, bias, inputMagnitudes, unitMagnitudes, biasMagnitudes } = network;
  const seed = new Float64Array(width), seedCharges = new Float64Array(width);
  const direct = new Float64Array(features), directCharges = new Float64Array(features);
  let constant = 0, constantCharge = 0;
  for (let k = 0; k < outputs; k++) {
    const c = aim.row[k], size = Math.abs(c), row = width + k;
    if (c === 0) continue;
    for (let u = 0, at = row * width; u < width; u++, at++) {
      seed[u] += c * unitWeights[at];
      seedCharges[u] += termOf(size, Math.abs(unitWeights[at]) + share * unitMagnitudes[at]);
    }
    for (let j = 0, at = row * features; j < features; j++, at++) {
      direct[j] += c * inputWeights[at];
      directCharges[j] += termOf(size, Math.abs(inputWeights[at]) + share * inputMagnitudes[at]);
    }
    constant += c * bias[row];
    constantCharge += termOf(size, Math.abs(bias[row]) + share * biasMagnitudes[row]);
  }
  const charges = new Float64Array(width);
  for (let u = width - 1; u >= 0; u--) charges[u] = sumOf(seedCharges[u], columnCharges, u * width, charges);
  const entryCharges = directCharges.map((one, j) => sumOf(one, featureCharges, j * width, charges));
  const known = entries
    ? { lower: entries.lower.slice(), upper: entries.upper.slice() }
    : { lower: entryCharges.map((size) => -size), upper: entryCharges.slice() };
  return {
    aim,
    seed,
    direct,
    constant,
    seedCharges,
    directCharges,
    constantCharge,
    charges,
    entryCharges,
    underflow: region.underflow * charges.reduce((a, b) => (a > b ? a : b), 1),
    entries: known,
    among: aim.kind === "value" ? (aim.among ?? []).map((k) => objectiveOf(region, outputAim(outputs, k), null)) : [],
  };
}

/** The value of one output. */
function outputAim(outputs: number, k: number): Aim {
  const row = new Float64Array(outputs);
  row[k] = 1;
  return { kind: "value", row };
}

/** The magnitudes of all terms of a value, over the region. */
export function valueCharge({ width, features, network: { upper, reach } }: Region, objective: Objective): number {
  const { constantCharge, seedCharges, directCharges } = objective;
  let charge = constantCharge;
  for (let u = 0; u < width; u++) if (seedCharges[u] > 0) charge += seedCharges[u] * Math.max(0, upper[u]);
  for (let j = 0; j < features; j++) charge += directCharges[j] * reach[j];
  return charge * 1.000001;
}

/** A product of magnitudes: 0 only where one of them is. */
function termOf(size: number, other: number): number {
  return size === 0 || other === 0 ? 0 : size * other + FLOOR;
}

function sumOf(first: number, table: Float64Array, from: number, factors: Float64Array): number {
  let sum = first;
  for (let u = 0; u < factors.length; u++) {
    sum += termOf(table[from + u], factors[u]);
  }
  return sum * INFLATION;
}

/**
 * The objective as a piece sees it: charges of p and J over the units that are not inactive there. Where nothing is left of a
 * gradient its charge is 0, and what is exactly 0 stays so.
 */
export function aliveOn(region: Region, objective: Objective, phases: Int8Array): Objective {
  const { width, columnCharges, featureCharges } = region, { seedCharges, directCharges } = objective;
  const charges = new Float64Array(width), alive = new Float64Array(width);
  for (let u = width - 1; u >= 0; u--) {
    charges[u] = sumOf(seedCharges[u], columnCharges, u * width, alive);
    if (phases[u] >= 0) alive[u] = charges[u];
  }
  return {
    ...objective,
    charges,
    entryCharges: directCharges.map((one, j) => sumOf(one, featureCharges, j * width, alive)),
  };
}
