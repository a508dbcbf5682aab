/**
 * Small networks whose regions can all be enumerated, with trouble on purpose: kinks that coincide, touch the box, pass
 * through its centre, or lie so near each other that a region between them is thinner than a rounding.
 *
 * Each is named by (seed, index) alone; the index walks through the troubles. At most {@link MOST_KINKS} kinks. Most
 * numbers are small dyadic ones, so that coincidences are exact.
 */
import type { Graph, Node } from "../../shared/graph.ts";
import { toNumber } from "./dyadic.ts";
import { outputAt } from "./network.ts";
import { kinksOf } from "./pieces.ts";
import { Random } from "./random.ts";
import { boxAround, type Ends, pushActivation, pushNode } from "./random_networks.ts";
import { component } from "./vector.ts";

export const TROUBLES = [
  "dyadic",
  "random",
  "duplicated",
  "dead",
  "touching",
  "central",
  "thin",
  "sliver",
  "cancelling",
  "identical",
  "zeros",
  "branching",
  "nearly",
] as const;
export type Trouble = typeof TROUBLES[number];

export const MOST_KINKS = 14;

export interface TroubledNetwork {
  readonly name: string;
  /** As the recipe of other random networks; none of these is extreme. */
  readonly recipe: Trouble;
  readonly activation: string;
  readonly boxKind: string;
  readonly graph: Graph;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** 1e-9 and less as exact steps, and none at all. */
const THIN = [0, 2 ** -30, 2 ** -40, 2 ** -52];
const TINY_BOX = 2 ** -20;

/** Network `index` of the family `seed`: 1 to 4 inputs, 1 to 3 layers of neurons, 1 to 3 outputs. */
export function troubledNetwork(seed: number, index: number): TroubledNetwork {
  const random = new Random(seed, index), recipe = TROUBLES[index % TROUBLES.length];
  const activation = random.pick(["relu", "relu", "relu", "leaky", "clipped", "abs", "mixed"]);
  const features = random.integer(1, 4), layers = random.integer(1, 3);
  const number = () => recipe === "random" || random.chance(0.02) ? random.normal() : random.integer(-8, 8) / 4;
  const boxKind = random.pick(["medium", "large", "large", "large", "partly degenerate", "tiny"]);
  const box = boxOf(random, features, boxKind, recipe);
  const nodes: Node[] = [{ operator: "input", inputs: [], size: features, name: "x" }];
  const clipped = activation === "clipped" || activation === "mixed";
  let left = MOST_KINKS;
  for (let layer = 0; layer < layers && left >= 2; layer++) {
    // Width as many kinks allow, if each neuron had two of them.
    const width = random.integer(2, Math.max(2, Math.min(8, Math.floor(left / (activation === "relu" ? 1 : 2)))));
    pushAffine(random, nodes, width, { recipe, number, box, clipped });
    const before = nodes.length - 1;
    pushActivation(random, nodes, activation === "relu" ? "plain" : activation as never);
    const last = nodes.at(-1)!;
    for (let i = 0; i < last.size; i++) left -= kinksOf(last, i).length;
    if (recipe === "branching") pushSum(random, nodes, before);
  }
  pushAffine(random, nodes, random.integer(1, 3), { recipe, number, box: null, clipped });
  if (recipe === "identical") readTogether(random, nodes);
  const name = `seed ${seed} index ${index} (${recipe}, ${activation}, ${boxKind})`;
  return { name, recipe, activation, boxKind, graph: { nodes }, ...box };
}

function boxOf(random: Random, features: number, kind: string, recipe: Trouble): Ends {
  const dyadic = recipe !== "random";
  const center = Array.from({ length: features }, () => dyadic ? random.integer(-4, 4) / 4 : random.normal());
  if (kind !== "tiny") return boxAround(random, center, kind as "large", 1, dyadic);
  const end = (sign: 1 | -1) => Float64Array.from(center, (c) => c + sign * TINY_BOX);
  return { lower: end(-1), upper: end(1) };
}

interface LayerPlan {
  readonly recipe: Trouble;
  readonly number: () => number;
  /** Null for the last layer, which has no kinks to place. */
  readonly box: Ends | null;
  /** The activation that follows has two kinks, or may have. */
  readonly clipped: boolean;
}

function pushAffine(
  random: Random,
  nodes: Node[],
  rows: number,
  { recipe, number, box, clipped }: LayerPlan,
): void {
  const columns = nodes.at(-1)!.size, first = nodes.length === 1;
  const weights = Float64Array.from({ length: rows * columns }, number),
    bias = Float64Array.from({ length: rows }, number);
  const layer: Layer = { weights, bias, rows, columns };
  if (recipe === "zeros") weights.forEach((_, k) => weights[k] *= random.chance(0.5) ? 1 : 0);
  if (recipe === "cancelling") cancel(random, layer);
  if (recipe === "sliver" && !first) readPairs(layer, clipped);
  if (box !== null) {
    if (random.chance(0.7)) aim(random, layer, nodes, box);
    if (recipe === "dead") kill(random, layer);
    if (recipe === "duplicated" || recipe === "identical") duplicate(random, layer, [0]);
    if (recipe === "thin") duplicate(random, layer, THIN);
    if (recipe === "sliver") pair(random, layer, clipped);
    if (first && ["touching", "central", "nearly", "cancelling"].includes(recipe)) {
      placeKinks(random, layer, box, recipe);
    }
  }
  pushNode(nodes, { operator: "affine", weights, bias }, rows);
}

interface Layer {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Rows that are multiples of others, equal or opposite, moved or turned by one of `steps`. */
function duplicate(random: Random, { weights, bias, rows, columns }: Layer, steps: readonly number[]): void {
  for (let i = 1; i < rows; i++) {
    if (random.chance(0.3)) continue;
    const from = random.integer(0, i - 1), factor = random.pick([1, 1, -1, -1, 2, 0.5, -4, 3]);
    const turned = random.chance(0.5) ? random.integer(0, columns - 1) : -1, step = random.sign() * random.pick(steps);
    for (let j = 0; j < columns; j++) {
      weights[i * columns + j] = factor * weights[from * columns + j] + (j === turned ? step : 0);
    }
    bias[i] = factor * bias[from] + (turned < 0 ? step : 0);
  }
}

/** By pair of neurons; only the first keeps a pair of clipped ones alike. */
const FACTORS = [1, 2, 0.5, 4];

/** Every second row is a multiple of the one before, its kink moved by next to nothing. */
function pair(random: Random, { weights, bias, rows, columns }: Layer, clipped: boolean): void {
  for (let i = 1; i < rows; i += 2) {
    const factor = factorOf(i, clipped);
    for (let j = 0; j < columns; j++) weights[i * columns + j] = factor * weights[(i - 1) * columns + j];
    bias[i] = factor * (bias[i - 1] + random.sign() * random.pick(THIN));
  }
}

/** Reads pairs with opposite weights: they cancel but between their kinks, and there the gradient is large. */
function readPairs({ weights, rows, columns }: Layer, clipped: boolean): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 1; j < columns; j += 2) {
      weights[i * columns + j] = -weights[i * columns + j - 1] / factorOf(j, clipped);
    }
  }
}

function factorOf(second: number, clipped: boolean): number {
  return clipped ? 1 : FACTORS[(second - 1) / 2 % FACTORS.length];
}

/** Neurons that never fire, neurons that are constant (on the kink, too), columns that nobody reads. */
function kill(random: Random, { weights, bias, rows, columns }: Layer): void {
  for (let i = 0; i < rows; i++) {
    if (random.chance(0.3)) bias[i] = -64;
    else if (random.chance(0.4)) {
      weights.fill(0, i * columns, (i + 1) * columns);
      bias[i] = random.pick([0, -0, 1, -1]);
    }
  }
  const column = random.integer(0, columns - 1);
  if (random.chance(0.5)) { for (let i = 0; i < rows; i++) weights[i * columns + column] = 0; }
}

/** Opposite columns and no bias: many inputs of neurons are exactly 0 together. */
function cancel(random: Random, { weights, bias, rows, columns }: Layer): void {
  for (let j = 1; j < columns; j += 2) {
    for (let i = 0; i < rows; i++) if (random.chance(0.8)) weights[i * columns + j] = -weights[i * columns + j - 1];
  }
  for (let i = 0; i < rows; i++) if (random.chance(0.7)) bias[i] = 0;
}

/** Moves the kinks of half of the neurons onto one point of the box each, exactly where the numbers are dyadic. */
function aim(random: Random, { weights, bias, rows, columns }: Layer, nodes: readonly Node[], box: Ends): void {
  for (let i = 0; i < rows; i++) {
    if (random.chance(0.5)) continue;
    const point = Array.from(box.lower, (l, j) => l + random.integer(1, 7) / 8 * (box.upper[j] - l));
    const values = outputAt({ nodes }, point);
    bias[i] = 0;
    for (let j = 0; j < columns; j++) bias[i] -= weights[i * columns + j] * toNumber(component(values, j));
  }
}

/** Kinks of the first layer through a corner where the box just touches them, a face, or the centre: exactly or nearly. */
function placeKinks(random: Random, { weights, bias, rows, columns }: Layer, box: Ends, recipe: Trouble): void {
  for (let i = 0; i < rows; i++) {
    if (random.chance(0.2)) continue;
    const where = recipe === "touching" ? random.pick(["least", "most", "corner", "face"]) : "centre";
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const l = box.lower[j], u = box.upper[j], w = weights[i * columns + j], middle = (l + u) / 2;
      if (where === "face") {
        // One coordinate alone decides, and its end is the kink: nothing of the box is beyond.
        if (j > 0) weights[i * columns + j] = 0;
        else sum += w * random.pick([l, u]);
      } else if (where === "centre") sum += w * middle;
      else if (where === "corner") sum += w * random.pick([l, u]);
      else sum += w * ((where === "least") === (w >= 0) ? l : u);
    }
    bias[i] = -sum + (recipe === "nearly" ? random.sign() * random.pick(THIN) : 0);
  }
}

/** The last layer reads the first two neurons with opposite weights: relu(z) - relu(z), or z from relu(z) - relu(-z). */
function readTogether(random: Random, nodes: Node[]): void {
  const last = nodes.at(-1)!;
  if (last.operator !== "affine") return;
  const { weights, size } = last, columns = weights.length / size;
  for (let k = 0; k < size; k++) {
    for (let j = 1; j < columns; j += 2) {
      if (random.chance(0.9)) weights[k * columns + j] = -weights[k * columns + j - 1];
    }
  }
}

/** The values before and after an activation meet, with any signs. */
function pushSum(random: Random, nodes: Node[], before: number): void {
  const last = nodes.length - 1, { size } = nodes[last];
  const signs = [random.sign(), random.sign()] as const;
  nodes.push({ operator: "add", inputs: [last, before], signs, size, name: `add${last + 1}` });
}
