/** Pieces of regions whose activation regions can all be enumerated, and what is exactly true over them. */
import type { Box } from "../../../shared/numeric/box.ts";
import { type Aim, type Objective, objectiveOf } from "../../../shared/search/objective.ts";
import type { Original } from "../../../shared/search/leaf.ts";
import { type Region, regionOf } from "../../../shared/search/region.ts";
import { absolute, add, type Exact, exact, maximum, sign } from "../../exact/dyadic.ts";
import { maximise, valueAt } from "../../exact/polytope.ts";
import { Random } from "../../exact/random.ts";
import { combined, type LinearRegion, negative, regionsOf, sidesOf } from "../../exact/regions.ts";
import { type TroubledNetwork, troubledNetwork } from "../../exact/troubled_networks.ts";
import { type Range, rangeOf } from "../../exact/truth.ts";
import { component, exactVector } from "../../exact/vector.ts";
import { chain, condensed, passOf } from "../condensed/networks.ts";
import { type ExactCondensed, exactCondensed, formsOf, gradientsOf, heightsAt } from "./exact_condensed.ts";

/** A part of a region: a box and phases that some activation region has. */
export interface Drawn {
  readonly name: string;
  readonly original: Original;
  readonly region: Region;
  readonly exact: ExactCondensed;
  readonly box: Box;
  readonly phases: Int8Array;
  readonly row: Float64Array;
  readonly objectives: readonly Objective[];
  readonly truths: readonly PieceTruth[];
}

/** One activation region of a piece. `signs` are of h, 0 where it is 0 throughout (of a box without interior: at the point). */
export interface PieceTruth {
  readonly region: LinearRegion;
  readonly signs: readonly number[];
  readonly p: readonly Exact[];
  readonly J: readonly Exact[];
  readonly norm: Exact;
  readonly value: Exact;
}

const MOST_REGIONS = 150;

/** Pieces of network `index`; none where it has no units or too many regions. */
export function drawPieces(seed: number, index: number, count: number): Promise<Drawn[]> {
  return draw(troubledNetwork(seed, index), new Random(seed, 1_000_000 + index), count, false);
}

/** The whole region of network `index` with nothing decided, or none. */
export async function drawRegion(seed: number, index: number): Promise<Drawn | undefined> {
  return (await draw(troubledNetwork(seed, index), new Random(seed, 2_000_000 + index), 1, true))[0];
}

/** Like {@link drawRegion}: all points of a box without interior lie on kinks of the first layer. */
export async function drawKinks(seed: number, index: number): Promise<Drawn | undefined> {
  const random = new Random(seed, 3_000_000 + index), quarter = () => random.integer(-8, 8) / 4;
  const rows = random.integer(2, 4), weights = Float64Array.from({ length: 2 * rows }, quarter);
  weights[1] = 0;
  if (random.chance(0.5)) weights[3] = 0;
  const out = Float64Array.from({ length: rows }, quarter), none = new Float64Array(rows);
  const { nodes } = chain(
    2,
    [{ operator: "affine", weights, bias: none }, rows],
    [{ operator: "relu" }, rows],
    [{ operator: "affine", weights: out, bias: null }, 1],
  );
  const name = `seed ${seed} kinks ${index}`, lower = Float64Array.of(0, -1), upper = Float64Array.of(0, 1);
  return (await draw({ graph: { nodes }, lower, upper, name }, random, 1, true))[0];
}

type Network = Pick<TroubledNetwork, "graph" | "lower" | "upper" | "name">;

async function draw(
  { graph, lower, upper, name }: Network,
  random: Random,
  count: number,
  isWhole: boolean,
): Promise<Drawn[]> {
  const whole = { lower, upper };
  const pass = await passOf(graph, whole), network = condensed(pass);
  if (network.units.length === 0) return [];
  const numbers = exactCondensed(pass, network), region = regionOf(network, whole);
  const original = { graph, inputs: new Map(pass.states.map(({ boxes: [box] }, id) => [id, box])) };
  const drawn: Drawn[] = [];
  for (let k = 0; k < count; k++) {
    const box = k % 2 === 0 ? whole : partOf(random, whole);
    let regions: LinearRegion[];
    try {
      regions = regionsOf(graph, box, MOST_REGIONS);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return drawn;
    }
    const row = Float64Array.from({ length: network.outputs }, () => random.pick([1, -1, 0.5, 0, random.normal()]));
    const aims: Aim[] = [
      { kind: "norm", row },
      { kind: "entry", row, feature: random.integer(0, lower.length - 1) },
      { kind: "value", row },
    ];
    const signsOf = (one: LinearRegion) => heightsAt(numbers, one.point).map(sign);
    const chosen = signsOf(random.pick(regions)), share = isWhole ? 0 : random.pick([0, 0.3, 0.7, 1]);
    const phases = Int8Array.from(chosen, (s) => (random.chance(share) ? s || random.sign() : 0));
    const truths = regions.flatMap((one) => {
      const signs = signsOf(one);
      if (signs.some((s, u) => s * phases[u] < 0)) return [];
      // In a box without interior a sign of 0 may hide either.
      if (!region.isSolid && signs.some((s, u) => s === 0 && phases[u] !== 0)) return [];
      // Where h is 0 throughout, J is the same with either slope; elsewhere the piece leaves both.
      const pattern = signs.map((s, u) => ((phases[u] || s || random.sign()) > 0 ? 1 : 0));
      const { p } = gradientsOf(numbers, pattern, Array.from(row)),
        form = combined(one.outputs, Array.from(row, exact));
      const J = Array.from(lower, (_, j) => component(form, j));
      const norm = J.map(absolute).reduce(add);
      return [{ region: one, signs, p, J, norm, value: mostValue(one, region, box, Array.from(row)) }];
    });
    const objectives = aims.map((aim) => objectiveOf(region, aim, null));
    if (truths.length > 0) {
      drawn.push({
        name: `${name} piece ${k}`,
        original,
        region,
        exact: numbers,
        box,
        phases,
        row,
        objectives,
        truths,
      });
    }
  }
  return drawn;
}

/** The largest value of a row over an activation region; where a sign of 0 may hide another phase, its value at the point. */
function mostValue(one: LinearRegion, { isSolid }: Region, box: Box, row: readonly number[]): Exact {
  return isSolid ? rangeOf([one], box, row).most : valueAt(combined(one.outputs, Array.from(row, exact)), one.point);
}

/** A box within: some coordinates cut at eighths. */
function partOf(random: Random, { lower, upper }: Box): Box {
  const low = lower.slice(), high = upper.slice();
  lower.forEach((l, j) => {
    if (random.chance(0.4)) return;
    const step = (upper[j] - l) / 8, from = random.integer(0, 6);
    if (step > 0) [low[j], high[j]] = [l + from * step, l + random.integer(from + 1, 8) * step];
  });
  return { lower: low, upper: high };
}

/** The largest value of an aim over the piece. */
export function mostOf({ objectives, truths }: Drawn, at: number): Exact {
  const { aim } = objectives[at];
  return truths.map(({ norm, J, value }) => aim.kind === "norm" ? norm : aim.kind === "value" ? value : J[aim.feature])
    .reduce(maximum);
}

/** Ranges of h (solid regions: their forms; else the point) and of x over an activation region of the piece. */
export function rangesOf({ exact, box }: Drawn, { region: { cuts, point }, signs }: PieceTruth) {
  const walls = [...sidesOf({ lower: exactVector(box.lower), upper: exactVector(box.upper) }), ...cuts];
  const forms = formsOf(exact, signs.map((s) => (s > 0 ? 1 : 0)));
  const unit = box.lower.map((_, j) => j);
  const coordinates = Array.from(
    unit,
    (j) => exactVector(Array.from({ length: box.lower.length + 1 }, (_, i) => (i === j ? 1 : 0))),
  );
  const range = (form: typeof forms[number]): Range => ({
    least: valueAt(form, maximise(walls, negative(form), point)),
    most: valueAt(form, maximise(walls, form, point)),
  });
  return { heights: forms.map(range), inputs: coordinates.map(range) };
}
