import { boundGraph, refine } from "../bounds/bound_graph.ts";
import { lowerBounds } from "../bounds/walk.ts";
import { type BoundOptions, type Group, type Pass, rulesOf, type Run } from "../bounds/pass.ts";
import type { Graph, NodeId } from "../graph.ts";
import { type Box, midpoint } from "../numeric/box.ts";
import { evaluatePlain, gradientPlain } from "../witness/plain_network.ts";
import { type Form, leastForms } from "./least_forms.ts";
import type { TreeNode } from "./tree.ts";

/**
 * What is maximised: the largest, over the alternatives, of the least of an alternative's outputs. Where it is below 0 no
 * alternative has all its outputs at 0 or above anywhere.
 */
export type Alternatives = readonly (readonly number[])[];

/** A box of inputs, one tree for each whole box: plain data. */
export interface BoxPiece extends TreeNode {
  readonly box: Box;
  /** By alternative: what is known of the least of its outputs over the box, from above. */
  readonly bounds: Float64Array;
  /** Proved bounds of the activations' inputs; null before the first pass. */
  readonly inputs: ReadonlyMap<NodeId, Box> | null;
  readonly depth: number;
}

/** Bytes that a piece keeps, roughly. */
export function bytesOfBox({ box, bounds, inputs }: BoxPiece): number {
  let numbers = box.lower.length;
  for (const { lower } of inputs?.values() ?? []) numbers += lower.length;
  return 500 + 8 * bounds.length + 16 * numbers;
}

const OPTIONS: BoundOptions = { refine: "linear", rule: "chord" };

export interface BoundedBoxes {
  readonly pass: Pass;
  readonly pieces: readonly (BoxPiece & { readonly inputs: ReadonlyMap<NodeId, Box> })[];
}

/**
 * Bounds boxes by one pass over the network, a group each; a bound is never above what was known. Call it in a scope of the
 * kernels. Rows are walked for the outputs of alternatives above their tree's level.
 */
export async function boundBoxes(
  graph: Graph,
  parts: readonly BoxPiece[],
  alternatives: readonly Alternatives[],
  levels: Float64Array,
  run: Run,
): Promise<BoundedBoxes> {
  const groups = parts.map(({ box, inputs }): Group => (inputs ? { box, inherited: inputs } : { box }));
  const pass = await boundGraph(graph, groups, OPTIONS, run), last = graph.nodes.length - 1;
  const rows = parts.map(({ tree, bounds }, g) => {
    const { upper } = pass.states[last].boxes[g], wanted = new Set<number>();
    alternatives[tree].forEach((outputs, a) => {
      if (Math.min(bounds[a], leastOf(upper, outputs)) > levels[tree]) outputs.forEach((k) => wanted.add(k));
    });
    return [...wanted].sort((a, b) => a - b);
  });
  await refine(pass, last, rows);
  const combined = await boundCombinations(pass, parts, alternatives, levels);
  const activations = graph.nodes.filter((node) => rulesOf(node)?.kind === "elementwise");
  const pieces = parts.map((part, g) => {
    if (pass.empty[g] === 1) throw new RangeError("Cannot search: a box was found empty");
    const { upper } = pass.states[last].boxes[g];
    const bounds = part.bounds.map((known, a) =>
      Math.min(known, leastOf(upper, alternatives[part.tree][a]), combined[g].get(a) ?? Infinity)
    );
    const inputs = new Map(activations.map(({ inputs: [id] }) => [id, pass.states[id].boxes[g]] as const));
    return { ...part, bounds, upper: largestOf(bounds), inputs };
  });
  return { pass, pieces };
}

/**
 * By part and alternative: bounds of convex combinations of the alternative's outputs, one where they alone leave it open. The
 * weights are those that suit the network's linear form at the box's middle best; any are sound.
 */
async function boundCombinations(
  pass: Pass,
  parts: readonly BoxPiece[],
  alternatives: readonly Alternatives[],
  levels: Float64Array,
): Promise<readonly ReadonlyMap<number, number>[]> {
  const { graph, states } = pass, last = graph.nodes.length - 1, { size } = graph.nodes[last];
  const asked: { readonly group: number; readonly alternative: number; readonly row: Float64Array }[] = [];
  parts.forEach(({ tree, box, bounds }, group) => {
    const { upper } = states[last].boxes[group];
    alternatives[tree].forEach((outputs, alternative) => {
      if (outputs.length < 2 || Math.min(bounds[alternative], leastOf(upper, outputs)) <= levels[tree]) return;
      const { weights } = leastForms(formsAt(graph, midpoint(box), outputs), NO_HALF_SPACES, box);
      if (weights.includes(1)) return;
      const row = new Float64Array(size);
      outputs.forEach((k, i) => row[k] = -weights[i]);
      asked.push({ group, alternative, row });
    });
  });
  const found = parts.map(() => new Map<number, number>());
  if (asked.length === 0) return found;
  const coefficients = new Float64Array(asked.length * size);
  asked.forEach(({ row }, r) => coefficients.set(row, r * size));
  const groups = Int32Array.from(asked, ({ group }) => group);
  const least = await lowerBounds(pass, last, { groups, start: { layout: "dense", coefficients } });
  asked.forEach(({ group, alternative }, r) => found[group].set(alternative, -least[r]));
  return found;
}

const NO_HALF_SPACES = { rows: new Float64Array(0), constants: new Float64Array(0) };

/** The outputs near a point as affine forms, in plain arithmetic. */
function formsAt(graph: Graph, point: Float64Array, outputs: readonly number[]): Form[] {
  const trace = evaluatePlain(graph, point), last = graph.nodes.length - 1;
  return outputs.map((k) => {
    const slopes = gradientPlain(graph, trace, unitRow(graph.nodes[last].size, k));
    return { slopes, constant: slopes.reduce((sum, slope, j) => sum - slope * point[j], trace.values[last][k]) };
  });
}

function unitRow(size: number, k: number): Float64Array {
  return new Float64Array(size).fill(1, k, k + 1);
}

export function leastOf(values: Float64Array, outputs: readonly number[]): number {
  return outputs.reduce((least, k) => Math.min(least, values[k]), Infinity);
}

export function largestOf(bounds: Float64Array): number {
  return bounds.reduce((a, b) => Math.max(a, b), -Infinity);
}

/** The halves of a box along the input that matters most; empty where no double lies between the ends. */
export function halvesOf(graph: Graph, piece: BoxPiece, alternatives: Alternatives, level: number): BoxPiece[] {
  const { box } = piece, effect = effectOf(graph, piece, alternatives, level);
  let feature = -1, at = 0;
  for (let j = 0; j < effect.length; j++) {
    const middle = box.lower[j] / 2 + box.upper[j] / 2;
    if (!(box.lower[j] < middle && middle < box.upper[j])) continue;
    if (feature < 0 || effect[j] > effect[feature]) [feature, at] = [j, middle];
  }
  if (feature < 0) return [];
  const depth = piece.depth + 1, lower = box.lower.slice(), upper = box.upper.slice();
  lower[feature] = at;
  upper[feature] = at;
  return [{ ...piece, box: { lower: box.lower, upper }, depth }, { ...piece, box: { lower, upper: box.upper }, depth }];
}

/** By input: how much the outputs of alternatives above the level change over the box, by gradients at three points of it. */
function effectOf(graph: Graph, { box, bounds }: BoxPiece, alternatives: Alternatives, level: number): Float64Array {
  const { lower, upper } = box, effect = new Float64Array(lower.length);
  const open = new Set(alternatives.flatMap((outputs, a) => bounds[a] > level ? outputs : []));
  for (const t of [0.25, 0.5, 0.75]) {
    const trace = evaluatePlain(graph, lower.map((l, j) => l + t * (upper[j] - l)));
    for (const k of open) {
      const seed = unitRow(graph.nodes[graph.nodes.length - 1].size, k);
      gradientPlain(graph, trace, seed).forEach((slope, j) => effect[j] += Math.abs(slope) * (upper[j] - lower[j]));
    }
  }
  return effect;
}
