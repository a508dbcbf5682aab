/**
 * Random small convolutional and residual networks with their boxes, named by (seed, index) alone.
 *
 * The structures, the scales of the numbers and the kinds of box have numbers of members without a common divisor, so that
 * consecutive indices walk through all of them in every combination.
 */
import type { Graph, Grid, Node, NodeId, Windows } from "../../shared/graph.ts";
import { neighbour } from "./dyadic.ts";
import { Random } from "./random.ts";
import { boxAround, BOXES, type BoxKind, type Fresh, pushActivation } from "./random_networks.ts";
import { concatenation, randomSelection, SELECTIONS } from "./random_selections.ts";
import {
  type Emphasis,
  keepingWindows,
  MOST_VALUES,
  overChannels,
  positions,
  randomBias,
  randomKernel,
  randomWindows,
  type Scale,
  SCALES,
  valuesOf,
  weight,
} from "./random_windows.ts";

export const STRUCTURES = [
  "plain",
  "strided",
  "padded",
  "dilated",
  "grouped",
  "depthwise",
  "transposed",
  "residual",
  "normalised",
  "selected",
  "concatenated",
] as const;
export type Structure = typeof STRUCTURES[number];

export interface ConvolutionalNetwork {
  /** Says how to make it again. */
  readonly name: string;
  readonly structure: Structure;
  readonly scale: Scale;
  readonly boxKind: BoxKind;
  readonly graph: Graph;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** A network on its way: its last node is a feature map over `grid`. */
interface Draft {
  readonly random: Random;
  readonly nodes: Node[];
  readonly batch: number;
  readonly scale: Scale;
  grid: Grid;
}

/** Network `index` of the family `seed`: one to three blocks of one or two convolutions, then one or two dense layers. */
export function randomConvolutional(seed: number, index: number): ConvolutionalNetwork {
  const random = new Random(seed, index);
  const structure = STRUCTURES[index % STRUCTURES.length];
  const scale = SCALES[index % SCALES.length];
  const boxKind = BOXES[index % BOXES.length];
  const batch = random.chance(0.15) ? 2 : 1;
  const isFlat = random.chance(0.4);
  const grid = {
    channels: structure === "grouped" ? random.pick([2, 4]) : random.integer(1, 3),
    height: isFlat ? 1 : random.integer(2, 5),
    width: isFlat ? random.integer(3, 14) : random.integer(2, 5),
  };
  const size = valuesOf(grid, batch);
  const unit = scale === "extreme" ? 10 ** random.between(-160, 20) : 1;
  const center = Array.from(
    { length: size },
    () => scale === "dyadic" ? random.integer(-8, 8) / 8 : unit * random.normal(),
  );
  const box = boxAround(random, center, boxKind, unit, scale === "dyadic");
  const nodes: Node[] = [{ operator: "input", inputs: [], size, name: "x" }];
  const draft: Draft = { random, nodes, batch, scale, grid };
  if (random.chance(0.2)) pushNormalisation(draft);
  const blocks = random.integer(1, 3);
  for (let block = 0; block < blocks; block++) {
    pushBlock(draft, block === 0 || random.chance(0.7) ? structure : random.pick(STRUCTURES));
  }
  if (random.chance(0.3)) {
    pushDense(draft, random.integer(2, 12));
    pushActivation(random, nodes, "plain");
  }
  pushDense(draft, random.integer(1, 4));
  const name = `convolutional seed ${seed} index ${index} (${structure}, ${scale}, ${boxKind})`;
  return { name, structure, scale, boxKind, graph: { nodes }, ...box };
}

function pushBlock(draft: Draft, structure: Structure): void {
  const { random } = draft;
  switch (structure) {
    case "residual":
      pushResidual(draft);
      break;
    case "normalised":
      pushWindows(draft, null);
      pushNormalisation(draft);
      break;
    case "selected":
      pushSelection(draft);
      if (random.chance(0.5)) pushSelection(draft);
      pushWindows(draft, null);
      if (random.chance(0.5)) pushSelection(draft);
      break;
    case "concatenated":
      pushConcatenation(draft);
      break;
    case "transposed":
      if (random.chance(0.5)) pushWindows(draft, "strided");
      pushWindows(draft, null, true);
      break;
    default:
      pushWindows(draft, structure === "plain" ? null : structure);
  }
  pushActivation(random, draft.nodes, random.chance(0.6) ? "plain" : "mixed");
  if (random.chance(0.1)) pushSelection(draft);
}

/** Appends a node that reads `inputs` (the last node unless told) and returns its id. */
function push(
  { nodes }: Draft,
  node: Fresh<Exclude<Node, { operator: "input" }>>,
  size: number,
  inputs: readonly NodeId[] = [nodes.length - 1],
): NodeId {
  nodes.push({ ...node, inputs, size, name: `${node.operator}${nodes.length}` } as Node);
  return nodes.length - 1;
}

function pushWindows(draft: Draft, emphasis: Emphasis, transposed = draft.random.chance(0.1)): void {
  const windows = randomWindows(draft.random, draft.grid, draft.batch, transposed, emphasis);
  pushConvolution(draft, windows, transposed);
}

/** Returns the node's id; the draft's grid becomes that of the result. */
function pushConvolution(draft: Draft, windows: Windows, transposed: boolean, from?: NodeId): NodeId {
  const { random, scale, batch, nodes } = draft;
  draft.grid = transposed ? windows.fine : windows.coarse;
  const kernel = randomKernel(random, windows, scale);
  const bias = randomBias(random, draft.grid, batch, scale);
  const size = valuesOf(draft.grid, batch);
  return push(draft, { operator: "convolution", kernel, windows, transposed, bias }, size, [from ?? nodes.length - 1]);
}

/** conv, bend, conv beside the identity or a 1 by 1 convolution, then their sum. */
function pushResidual(draft: Draft): void {
  const { random, nodes, batch, grid } = draft;
  const start = nodes.length - 1;
  pushConvolution(draft, keepingWindows(grid, batch, 3), random.chance(0.2));
  if (random.chance(0.7)) {
    pushActivation(random, nodes, "plain");
    pushConvolution(draft, keepingWindows(grid, batch, 3), false);
  }
  if (random.chance(0.3)) pushNormalisation(draft);
  const branch = nodes.length - 1;
  const skip = random.chance(0.6) ? start : pushConvolution(draft, keepingWindows(grid, batch, 1), false, start);
  const signs = [random.sign(), random.sign()] as const;
  push(draft, { operator: "add", signs }, nodes[branch].size, random.chance(0.5) ? [branch, skip] : [skip, branch]);
}

/** A batch normalisation that could not be folded: x f (or x / f) a channel, f out of some roundings, and a shift. */
function pushNormalisation(draft: Draft): void {
  const { random, batch, grid, scale } = draft;
  const size = valuesOf(grid, batch);
  const common = random.pick([0.3081, 3, 0.1, -2.5, 640]);
  const draw = () => random.chance(0.6) ? common : random.pick([2, -0.5, 7, 1, random.normal()]);
  const inverse = random.chance(0.4);
  const factors = scale === "dyadic"
    ? overChannels(grid, batch, () => random.pick([0.5, 1, -2]))
    : inverse || random.chance(0.8)
    ? overChannels(grid, batch, draw) // few divisors: the quotients have one denominator
    : Float64Array.from({ length: size }, draw);
  const roundings = random.pick([undefined, 0, 1, 2, 5]);
  const node = { operator: "scale", factors, inverse } as const;
  push(draft, roundings === undefined ? node : { ...node, roundings }, size);
  if (random.chance(0.7)) {
    push(draft, { operator: "shift", offsets: overChannels(grid, batch, () => random.integer(-8, 8) / 8) }, size);
  }
}

function pushSelection(draft: Draft): void {
  const { random, grid, batch } = draft;
  const { map, transposed, grid: to } = randomSelection(random, grid, batch, random.pick(SELECTIONS));
  push(draft, { operator: "selection", map, transposed }, valuesOf(to, batch));
  draft.grid = to;
}

/** Two convolutions of the same values, the channels of one behind those of the other: a sum of two selections. */
function pushConcatenation(draft: Draft): void {
  const { random, grid, batch, nodes } = draft;
  const start = nodes.length - 1;
  const ends = [1, 2].map(() => {
    const room = Math.floor(MOST_VALUES / (2 * batch * positions(grid)));
    const channels = random.integer(1, Math.max(1, Math.min(3, room)));
    const windows = keepingWindows(grid, batch, random.pick([1, 3]));
    const id = pushConvolution(draft, { ...windows, coarse: { ...grid, channels } }, false, start);
    return { id, grid: draft.grid };
  });
  const [first, second] = ends;
  const maps = concatenation(first.grid, second.grid, batch);
  const size = maps[0].length;
  const parts = maps.map((map, k) =>
    push(draft, { operator: "selection", map, transposed: false }, size, [ends[k].id])
  );
  push(draft, { operator: "add", signs: [1, 1] }, size, parts);
  draft.grid = { ...grid, channels: first.grid.channels + second.grid.channels };
}

function pushDense(draft: Draft, rows: number): void {
  const { random, nodes, scale } = draft;
  const columns = nodes.at(-1)!.size, spread = scale === "dyadic" ? 1 : 1 / Math.sqrt(columns);
  const weights = Float64Array.from({ length: rows * columns }, () => weight(random, scale) * spread);
  const grid = { channels: rows, height: 1, width: 1 };
  push(draft, { operator: "affine", weights, bias: randomBias(random, grid, 1, scale) }, rows);
  draft.grid = grid;
}

/**
 * The network with factors that came out of two or more roundings moved to a neighbouring double: another of those that a
 * bound must hold for (shared/README.md (18)).
 */
export function neighbouringFactors(graph: Graph, random: Random): Graph {
  const nodes = graph.nodes.map((node) =>
    node.operator === "scale" && (node.roundings ?? 0) >= 2
      ? { ...node, factors: node.factors.map((f) => random.chance(0.2) ? f : neighbour(f, random.sign())) }
      : node
  );
  return { nodes };
}
