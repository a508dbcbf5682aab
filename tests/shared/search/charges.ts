/** What a pushed sum is charged, against its own formula in exact arithmetic: shared/README.md (25). */
import { sumOf } from "../../../shared/search/bound_piece.ts";
import { type Aim, type Objective, objectiveOf } from "../../../shared/search/objective.ts";
import { pushDown, settlePushed, type Sum } from "../../../shared/search/push_down.ts";
import { type Region, regionOf } from "../../../shared/search/region.ts";
import { workspaceOf } from "../../../shared/search/workspace.ts";
import {
  absolute,
  add,
  compare,
  type Exact,
  exact,
  maximum,
  multiply,
  subtract,
  toNumber,
  ZERO,
} from "../../exact/dyadic.ts";
import type { Random } from "../../exact/random.ts";
import { multipliersOf, startOf } from "./piece_claims.ts";
import type { Drawn } from "./pieces.ts";

/** Something wrong with what is charged. */
export interface Miscount {
  readonly region?: (region: Region) => Region;
  readonly objective?: (objective: Objective) => Objective;
  readonly sum?: (sum: Sum) => Sum;
}

/** So much more than theirs are the numbers of the network said to be off: what is charged for it shows beside the rest. */
const MORE = 50;

/** Sums whose bound is nearer to their exact value than the errors of what they are made of. */
export function undercharged(drawn: Drawn, random: Random, miscount: Miscount = {}): string[] {
  const network = { ...drawn.region.network, error: MORE * drawn.region.network.error };
  const honest = regionOf(network, drawn.region.box), region = (miscount.region ?? same)(honest);
  return drawn.objectives.flatMap(({ aim }) => {
    const objective = (miscount.objective ?? same)(objectiveOf(region, aim, null)), workspace = workspaceOf(region);
    // The largest |p| that the piece has for certain: as bounds they pay for as little as can be.
    const { width, features } = region;
    const most = Array.from({ length: width }, (_, u) => drawn.truths.map(({ p }) => absolute(p[u])).reduce(maximum));
    const high = Float64Array.from(most, (one) => toNumber(one) * (1 + 2 ** -40));
    const piece = { ...startOf(drawn, objective), gradients: { lower: high.map((one) => -one), upper: high } };
    workspace.entryLower.set(objective.entries.lower);
    workspace.entryUpper.set(objective.entries.upper);
    const bounding = { region, objective, workspace, scale: 1 };
    const sum = (miscount.sum ?? same)(sumOf(bounding, new Int8Array(aim.kind === "norm" ? features : 0)));
    const multipliers = multipliersOf(width, random, random.pick([1, 2, 2]));
    // Of two draws one leaves h out, whose charges would pay for the others'.
    if (random.chance(0.5)) multipliers.fill(0, width, 2 * width).fill(0, 3 * width);
    pushDown(region, objective, workspace, piece, sum, multipliers);
    const found = settlePushed(region, objective, workspace, piece, sum);
    if (found === Infinity) return [`${drawn.name}: no bound`];
    const { overGated, overGradient, overUnit, overHeight, overInput, slopes } = workspace;
    const { phases, heights, gradients, box } = piece;
    let value = exact(sum.constant), off = ZERO;
    const take = (size: number, magnitude: number, factor: Exact) =>
      off = add(off, multiply(exact(Math.abs(size)), multiply(exact(magnitude), factor)));
    for (let u = 0; u < width; u++) {
      const [A, q, B, E] = [overGated, overGradient, overUnit, overHeight].map((row) => exact(row[u]));
      const branches: Exact[] = [], [l, h] = [heights.lower[u], heights.upper[u]];
      const [a, b] = [gradients.lower[u], gradients.upper[u]];
      if (phases[u] >= 0) {
        branches.push(add(ends(subtract(A, q), a, b), ends(subtract(B, E), Math.max(phases[u] * l, 0), h)));
      }
      if (phases[u] <= 0) {
        const high = phases[u] < 0 ? Math.min(h, 0) : 0;
        branches.push(add(ends(subtract(ZERO, q), a, b), ends(subtract(ZERO, E), l, high)));
      }
      value = add(value, branches.reduce(maximum));
      value = add(value, add(multiply(q, exact(objective.seed[u])), multiply(E, exact(network.bias[u]))));
      for (let k = 0; k < network.outputs; k++) {
        take(overGradient[u] * aim.row[k], network.unitMagnitudes[(width + k) * width + u], exact(1));
      }
      for (let w = 0; w < width; w++) take(overGradient[u], network.unitMagnitudes[w * width + u], most[w]);
      take(overHeight[u], network.biasMagnitudes[u], exact(1));
      for (let j = 0; j < features; j++) {
        take(overHeight[u], network.inputMagnitudes[u * features + j], exact(network.reach[j]));
      }
    }
    for (let j = 0; j < features; j++) {
      value = add(value, ends(exact(overInput[j]), box.lower[j], box.upper[j]));
      if (!starts(aim, j)) continue;
      const size = aim.kind === "norm" ? slopes[j] : 1;
      for (let k = 0; k < network.outputs; k++) {
        const reach = aim.kind === "value" ? network.reach[j] : 1;
        take(size * aim.row[k], network.inputMagnitudes[(width + k) * features + j], exact(reach));
      }
      if (aim.kind === "value") continue;
      for (let w = 0; w < width; w++) take(size, network.inputMagnitudes[w * features + j], most[w]);
    }
    const left = subtract(exact(found), value), wanted = multiply(off, exact(network.error));
    if (compare(left, wanted) >= 0) return [];
    return [`${drawn.name}, ${aim.kind}: charged ${toNumber(left)}, off by ${toNumber(wanted)}`];
  });
}

/** Whether a sum begins with entry j of J (or x_j). */
function starts(aim: Aim, j: number): boolean {
  return aim.kind !== "entry" || aim.feature === j;
}

function ends(c: Exact, low: number, high: number): Exact {
  return maximum(multiply(c, exact(low)), multiply(c, exact(high)));
}

function same<T>(one: T): T {
  return one;
}
