/** A record of a search, derived again over the rationals from the true numbers of the condensed network. */
import type { PieceRecord, SearchRecord } from "../../../shared/certificate/search_record.ts";
import { boundsOfTrees, brokenRecord } from "../../../shared/certificate/search_record.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import { searchRegion } from "../../../shared/search/search.ts";
import {
  add,
  compare,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  maximum,
  multiply,
  negate,
  sign,
  subtract,
  toNumber,
  ZERO,
} from "../../exact/dyadic.ts";
import { component } from "../../exact/vector.ts";
import { type ExactCondensed, formsOf, heightsAt } from "./exact_condensed.ts";
import type { Drawn } from "./pieces.ts";

interface Ends {
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
}

/** A piece with everything that its record leaves to those above it. */
interface Resolved {
  readonly box: Ends;
  readonly phases: readonly number[];
  readonly heights: Ends;
  readonly gradients: Ends;
  readonly entries: Ends;
  readonly bound: number;
}

/** constant + gated . g + units . r + inputs . x */
interface ExactSum {
  readonly constant: Exact;
  readonly gated: readonly Exact[];
  readonly units: readonly Exact[];
  readonly inputs: readonly Exact[];
  readonly seed: readonly Exact[];
}

const NOTHING = { lower: [], upper: [] };

/** A search of all aims of a region from nothing, recorded. */
export function recordedSearch({ original, region, objectives }: Drawn, max_nodes: number, isRecorded = true) {
  const { box, network } = region;
  return withRun([original.graph], { kernels: referenceKernels() }, (run) =>
    searchRegion({
      original,
      box,
      network,
      asked: objectives.map(({ aim }) => ({ aim, upper: Infinity, lower: -Infinity, entries: null })),
      proved: objectives.map(() => ({ lower: -Infinity, point: null })),
      goal: { kind: "each" },
      limits: { max_nodes, gap: 0 },
      isRecorded,
      place: (point) => point,
      run,
    }));
}

/** Everything that is wrong with a record of a region, whose trees are claimed to have these bounds. */
export function falseRecord(drawn: Drawn, record: SearchRecord, uppers: readonly number[]): string[] {
  const broken = brokenRecord(record);
  if (broken !== null) return [broken];
  const wrong: string[] = [], resolved: Resolved[] = [];
  boundsOfTrees(record).forEach((bound, tree) => {
    if (bound !== uppers[tree]) wrong.push(`tree ${tree} has the bound ${uppers[tree]}, its pieces ${bound}`);
  });
  record.pieces.forEach((piece, at) => {
    const above = before(drawn, record, piece, resolved), found = resolve(piece, above);
    resolved.push(found);
    const say = (text: string) => wrong.push(`${drawn.name}, piece ${at} of tree ${piece.tree}: ${text}`);
    found.phases.forEach((phase, u) => above.phases[u] !== 0 && phase !== above.phases[u] && say(`phase ${u} changed`));
    found.box.lower.forEach((l, j) => {
      if (l! < above.box.lower[j]! || found.box.upper[j]! > above.box.upper[j]!) say(`its box grew along ${j}`);
    });
    if (piece.empty) falseEmptiness(drawn, piece, found).forEach(say);
    else falseBound(drawn, record, piece, found, above).forEach(say);
    falseOnTruths(drawn, piece, above, found).forEach(say);
  });
  return wrong;
}

/** What a piece begins with: that of its parent, after the cut. */
function before(
  { region }: Drawn,
  { trees }: SearchRecord,
  { tree, parent, cut }: PieceRecord,
  all: Resolved[],
): Resolved {
  if (parent === null) {
    const box = { lower: Array.from(region.box.lower), upper: Array.from(region.box.upper) };
    const phases = new Array<number>(region.width).fill(0);
    return {
      box,
      phases,
      heights: NOTHING,
      gradients: NOTHING,
      entries: NOTHING,
      bound: trees[tree].bound ?? Infinity,
    };
  }
  const above = all[parent];
  if ("unit" in cut!) return { ...above, phases: above.phases.map((phase, u) => (u === cut.unit ? cut.phase : phase)) };
  const { feature, at, side } = cut!, side_ = side === "lower" ? "upper" : "lower";
  return { ...above, box: { ...above.box, [side_]: above.box[side_].map((end, j) => (j === feature ? at : end)) } };
}

function resolve({ box, phases, heights, gradients, entries, bound }: PieceRecord, above: Resolved): Resolved {
  const lower = [...above.entries.lower], upper = [...above.entries.upper];
  entries?.features.forEach((j, i) => [lower[j], upper[j]] = [entries.lower[i], entries.upper[i]]);
  return {
    box: box ?? above.box,
    phases: phases ?? above.phases,
    heights: heights ?? above.heights,
    gradients: gradients ?? above.gradients,
    entries: { lower, upper },
    bound: bound ?? Infinity,
  };
}

function falseBound(
  { exact: numbers }: Drawn,
  { trees }: SearchRecord,
  { tree, over_gradients: q, over_heights: e }: PieceRecord,
  found: Resolved,
  above: Resolved,
): string[] {
  if (!q || !e) return found.bound === above.bound ? [] : [`its bound ${found.bound} follows from nothing`];
  const derived = boundOf(numbers, found, sumOf(numbers, trees[tree], found.entries), q, e);
  if (derived !== null && isAtMost(derived, found.bound)) return [];
  return [`its coefficients give ${derived && toNumber(derived)}, not ${found.bound}`];
}

/** The aim as a sum; of a norm with the chords over the entries' bounds. */
function sumOf(numbers: ExactCondensed, { aim, row, feature }: SearchRecord["trees"][number], entries: Ends): ExactSum {
  const { width, features, inputs, units, bias } = numbers;
  const outputs = (column: (r: number) => Exact) =>
    row.map((c, k) => multiply(exact(c), column(width + k))).reduce(add, ZERO);
  const zeros = new Array<Exact>(width).fill(ZERO), nowhere = new Array<Exact>(features).fill(ZERO);
  const seed = zeros.map((_, u) => outputs((r) => units[r][u]));
  const direct = nowhere.map((_, j) => outputs((r) => inputs[r][j]));
  if (aim === "value") return { constant: outputs((r) => bias[r]), gated: zeros, units: seed, inputs: direct, seed };
  const slopes = direct.map((_, j) => aim === "entry" ? (j === feature ? 1 : 0) : chordOf(entries, j));
  let constant = ZERO;
  slopes.forEach((s, j) => {
    constant = add(constant, multiply(exact(s), direct[j]));
    if (aim === "entry" || Math.abs(s) === 1) return;
    const [a, b] = [exact(entries.lower[j]!), exact(entries.upper[j]!)], one = exact(1);
    const atUpper = multiply(subtract(one, exact(s)), b), atLower = multiply(subtract(negate(one), exact(s)), a);
    constant = add(constant, maximum(atUpper, atLower));
  });
  const gated = zeros.map((_, u) => dot(slopes, (j) => inputs[u][j]));
  return { constant, gated, units: zeros, inputs: nowhere, seed };
}

function chordOf({ lower, upper }: Ends, j: number): number {
  const a = lower[j]!, b = upper[j]!;
  if (a >= 0) return 1;
  if (b <= 0) return -1;
  const slope = (a + b) / (b - a);
  // A slope of 1 with a below 0 would hide its height.
  if (Math.abs(slope) >= 1) throw new RangeError("the chord is as steep as its sides");
  return slope;
}

/** The bound that coefficients over p and h give: the sum and 0 = q (what p is - p) + E (what h is - h), unit by unit. */
function boundOf(
  { width, features, inputs, units, bias }: ExactCondensed,
  { box, phases, heights, gradients }: Resolved,
  sum: ExactSum,
  q: readonly number[],
  e: readonly number[],
): Exact | null {
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
  for (let j = 0; j < features; j++) {
    plus(most(add(sum.inputs[j], dot(e, (v) => inputs[v][j])), box.lower[j], box.upper[j]));
  }
  return total;
}

function dot(factors: readonly number[], column: (at: number) => Exact): Exact {
  return factors.reduce((sum, c, at) => (c === 0 ? sum : add(sum, multiply(exact(c), column(at)))), ZERO);
}

function both(a: Exact | null, b: Exact | null): Exact | null {
  return a && b && add(a, b);
}

/** The largest c z for z in [low, high]; null where it is infinite. */
function most(c: Exact, low: number | null, high: number | null): Exact | null {
  if (sign(c) === 0) return ZERO;
  const end = sign(c) > 0 ? high : low;
  return end === null ? null : multiply(c, exact(end));
}

/** A proof of emptiness that proves nothing. What an exact program decided is left to the regions. */
function falseEmptiness({ exact: numbers }: Drawn, { empty, lower_slopes }: PieceRecord, found: Resolved): string[] {
  const { width, features, units, inputs, bias } = numbers, { phases, heights, box } = found;
  if (empty!.by === "row") {
    const { unit, sign: s } = empty!;
    if (!lower_slopes) return ["its row has no slopes"];
    const zeros = new Array<Exact>(width).fill(ZERO), one = exact(s);
    const sum: ExactSum = {
      constant: multiply(one, bias[unit]),
      gated: zeros,
      units: units[unit].map((w) => multiply(one, w)),
      inputs: inputs[unit].map((w) => multiply(one, w)),
      seed: zeros,
    };
    const largest = boundOf(numbers, found, sum, zeros.map(() => 0), rowOf(numbers, sum, found, lower_slopes));
    const other = s > 0 ? heights.lower[unit] : heights.upper[unit];
    const least = phases[unit] === s ? 0 : other === null ? null : s * other;
    return largest !== null && least !== null && compare(largest, exact(least)) < 0 ? [] : ["its row proves nothing"];
  }
  if (empty!.by !== "half_spaces") return [];
  const forms = formsOf(numbers, phases.map((phase) => (phase > 0 ? 1 : 0)));
  let total = ZERO;
  const slopes = new Array<Exact>(features + 1).fill(ZERO);
  empty!.units.forEach((u, i) => {
    const y = empty!.multipliers[i];
    if (y < 0) total = exact(1);
    slopes.forEach((slope, j) => slopes[j] = add(slope, multiply(exact(y * phases[u]), component(forms[u], j))));
  });
  total = add(total, slopes[features]);
  for (let j = 0; j < features; j++) total = add(total, most(slopes[j], box.lower[j], box.upper[j])!);
  return sign(total) < 0 ? [] : ["its half-spaces meet"];
}

/** Coefficients over the h below: each takes the line of r that lies above the sum, its lower slope or its chord. */
function rowOf({ width, units }: ExactCondensed, sum: ExactSum, found: Resolved, lower: readonly number[]): number[] {
  const e = new Array<number>(width).fill(0), { phases, heights } = found;
  for (let v = width - 1; v >= 0; v--) {
    const over = toNumber(add(sum.units[v], dot(e, (w) => (w > v ? units[w][v] : ZERO))));
    const l = heights.lower[v]!, h = heights.upper[v]!, slope = over < 0 ? lower[v] : h / (h - l);
    e[v] = over * (phases[v] !== 0 ? (phases[v] > 0 ? 1 : 0) : slope > 0 ? Math.min(1, slope) : 0);
  }
  return e;
}

/** Activation regions that a piece holds before it is bounded, by a point each: they are still there, within all bounds. */
function falseOnTruths(
  { region, exact: numbers, truths }: Drawn,
  { tree, empty }: PieceRecord,
  above: Resolved,
  found: Resolved,
): string[] {
  if (!region.isSolid) return [];
  const wrong: string[] = [];
  for (const truth of truths) {
    const { region: { point }, signs, p, J } = truth;
    const x = Array.from({ length: region.features }, (_, j) => component(point, j));
    const holds = signs.every((s, u) => s !== 0 && s * above.phases[u] >= 0) && isWithin(x, above.box);
    if (!holds) continue;
    if (empty) wrong.push("it holds a region, and is found empty");
    if (empty || wrong.length > 0) break;
    if (signs.some((s, u) => s * found.phases[u] < 0)) wrong.push("a phase is wrong");
    if (!isWithin(x, found.box)) wrong.push("its box lacks a point");
    if (!isWithin(heightsAt(numbers, point), found.heights)) wrong.push("h is outside of its bounds");
    const { kind } = recordedAim(tree);
    if (kind !== "value" && !isWithin(p, found.gradients)) wrong.push("p is outside of its bounds");
    if (kind === "norm" && !isWithin(J, found.entries)) wrong.push("J is outside of its bounds");
  }
  return wrong;
}

/** Trees stand in the order of {@link Drawn}'s objectives. */
function recordedAim(tree: number): { readonly kind: "norm" | "entry" | "value" } {
  return { kind: (["norm", "entry", "value"] as const)[tree] };
}

function isWithin(values: readonly Exact[], { lower, upper }: Ends): boolean {
  return values.every((one, i) => isAtLeast(one, lower[i] ?? -Infinity) && isAtMost(one, upper[i] ?? Infinity));
}
