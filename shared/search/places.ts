import { condenseAgain } from "../condensed/condense_again.ts";
import type { Vectors } from "../kernels/vectors.ts";
import type { Bounding, Part } from "./bound_piece.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import type { Base, Piece } from "./piece.ts";
import { numbersOf, type Region, regionOf } from "./region.ts";
import type { Box } from "../numeric/box.ts";
import { type Workspace, workspaceOf } from "./workspace.ts";

/** What pieces of one base are bounded with. */
export interface Place {
  readonly region: Region;
  readonly workspace: Workspace;
  /** By tree, made when asked for. */
  readonly objectives: Map<number, Objective>;
}

/** The smaller networks of a region, made from plain data wherever a piece of them turns up; those used last are kept. Source: (28) */
export interface Places {
  placeOf(base: Base): Place;
  release(): void;
}

/** Numbers that the networks kept may take together. */
const KEPT_NUMBERS = 2 ** 22;

export function placesOf(
  { network, box, features }: Region,
  makeVectors: (numbers: number) => Vectors,
): Places {
  // The one used last is the last.
  let kept: { readonly base: Base; readonly place: Place; readonly numbers: number }[] = [];
  return {
    placeOf(base) {
      const at = kept.findLastIndex((one) => isSame(one.base, base));
      if (at >= 0) {
        const [one] = kept.splice(at, 1);
        kept.push(one);
        return one.place;
      }
      const numbers = 2 * numbersOf(features, base.units.length);
      let total = kept.reduce((sum, one) => sum + one.numbers, numbers);
      while (kept.length > 0 && total > KEPT_NUMBERS) {
        const oldest = kept.shift()!;
        oldest.place.region.vectors.release();
        total -= oldest.numbers;
      }
      const region = regionOf(condenseAgain(network, base.phases, base.units, base.heights), box, makeVectors);
      const place = { region, workspace: workspaceOf(region), objectives: new Map<number, Objective>() };
      kept.push({ base, place, numbers });
      return place;
    },
    release() {
      for (const { place } of kept) place.region.vectors.release();
      kept = [];
    },
  };
}

/** An objective of the whole region as a place sees it. */
export function objectiveAt({ region, objectives }: Place, tree: number, { aim, entries }: Objective): Objective {
  let objective = objectives.get(tree);
  if (objective === undefined) objectives.set(tree, objective = objectiveOf(region, aim, entries));
  return objective;
}

function isSame(a: Base, b: Base): boolean {
  if (a === b) return true;
  const equal = (p: ArrayLike<number>, q: ArrayLike<number>) => {
    if (p === q) return true;
    if (p.length !== q.length) return false;
    for (let i = 0; i < p.length; i++) if (!Object.is(p[i], q[i])) return false;
    return true;
  };
  return equal(a.units, b.units) && equal(a.phases, b.phases) && equal(a.heights.lower, b.heights.lower) &&
    equal(a.heights.upper, b.heights.upper);
}

/** Fewer units are not worth a network of their own. */
export const FEWEST_UNITS = 16;

/**
 * The same piece on fewer units, where it has lost half of them or more: those that are open stay, and those whose half-space its
 * bounds leave open. All that is known of it holds on: what is left out is proved to hold all over the piece.
 */
export function narrowed(piece: Piece, fewest: number): Piece {
  const { phases, heights, gradients, multipliers, split, base } = piece, width = phases.length;
  if (width < fewest || split === null) return piece;
  const places: number[] = [];
  for (let u = 0; u < width; u++) {
    const isOpen = phases[u] > 0 ? !(heights.lower[u] >= 0) : phases[u] < 0 ? !(heights.upper[u] <= 0) : true;
    if (isOpen) places.push(u);
  }
  const count = places.length;
  if (2 * count > width) return piece;
  const of = (all: Float64Array) => Float64Array.from(places, (u) => all[u]);
  const box = ({ lower, upper }: Base["heights"]) => ({ lower: of(lower), upper: of(upper) });
  const moved = new Float32Array(multipliers.length === 0 ? 0 : 4 * count);
  for (let at = 0; at < moved.length; at++) {
    moved[at] = multipliers[Math.floor(at / count) * width + places[at % count]];
  }
  return {
    ...piece,
    phases: Int8Array.from(places, (u) => phases[u]),
    heights: box(heights),
    base: {
      phases: wholePhases(piece),
      heights: wholeHeights(piece),
      units: Float64Array.from(places, (u) => (base ? base.units[u] : u)),
    },
    gradients: box(gradients),
    multipliers: moved,
    split: split?.kind === "unit" ? { kind: "unit", unit: places.indexOf(split.unit) } : split,
  };
}

/** The phases of all the region's units on a piece. */
export function wholePhases({ base, phases }: Pick<Piece, "base" | "phases">): Int8Array {
  if (base === null) return phases;
  const whole = base.phases.slice();
  base.units.forEach((u, i) => whole[u] = phases[i]);
  return whole;
}

function wholeHeights({ base, heights }: Pick<Piece, "base" | "heights">): Box {
  if (base === null) return heights;
  const lower = base.heights.lower.slice(), upper = base.heights.upper.slice();
  base.units.forEach((u, i) => [lower[u], upper[u]] = [heights.lower[i], heights.upper[i]]);
  return { lower, upper };
}

/** A part on all of the region's units: where all are decided exact arithmetic asks for them. */
export function widened(part: Part, { objective: { charges } }: Bounding): Part {
  if (part.base === null) return part;
  const gradients = { lower: charges.map((size) => -size), upper: charges };
  return { ...part, base: null, phases: wholePhases(part), heights: wholeHeights(part), gradients };
}
