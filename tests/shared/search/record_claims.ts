/** A record of a search, derived again over the rationals from the true numbers of the condensed network. */
import type { PieceRecord, SearchRecord } from "../../../shared/certificate/search_record.ts";
import { boundsOfTrees, brokenRecord } from "../../../shared/certificate/search_record.ts";
import { withRun } from "../../../shared/bounds/run.ts";
import { referenceKernels } from "../../../shared/kernels/reference.ts";
import type { Aim } from "../../../shared/search/objective.ts";
import { searchRegion } from "../../../shared/search/search.ts";
import {
  absolute,
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
import { type ExactCondensed, formsOf, gradientsOf, heightsAt } from "./exact_condensed.ts";
import type { Drawn } from "./pieces.ts";
import { combinationOf, falseSteps, type Resolved } from "./record_steps.ts";
import { boundOf, dot, type Ends, type ExactSum, most, rowBound } from "./record_sums.ts";

const NOTHING = { lower: [], upper: [] };

type Asked = Pick<Drawn, "original" | "region" | "objectives">;

/** The aims of a region; where it has several outputs also the least of two. */
export function aimsOf({ region: { network: { outputs } }, objectives }: Asked): Aim[] {
  const aims = objectives.map(({ aim }) => aim);
  if (outputs < 2) return aims;
  return [...aims, {
    kind: "value",
    row: Float64Array.from({ length: outputs }, (_, k) => (k ? 0 : 1)),
    among: [0, 1],
  }];
}

/** A search of aims of a region from nothing, recorded. */
export function recordedSearch(drawn: Asked, max_nodes: number, isRecorded = true, aims = aimsOf(drawn)) {
  const { original, region: { box, network } } = drawn;
  return withRun([original.graph], { kernels: referenceKernels() }, (run) =>
    searchRegion({
      original,
      box,
      network,
      asked: aims.map((aim) => ({ aim, upper: Infinity, lower: -Infinity, entries: null })),
      proved: aims.map(() => ({ lower: -Infinity, point: null })),
      goal: { kind: "each" },
      limits: { max_nodes, gap: 0, ...(isRecorded && { record: true }) },
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
    const parent = piece.parent === null ? null : resolved[piece.parent];
    resolved.push(found);
    const say = (text: string) => wrong.push(`${drawn.name}, piece ${at} of tree ${piece.tree}: ${text}`);
    found.phases.forEach((phase, u) => above.phases[u] !== 0 && phase !== above.phases[u] && say(`phase ${u} changed`));
    found.box.lower.forEach((l, j) => {
      if (l! < above.box.lower[j]! || found.box.upper[j]! > above.box.upper[j]!) say(`its box grew along ${j}`);
    });
    // The same part once more begins with all that is known of it.
    if (parent === null || piece.cut) falseSteps(drawn, record, piece, above, found, parent).forEach(say);
    else if (piece.phases || piece.heights || piece.box || piece.gradients) say("it changed without a cut");
    if (piece.empty) falseEmptiness(drawn, piece, found).forEach(say);
    else falseBound(drawn, record, piece, found, above).forEach(say);
    falseOnTruths(drawn, record, piece, above, found).forEach(say);
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
    const phases = new Array<number>(region.width).fill(0), { lower, upper } = region.network;
    return {
      box,
      phases,
      heights: { lower: Array.from(lower.slice(0, region.width)), upper: Array.from(upper.slice(0, region.width)) },
      gradients: NOTHING,
      entries: NOTHING,
      bound: trees[tree].bound ?? Infinity,
    };
  }
  const above = all[parent];
  if (cut === null) return above;
  if ("unit" in cut) return { ...above, phases: above.phases.map((phase, u) => (u === cut.unit ? cut.phase : phase)) };
  const { feature, at, side } = cut, side_ = side === "lower" ? "upper" : "lower";
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
  { tree, over_gradients: q, over_heights: e, weights, exact: exactly }: PieceRecord,
  found: Resolved,
  above: Resolved,
): string[] {
  if (exactly) {
    const most = gradientBound(numbers, trees[tree], found.phases);
    return most !== null && isAtMost(most, found.bound) ? [] : [`its gradient is not ${found.bound}`];
  }
  if (!q || !e) return found.bound === above.bound ? [] : [`its bound ${found.bound} follows from nothing`];
  const { among } = trees[tree];
  if (among && !areWeights(among, weights)) return ["its weights are none"];
  const row = among ? trees[tree].row.map((_, k) => weights![among.indexOf(k)] ?? 0) : trees[tree].row;
  const derived = boundOf(numbers, found, sumOf(numbers, { ...trees[tree], row }, found.entries), q, e).most;
  if (derived !== null && isAtMost(derived, found.bound)) return [];
  return [`its coefficients give ${derived && toNumber(derived)}, not ${found.bound}`];
}

/** The aim's number of the one gradient that phases leave; null where they leave several. */
function gradientBound(
  numbers: ExactCondensed,
  { aim, row, feature }: SearchRecord["trees"][number],
  phases: readonly number[],
): Exact | null {
  if (phases.includes(0) && !isNought(numbers, row, phases)) return null;
  const { J } = gradientsOf(numbers, phases.map((phase) => (phase > 0 ? 1 : 0)), [...row]);
  return aim === "entry" ? J[feature!] : J.map(absolute).reduce(add, ZERO);
}

/** Whether no unit that is alive leads from an input to the outputs. */
function isNought(
  { features, width, inputs, units }: ExactCondensed,
  row: readonly number[],
  phases: readonly number[],
): boolean {
  const outputs = row.flatMap((c, k) => (c === 0 ? [] : [width + k])), alive = new Array<boolean>(width).fill(false);
  for (let u = width - 1; u >= 0; u--) {
    const readers = [...outputs, ...alive.flatMap((isAlive, w) => (isAlive ? [w] : []))];
    alive[u] = phases[u] >= 0 && readers.some((r) => sign(units[r][u]) !== 0);
  }
  const rows = [...outputs, ...alive.flatMap((isAlive, w) => (isAlive ? [w] : []))];
  return rows.every((r) => inputs[r].slice(0, features).every((one) => sign(one) === 0));
}

/** Not negative, and their sum is 1: the least of the outputs is at most what they combine. */
function areWeights(among: readonly number[], weights: readonly number[] | undefined): boolean {
  if (weights?.length !== among.length || !weights.every((w) => w >= 0)) return false;
  return compare(weights.map(exact).reduce(add), exact(1)) === 0;
}

/** The aim as a sum; of a norm with the chords over the entries' bounds. */
function sumOf(numbers: ExactCondensed, { aim, row, feature }: SearchRecord["trees"][number], entries: Ends): ExactSum {
  const { width, features, inputs, units, bias } = numbers;
  const outputs = (column: (r: number) => Exact) => combinationOf({ row }, (k) => column(width + k));
  const zeros = new Array<Exact>(width).fill(ZERO), nowhere = new Array<Exact>(features).fill(ZERO);
  const seed = zeros.map((_, u) => outputs((r) => units[r][u]));
  const direct = nowhere.map((_, j) => outputs((r) => inputs[r][j]));
  if (aim === "value") return { constant: outputs((r) => bias[r]), gated: zeros, units: seed, inputs: direct, seed };
  const chords = direct.map((_, j) =>
    aim === "entry" ? { slope: j === feature ? 1 : 0, height: ZERO } : chordOf(entries, j)
  );
  const slopes = chords.map(({ slope }) => slope);
  const constant = chords.map(({ slope, height }, j) => add(height, multiply(exact(slope), direct[j]))).reduce(
    add,
    ZERO,
  );
  const gated = zeros.map((_, u) => dot(slopes, (j) => inputs[u][j]));
  return { constant, gated, units: zeros, inputs: nowhere, seed };
}

/** |z| <= slope z + height for z in the entry's bounds. */
function chordOf({ lower, upper }: Ends, j: number): { readonly slope: number; readonly height: Exact } {
  const a = lower[j]!, b = upper[j]!;
  if (a >= 0) return { slope: 1, height: ZERO };
  if (b <= 0) return { slope: -1, height: ZERO };
  const exactly = (a + b) / (b - a), slope = exactly >= -1 && exactly <= 1 ? exactly : 0, one = exact(1);
  const atUpper = multiply(subtract(one, exact(slope)), exact(b));
  return { slope, height: maximum(atUpper, multiply(subtract(negate(one), exact(slope)), exact(a))) };
}

/** A proof of emptiness that proves nothing. What an exact program decided is left to the regions. */
function falseEmptiness(
  { exact: numbers }: Drawn,
  { empty, lower_slopes }: PieceRecord,
  found: Resolved,
): string[] {
  const { features } = numbers, { phases, heights, box } = found;
  if (empty!.by === "row") {
    const { unit, sign: s } = empty!;
    if (!lower_slopes) return ["its row has no slopes"];
    const { most: largest } = rowBound(numbers, found, unit, s, lower_slopes);
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

/** Activation regions that a piece holds before it is bounded, by a point each: they are still there, within all bounds. */
function falseOnTruths(
  { region, exact: numbers, truths }: Drawn,
  { trees }: SearchRecord,
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
    const { aim } = trees[tree];
    if (aim !== "value" && !isWithin(p, found.gradients)) wrong.push("p is outside of its bounds");
    if (aim === "norm" && !isWithin(J, found.entries)) wrong.push("J is outside of its bounds");
  }
  return wrong;
}

function isWithin(values: readonly Exact[], { lower, upper }: Ends): boolean {
  return values.every((one, i) => isAtLeast(one, lower[i] ?? -Infinity) && isAtMost(one, upper[i] ?? Infinity));
}
