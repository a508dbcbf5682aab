/** Sums of a search in which nearly every rounding goes the same way, beside their exact values: shared/README.md (25), (26). */
import type { CondensedNetwork } from "../../../shared/condensed/condense_network.ts";
import { sumOf } from "../../../shared/search/bound_piece.ts";
import { type Aim, objectiveOf } from "../../../shared/search/objective.ts";
import { boundHeights } from "../../../shared/search/preactivations.ts";
import { pushDown, settlePushed } from "../../../shared/search/push_down.ts";
import { type Region, regionOf } from "../../../shared/search/region.ts";
import { weighingOf } from "../../../shared/search/weighing.ts";
import { workspaceOf } from "../../../shared/search/workspace.ts";
import { add, type Exact, exact, maximum, multiply, ONE, subtract, ZERO } from "../../exact/dyadic.ts";

/** A bound and what it must not be below. */
export interface Lossy {
  readonly found: number;
  readonly truth: Exact;
}

/** Added to a sum in [1, 2) it is lost. */
const LOST = 0.98 * 2 ** -53;

/** A network over [-1, 1]^n, of one output unless told, whose numbers are exact; `numbers` writes them. */
function networkOf(
  features: number,
  width: number,
  numbers: (network: CondensedNetwork) => void,
  outputs = 1,
): CondensedNetwork {
  const rows = width + outputs,
    network: CondensedNetwork = {
      features,
      outputs,
      units: Array.from({ length: width }, (_, index) => ({ activation: 1, index, kink: 0 })),
      inputWeights: new Float64Array(rows * features),
      unitWeights: new Float64Array(rows * width),
      bias: new Float64Array(rows),
      inputMagnitudes: new Float64Array(rows * features),
      unitMagnitudes: new Float64Array(rows * width),
      biasMagnitudes: new Float64Array(rows),
      error: 0,
      lower: new Float64Array(rows).fill(-Infinity),
      upper: new Float64Array(rows).fill(Infinity),
      reach: new Float64Array(features).fill(1),
      rank: new Int32Array(width),
    };
  numbers(network);
  network.inputMagnitudes.set(network.inputWeights.map(Math.abs));
  network.unitMagnitudes.set(network.unitWeights.map(Math.abs));
  network.biasMagnitudes.set(network.bias.map(Math.abs));
  return network;
}

function cube(features: number) {
  return { lower: new Float64Array(features).fill(-1), upper: new Float64Array(features).fill(1) };
}

type Change = (region: Region) => Region;

/**
 * A norm over many inputs and one open unit: a height, a slope times an entry and an end of the box are lost for each input,
 * 3 n roundings that add up. Compared with the formula of a pushed sum on the coefficients that were found.
 */
export function lossyNorm(features: number, change: Change): Lossy {
  const small = 2 ** -10, tenth = LOST / 1.5;
  const make = (weight: number) =>
    networkOf(features, 1, ({ inputWeights, unitWeights, lower, upper }) => {
      inputWeights.fill(weight, 1, features).fill(3 * tenth, features + 1);
      inputWeights[0] = small;
      inputWeights[features] = 1;
      unitWeights[1] = small; // p
      lower[0] = -small;
      upper[0] = small;
    });
  const ask = (weight: number) => {
    const box = cube(features), region = change(regionOf(make(weight), box)), workspace = workspaceOf(region);
    const aim: Aim = { kind: "norm", row: Float64Array.of(1) }, objective = objectiveOf(region, aim, null);
    // Chords of slope 1/2 over [-a, 3 a].
    workspace.entryLower.fill(-tenth).fill(1, 0, 1);
    workspace.entryUpper.fill(3 * tenth).fill(1, 0, 1);
    const signs = new Int8Array(features);
    signs[0] = 1;
    const start = sumOf({ region, objective, workspace, scale: 1 }, signs);
    const heights = { lower: Float64Array.of(-small), upper: Float64Array.of(small) };
    const piece = { box, phases: new Int8Array(1), heights, gradients: heights };
    pushDown(region, objective, workspace, piece, start, Float64Array.of(0.25, 1, 0, 0));
    return {
      region,
      objective,
      workspace,
      start,
      piece,
      found: settlePushed(region, objective, workspace, piece, start),
    };
  };
  const weight = LOST / ask(0).workspace.overHeight[0];
  const { workspace, objective, found } = ask(weight);
  const { slopes, entryLower, entryUpper, overGated, overGradient, overHeight, overInput } = workspace;
  let truth = ZERO;
  for (let j = 0; j < features; j++) {
    const slope = exact(slopes[j]), [a, b] = [exact(entryLower[j]), exact(entryUpper[j])];
    const height = maximum(multiply(subtract(ONE, slope), b), multiply(subtract(subtract(ZERO, ONE), slope), a));
    if (j > 0) truth = add(truth, height);
    truth = add(truth, multiply(slope, exact(objective.direct[j])));
    truth = add(truth, ends(exact(overInput[j]), -1, 1));
  }
  const [A, q, E] = [overGated[0], overGradient[0], overHeight[0]].map(exact);
  const open = add(ends(subtract(A, q), -small, small), ends(subtract(ZERO, E), 0, small));
  const shut = add(ends(subtract(ZERO, q), -small, small), ends(subtract(ZERO, E), -small, 0));
  return { found, truth: add(add(truth, maximum(open, shut)), multiply(q, exact(objective.seed[0]))) };
}

/** A value over many active units: what each adds to 1 is lost. */
export function lossyValue(features: number, width: number, change: Change): Lossy {
  const box = cube(features),
    network = networkOf(features, width, ({ bias, unitWeights, lower, upper }) => {
      bias.fill(1);
      unitWeights.fill(LOST, width * width);
      lower.fill(1);
      upper.fill(1);
    });
  const region = change(regionOf(network, box)), workspace = workspaceOf(region);
  const objective = objectiveOf(region, { kind: "value", row: Float64Array.of(1) }, null);
  const start = sumOf({ region, objective, workspace, scale: 1 }, new Int8Array(0));
  const ones = new Float64Array(width).fill(1), none = { lower: ones, upper: ones };
  const piece = { box, phases: new Int8Array(width).fill(1), heights: none, gradients: none };
  pushDown(region, objective, workspace, piece, start, new Float64Array(4 * width));
  const found = settlePushed(region, objective, workspace, piece, start);
  return { found, truth: add(ONE, multiply(exact(width), exact(LOST))) };
}

/**
 * Rows of h: one unit over others and over all inputs. An active one gives 1, then two terms of each open one are lost and one
 * of each input. All open ones have their largest value at the same corner, where the chords meet relu.
 */
export function lossyRow(features: number, width: number, change: Change): Lossy {
  const beta = LOST / 0.75, alpha = 2 * beta, last = width - 1;
  const box = cube(features),
    network = networkOf(features, width, (numbers) => {
      const { bias, inputWeights, unitWeights, lower, upper, rank } = numbers;
      for (let v = 0; v < last - 1; v++) {
        bias[v] = beta;
        inputWeights[v * features] = alpha;
        lower[v] = beta - alpha;
        upper[v] = beta + alpha;
      }
      bias[last - 1] = lower[last - 1] = upper[last - 1] = 1;
      unitWeights.fill(1, last * width, last * width + last);
      inputWeights.fill(LOST, last * features + 1, width * features);
      lower[last] = -3;
      upper[last] = 3;
      rank[last] = 1;
    });
  const region = change(regionOf(network, box)), workspace = workspaceOf(region);
  const heights = { lower: network.lower.slice(0, width), upper: network.upper.slice(0, width) };
  const phases = new Int8Array(width);
  phases[last - 1] = 1;
  const piece = { box, phases, heights, gradients: heights };
  if (!boundHeights(region, workspace, piece, new Float64Array(4 * width))) {
    throw new RangeError("the piece is not empty");
  }
  const highest = multiply(exact(last - 1), add(exact(beta), exact(alpha)));
  return {
    found: heights.upper[last],
    truth: add(add(ONE, highest), multiply(exact(features - 1), exact(LOST))),
  };
}

/** The least of 1 + 2^8 outputs, combined: what the constants of all but the first give to 1 is lost. */
export function lossyAmong(change: Change): Lossy {
  const many = 2 ** 8, box = cube(2), weights = new Float64Array(many + 1).fill(0.5 / many);
  weights[0] = 0.5;
  const network = networkOf(2, 1, ({ bias, lower, upper }) => {
    bias.fill(LOST * 2 * many);
    bias[0] = lower[0] = upper[0] = -1;
    bias[1] = 2;
  }, many + 1);
  const region = change(regionOf(network, box)), workspace = workspaceOf(region);
  const among = Array.from(weights.keys()), row = new Float64Array(many + 1).fill(1, 0, 1);
  const objective = objectiveOf(region, { kind: "value", row, among }, null);
  const start = weighingOf(region, objective, weights).sum(), none = new Float64Array(1);
  const piece = { box, phases: Int8Array.of(-1), heights: network, gradients: { lower: none, upper: none } };
  pushDown(region, objective, workspace, piece, start, new Float64Array(4));
  const found = settlePushed(region, objective, workspace, piece, start);
  return { found, truth: add(ONE, multiply(exact(many), exact(LOST))) };
}

function ends(c: Exact, low: number, high: number): Exact {
  return maximum(multiply(c, exact(low)), multiply(c, exact(high)));
}
