/** What is claimed of a piece against its activation regions; the steps are handed in, so that wrong ones can be. */
import { type Bounding, boundPart, type Part, sumOf } from "../../../shared/search/bound_piece.ts";
import { expanderOf } from "../../../shared/search/expand.ts";
import { boundEntries, boundGradients } from "../../../shared/search/gradients.ts";
import { boundAim, exactRows, isThinAround, leafForms } from "../../../shared/search/leaf.ts";
import type { Objective } from "../../../shared/search/objective.ts";
import { boundHeights, cut } from "../../../shared/search/preactivations.ts";
import { type Bounded, pushDown, settlePushed } from "../../../shared/search/push_down.ts";
import { problemOf, rootOf } from "../../../shared/search/roots.ts";
import { workspaceOf } from "../../../shared/search/workspace.ts";
import {
  absolute,
  add,
  compare,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  multiply,
  roundUp,
  subtract,
  toNumber,
} from "../../exact/dyadic.ts";
import type { Random } from "../../exact/random.ts";
import { component } from "../../exact/vector.ts";
import { heightsAt } from "./exact_condensed.ts";
import { type Drawn, mostOf, rangesOf } from "./pieces.ts";

export interface Steps {
  readonly boundGradients: typeof boundGradients;
  readonly boundEntries: typeof boundEntries;
  readonly boundHeights: typeof boundHeights;
  readonly settlePushed: typeof settlePushed;
  readonly boundPart: typeof boundPart;
  readonly sumOf: typeof sumOf;
  readonly cut: typeof cut;
  readonly leafForms: typeof leafForms;
  readonly exactRows: typeof exactRows;
  readonly boundAim: typeof boundAim;
  readonly isThinAround: typeof isThinAround;
  readonly problemOf: typeof problemOf;
  readonly rootOf: typeof rootOf;
  readonly expanderOf: typeof expanderOf;
}

export const RIGHT: Steps = {
  boundGradients,
  boundEntries,
  boundHeights,
  settlePushed,
  boundPart,
  sumOf,
  cut,
  leafForms,
  exactRows,
  boundAim,
  isThinAround,
  problemOf,
  rootOf,
  expanderOf,
};

/** Everything that a piece's bounds contradict. */
export function falsePiece(drawn: Drawn, random: Random, steps: Steps = RIGHT): string[] {
  return [
    ...falseHeights(drawn, steps),
    ...falseForms(drawn, steps),
    ...falseLeaves(drawn, steps),
    ...drawn.objectives.flatMap((_, at) => falseAim(drawn, at, random, steps)),
  ];
}

/** Bounds of h and x that rows find, and phases they decide. */
function falseHeights(drawn: Drawn, { boundHeights }: Steps): string[] {
  const { region, objectives: [objective], truths, name } = drawn, wrong: string[] = [];
  const piece = startOf(drawn, objective), workspace = workspaceOf(region);
  const multipliers = usual(drawn);
  if (!boundHeights(region, workspace, piece, multipliers)) return [`${name}: no piece is left`];
  for (const truth of truths) {
    truth.signs.forEach((s, u) => {
      if (s * piece.phases[u] < 0) wrong.push(`${name}: unit ${u} has the phase ${piece.phases[u]}, not ${s}`);
      if (s === 0 && !region.isSolid && drawn.phases[u] === 0 && piece.phases[u] !== 0) {
        wrong.push(`${name}: unit ${u} is on its kink, and decided`);
      }
    });
    if (!region.isSolid) continue;
    const { heights, inputs } = rangesOf(drawn, truth);
    heights.forEach((range, u) => wrong.push(...outside(`${name}: h ${u}`, range, piece.heights, u)));
    inputs.forEach((range, j) => wrong.push(...outside(`${name}: x ${j}`, range, piece.box, j)));
  }
  return wrong;
}

/** Forms of h where every unit has its phase, within their errors and exactly, at a point of the activation region. */
function falseForms({ region, original, exact: numbers, truths, name, objectives }: Drawn, steps: Steps): string[] {
  if (!region.isSolid) return [];
  return truths.slice(0, 3).flatMap(({ region: { point }, signs }) => {
    const phases = Int8Array.from(signs, (s) => s || 1),
      piece = startOf({ region, box: region.box, phases }, objectives[0]);
    const x = Array.from(region.box.lower, (_, j) => component(point, j)), h = heightsAt(numbers, point);
    const at = (row: readonly Exact[]) => x.map((one, j) => multiply(one, row[j])).reduce(add, row[x.length]);
    const { units, halfSpaces: { rows, constants }, errors } = steps.leafForms(region, piece);
    const rowOf = steps.exactRows(region, original, phases), n = x.length;
    return units.flatMap((u, i) => {
      const row = [...rows.subarray(i * n, (i + 1) * n), constants[i]].map(exact), real = absolute(h[u]);
      const form = rowOf(u);
      const wrong: string[] = [];
      if (!isAtMost(absolute(subtract(at(row), real)), errors[i])) wrong.push(`${name}: the form of h ${u}`);
      if (form === null) return wrong;
      const { exponent, denominator } = form;
      const whole = [...form.coefficients, form.constant].map((numerator) => ({ numerator, exponent, denominator }));
      if (compare(at(whole), real) !== 0) wrong.push(`${name}: the exact form of h ${u}`);
      return wrong;
    });
  });
}

/** Leaves that activation regions are: what J is there, rounded up once; none is thin in the space around. */
function falseLeaves({ region, original, truths, name, objectives }: Drawn, steps: Steps): string[] {
  if (!region.isSolid) return [];
  return truths.slice(0, 6).flatMap(({ signs, J, norm }) => {
    const phases = Int8Array.from(signs, (s) => s || 1), wrong: string[] = [];
    const piece = startOf({ region, box: region.box, phases }, objectives[0]);
    for (const { aim } of objectives) {
      if (aim.kind === "value") continue;
      const { upper, value } = steps.boundAim(region, original, phases, aim, Infinity);
      const real = aim.kind === "norm" ? norm : J[aim.feature];
      if (upper !== roundUp(real)) wrong.push(`${name}: ${aim.kind} ${upper} on a leaf, is ${toNumber(real)}`);
      if (Math.abs(value - toNumber(real)) > 1e-6 * (1 + Math.abs(value))) wrong.push(`${name}: ${value} in plain`);
    }
    if (steps.isThinAround(region, original, piece)) wrong.push(`${name}: an activation region is called thin`);
    return wrong;
  });
}

/** Bounds of p, of J and of the aim, with multipliers of any kind. */
function falseAim(drawn: Drawn, at: number, random: Random, steps: Steps): string[] {
  const { region, truths, phases } = drawn, objective = drawn.objectives[at], { aim } = objective;
  const name = `${drawn.name}, ${aim.kind}`, wrong: string[] = [], truth = mostOf(drawn, at);
  const workspace = workspaceOf(region), bounding: Bounding = { region, objective, workspace, scale: 1 };
  const piece = startOf(drawn, objective);
  const signs = new Int8Array(aim.kind === "norm" ? region.features : 0);
  if (aim.kind !== "value") {
    steps.boundGradients(region, objective, workspace, piece);
    for (const { p } of truths) {
      p.forEach((one, u) => wrong.push(...outside(`${name}: p ${u}`, only(one), piece.gradients, u)));
    }
  }
  if (aim.kind === "norm") {
    workspace.entryLower.set(objective.entries.lower);
    workspace.entryUpper.set(objective.entries.upper);
    steps.boundEntries(region, objective, workspace, { phases, gradients: piece.gradients, signs }, random.chance(0.7));
    const entries = { lower: workspace.entryLower, upper: workspace.entryUpper };
    for (const { J } of truths) J.forEach((one, j) => wrong.push(...outside(`${name}: J ${j}`, only(one), entries, j)));
  }
  const sum = steps.sumOf(bounding, signs);
  for (let k = 0; k < 4; k++) {
    const multipliers = k === 0 ? usual(drawn) : multipliersOf(region.width, random, k);
    pushDown(region, objective, workspace, piece, sum, multipliers);
    const found = steps.settlePushed(region, objective, workspace, piece, sum);
    if (!isAtMost(truth, found)) wrong.push(`${name}: ${found} is below ${toNumber(truth)}, multipliers of kind ${k}`);
  }
  if (region.width > 0) {
    const { overGated, overGradient, overUnit, overHeight, overInput } = workspace;
    for (const row of [overGated, overGradient, overUnit, overHeight, overInput]) {
      const k = random.integer(0, row.length - 1), before = row[k];
      // g and r of an inactive unit are 0, whatever stands over them.
      if (phases[k] < 0 && (row === overGated || row === overUnit)) continue;
      row[k] = random.pick([NaN, Infinity, -Infinity]);
      const found = steps.settlePushed(region, objective, workspace, piece, sum);
      if (found !== Infinity) wrong.push(`${name}: ${found} with a coefficient ${row[k]}`);
      row[k] = before;
    }
  }
  const part: Part = {
    ...piece,
    box: drawn.box,
    base: null,
    tree: 0,
    upper: Infinity,
    signs: new Int8Array(signs.length),
    multipliers: new Float32Array(0),
    weights: new Float64Array(0),
    prefers: "unit",
    depth: 0,
  };
  const bounded = steps.boundPart(bounding, part, objective.entries, -Infinity);
  if (bounded === null) wrong.push(`${name}: found empty`);
  else if (!isAtMost(truth, bounded.upper)) wrong.push(`${name}: ${bounded.upper} is below ${toNumber(truth)}`);
  return wrong;
}

/** The drawn piece as it is before anything is bounded. */
export function startOf(
  { region, box, phases }: Pick<Drawn, "region" | "box" | "phases">,
  { charges }: Objective,
): Bounded {
  const { width, network: { lower, upper } } = region;
  return {
    box: { lower: box.lower.slice(), upper: box.upper.slice() },
    phases: phases.slice(),
    heights: { lower: lower.slice(0, width), upper: upper.slice(0, width) },
    gradients: { lower: charges.map((size) => -size), upper: charges.slice() },
  };
}

function usual({ region: { width } }: Drawn): Float64Array {
  return Float64Array.from(
    { length: 4 * width },
    (_, k) => (k < width ? NaN : k >= 2 * width && k < 3 * width ? 0.5 : 0),
  );
}

/** Kind 1: within their ranges; 2: beyond; 3: any numbers, also none. */
export function multipliersOf(width: number, random: Random, kind: number): Float64Array {
  const wild = kind === 2 ? [0, 1, -1, 2, -30, 1e6, -1e6] : [0, 0.5, NaN, 1e300, -1e300, Infinity, 2 ** -1074];
  return Float64Array.from({ length: 4 * width }, () => {
    if (kind === 1 || random.chance(0.7)) return random.chance(0.3) ? random.integer(0, 1) : random.unit();
    return random.pick(wild);
  });
}

const only = (one: Exact) => ({ least: one, most: one });

function outside(
  what: string,
  { least, most }: { readonly least: Exact; readonly most: Exact },
  { lower, upper }: { readonly lower: Float64Array; readonly upper: Float64Array },
  at: number,
): string[] {
  if (isAtLeast(least, lower[at]) && isAtMost(most, upper[at])) return [];
  return [`${what}: ${toNumber(least)} to ${toNumber(most)} is not in [${lower[at]}, ${upper[at]}]`];
}
