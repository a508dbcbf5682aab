/**
 * Random networks and boxes that make bounds go wrong where something is wrong.
 *
 * Each is named by (seed, index) alone. The index walks through the recipes, so that any run of consecutive indices holds
 * them all: plain weights, weights over twelve decades (and over three hundred: products underflow and overflow), cancellation, dead and duplicated neurons, layers that are linear on
 * the box, boxes without interior, kinks on corners and centres, scalings that cannot be folded exactly, slopes of any
 * sign, two kinks, all activations in turn.
 */
import type { AffineNode, Graph, Node } from "../../shared/graph.ts";
import { Random } from "./random.ts";

export const RECIPES = [
  "plain",
  "wide",
  "cancelling",
  "dead",
  "duplicated",
  "prunable",
  "kinks",
  "scaled",
  "extreme",
  "leaky",
  "clipped",
  "mixed",
  "branching",
] as const;
export type Recipe = typeof RECIPES[number];

export const BOXES = ["point", "partly degenerate", "tiny", "small", "medium", "large"] as const;
export type BoxKind = typeof BOXES[number];

export interface RandomNetwork {
  /** Says how to make it again. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly boxKind: BoxKind;
  readonly graph: Graph;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Network `index` of the family `seed`: depth 1 to 5 (affine layers), width 1 to `widest` (64 unless told). */
export function randomNetwork(seed: number, index: number, widest = 64): RandomNetwork {
  const random = new Random(seed, index);
  const recipe = RECIPES[index % RECIPES.length];
  const boxKind = BOXES[Math.floor(index / RECIPES.length) % BOXES.length];
  const depth = random.integer(1, 5);
  // Half of the widths are small: there the corner cases meet each other.
  const width = () => random.chance(0.5) ? random.integer(1, Math.min(8, widest)) : random.integer(1, widest);
  const sizes = Array.from({ length: depth + 1 }, width);
  if (recipe === "branching") sizes.fill(sizes[1], 2);
  sizes[depth] = random.integer(1, Math.min(8, widest));
  const unit = recipe === "extreme" ? 10 ** random.between(-160, 20) : 1;
  const center = Array.from(
    { length: sizes[0] },
    () => recipe === "kinks" ? random.integer(-8, 8) / 8 : unit * random.normal(),
  );
  const nodes: Node[] = [{ operator: "input", inputs: [], size: sizes[0], name: "x" }];
  const box = boxAround(random, center, boxKind, unit, recipe === "kinks");
  if (recipe === "scaled") pushScaling(random, nodes);
  for (let layer = 0; layer < depth; layer++) {
    pushAffine(random, nodes, sizes[layer + 1], recipe, box);
    if (layer === depth - 1) break;
    if (recipe === "branching" && random.chance(0.5)) pushSum(random, nodes);
    pushActivation(random, nodes, recipe === "branching" ? "mixed" : recipe);
    if (recipe === "branching" && random.chance(0.5)) pushSum(random, nodes);
    if (recipe === "scaled" && random.chance(0.5)) pushScaling(random, nodes);
  }
  return { name: `seed ${seed} index ${index} (${recipe}, ${boxKind})`, recipe, boxKind, graph: { nodes }, ...box };
}

export type Fresh<N extends Node> = N extends Node ? Omit<N, "inputs" | "size" | "name"> : never;

export function pushNode(
  nodes: Node[],
  node: Fresh<Exclude<Node, { operator: "input" }>>,
  size = nodes.at(-1)!.size,
): void {
  nodes.push({ ...node, inputs: [nodes.length - 1], size, name: `${node.operator}${nodes.length}` } as Node);
}

/** relu, but for the recipes that are about the others. */
export function pushActivation(random: Random, nodes: Node[], recipe: Recipe): void {
  const { size } = nodes.at(-1)!;
  const kind = recipe === "mixed" ? random.pick(["relu", "leaky", "clipped", "abs"]) : recipe;
  if (kind === "leaky") {
    const common = random.pick([Math.fround(0.01), 0.2, -0.25, 1.5, 0]);
    const slope = () => random.chance(0.6) ? common : random.pick([0, 1, -1, 2, random.normal()]);
    pushNode(nodes, { operator: "leaky_relu", slopes: Float64Array.from({ length: size }, slope) });
  } else if (kind === "clipped") {
    const [lower, upper] = random.pick([[0, 6], [-1, 1], [-0.125, 0.25], [-Infinity, 0.1], [-0.3, Infinity], [
      0.5,
      0.5,
    ]]);
    const filled = (value: number) => new Float64Array(size).fill(value);
    pushNode(nodes, { operator: "clip", lower: filled(lower), upper: filled(upper) });
  } else pushNode(nodes, { operator: kind === "abs" ? "abs" : "relu" });
}

/** A branch that meets an earlier value of the same size again, if there is one. */
function pushSum(random: Random, nodes: Node[]): void {
  const last = nodes.length - 1;
  const { size } = nodes[last];
  const earlier = nodes.map((_, id) => id).filter((id) => id < last && nodes[id].size === size);
  if (earlier.length === 0) return;
  const signs = [random.sign(), random.sign()] as const;
  nodes.push({ operator: "add", inputs: [last, random.pick(earlier)], signs, size, name: `add${last + 1}` });
}

/** x / std and x - mean (either order), as exporters write a normalisation; powers of two and thirds among the factors. */
function pushScaling(random: Random, nodes: Node[]): void {
  const { size } = nodes.at(-1)!;
  const common = random.pick([0.3081, 3, 0.1, -2.5, 1e-3, 640]);
  const factors = Float64Array.from({ length: size }, () => random.chance(0.8) ? common : random.pick([2, -0.5, 7, 1]));
  const offsets = Float64Array.from({ length: size }, () => random.chance(0.2) ? 0 : random.normal());
  if (random.chance(0.5)) pushNode(nodes, { operator: "shift", offsets });
  pushNode(nodes, { operator: "scale", factors, inverse: random.chance(0.6) });
  if (random.chance(0.3)) pushNode(nodes, { operator: "shift", offsets: offsets.map((t) => -t) });
}

function pushAffine(random: Random, nodes: Node[], rows: number, recipe: Recipe, box: Ends): void {
  const columns = nodes.at(-1)!.size;
  const spread = 1 / Math.sqrt(columns);
  const weights = Float64Array.from({ length: rows * columns }, () => {
    if (recipe === "kinks") return random.integer(-4, 4) / 4;
    if (recipe === "wide") return random.sign() * 10 ** random.between(-6, 6);
    if (recipe === "extreme") return random.sign() * 10 ** random.between(-180, 80);
    return random.normal() * spread;
  });
  let bias: Float64Array | null = random.chance(0.1) ? null : Float64Array.from({ length: rows }, () => {
    if (recipe === "kinks") return random.integer(-4, 4) / 4;
    if (recipe === "extreme") return random.sign() * 10 ** random.between(-300, 0);
    return random.normal() * (recipe === "wide" ? 10 ** random.between(-6, 6) : 0.3);
  });
  if (recipe === "cancelling") cancel(random, weights, bias, rows, columns);
  if (recipe === "dead") bias = kill(random, weights, bias, rows, columns);
  if (recipe === "duplicated") duplicate(random, weights, bias, rows, columns);
  if (recipe === "prunable" && bias !== null) {
    // Far from every kink: the layer is linear on the box, or off.
    const off = random.chance(0.3);
    bias = bias.map((b) => b + (off || random.chance(0.3) ? -1 : 1) * 1e3);
  }
  if (recipe === "kinks" && nodes.length === 1) bias = placeKinks(random, weights, rows, columns, box);
  pushNode(nodes, { operator: "affine", weights, bias } satisfies Fresh<AffineNode>, rows);
}

/** Rows that are the negatives of others but for a few last bits, and columns that cancel. */
function cancel(random: Random, weights: Float64Array, bias: Float64Array | null, rows: number, columns: number): void {
  for (let i = 1; i < rows; i += 2) {
    const slip = random.chance(0.5) ? 0 : 2 ** random.integer(-52, -20);
    for (let j = 0; j < columns; j++) {
      weights[i * columns + j] = -weights[(i - 1) * columns + j] * (random.chance(0.5) ? 1 + slip : 1);
    }
    if (bias !== null) bias[i] = -bias[i - 1];
  }
  const large = 10 ** random.integer(0, 6);
  for (let j = 1; j < columns; j += 2) {
    for (let i = 0; i < rows; i++) {
      weights[i * columns + j - 1] = weights[i * columns + j - 1] * large;
      if (random.chance(0.7)) weights[i * columns + j] = -weights[i * columns + j - 1] * (1 + 2 ** -50);
    }
  }
}

/** Neurons that never fire, neurons whose input is exactly 0, and columns that nobody reads. */
function kill(
  random: Random,
  weights: Float64Array,
  bias: Float64Array | null,
  rows: number,
  columns: number,
): Float64Array {
  const out = bias ?? new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    if (random.chance(0.25)) out[i] = -1e4;
    if (random.chance(0.25)) {
      weights.fill(0, i * columns, (i + 1) * columns);
      out[i] = random.pick([0, -0, 1, -1]);
    }
  }
  for (let j = 0; j < columns; j++) {
    if (random.chance(0.2)) { for (let i = 0; i < rows; i++) weights[i * columns + j] = random.pick([0, -0]); }
  }
  return out;
}

/** Equal and opposite neurons: relu(z) - relu(-z) = z wherever their readers cancel. */
function duplicate(
  random: Random,
  weights: Float64Array,
  bias: Float64Array | null,
  rows: number,
  columns: number,
): void {
  for (let i = 1; i < rows; i++) {
    if (random.chance(0.5)) continue;
    const from = random.integer(0, i - 1), sign = random.sign();
    for (let j = 0; j < columns; j++) weights[i * columns + j] = sign * weights[from * columns + j];
    if (bias !== null) bias[i] = sign * bias[from];
  }
  for (let j = 1; j < columns; j++) {
    if (random.chance(0.5)) continue;
    for (let i = 0; i < rows; i++) weights[i * columns + j] = -weights[i * columns + j - 1];
  }
}

/** Biases such that the kinks of the first layer pass exactly through a corner or the centre of the box. */
function placeKinks(random: Random, weights: Float64Array, rows: number, columns: number, box: Ends): Float64Array {
  const bias = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const where = random.integer(0, 2);
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const l = box.lower[j], u = box.upper[j], w = weights[i * columns + j];
      // Corner of least or greatest value (the box touches the kink), or the centre; all sums are exact here.
      sum += w * (where === 2 ? (l + u) / 2 : (where === 0) === (w >= 0) ? l : u);
    }
    bias[i] = -sum;
  }
  // relu(z) beside relu(-z): the second is the first turned around.
  for (let i = 1; i < rows; i += 2) {
    for (let j = 0; j < columns; j++) weights[i * columns + j] = -weights[(i - 1) * columns + j];
    bias[i] = -bias[i - 1];
  }
  return bias;
}

export interface Ends {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** A box around a centre, radii in `unit`s; `dyadic` radii keep the arithmetic of kinks exact. */
export function boxAround(
  random: Random,
  center: readonly number[],
  kind: BoxKind,
  unit: number,
  dyadic: boolean,
): Ends {
  const radii = {
    "point": 0,
    "partly degenerate": 0.125,
    "tiny": 2 ** -30,
    "small": 2 ** -7,
    "medium": 0.125,
    "large": 2,
  };
  const lower = Float64Array.from(center), upper = Float64Array.from(center);
  for (let j = 0; j < center.length; j++) {
    if (kind === "partly degenerate" && random.chance(0.5)) continue;
    const radius = dyadic ? radii[kind] : unit * radii[kind] * random.between(0.5, 1.5);
    lower[j] = center[j] - radius;
    upper[j] = center[j] + radius;
  }
  return { lower, upper };
}
