import type { Graph, NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { decideLeaf, type Decision, LEAF_LIMITS } from "../linear/decide_leaf.ts";
import { type AllPhases, type ExactForm, exactForm, exactOutput, lessNumber } from "../linear/exact_form.ts";
import { isInside } from "../linear/empty.ts";
import type { HalfSpaces } from "../linear/half_spaces.ts";
import { pointBeside } from "../linear/point_beside.ts";
import { roomiest } from "../linear/polytope.ts";
import { rulesOf } from "../bounds/pass.ts";
import { gradientOf } from "../condensed/plain.ts";
import { entryOf, normOf } from "../linear/exact_norm.ts";
import type { ElementwiseOperator } from "../operators/operator.ts";
import { phaseOf } from "../witness/exact_gradients.ts";
import type { Aim } from "./objective.ts";
import type { Bounded } from "./push_down.ts";
import { INFLATION, type Region } from "./region.ts";

/** The network itself, for what only exact arithmetic decides: the graph, and proved bounds of its activations' inputs. */
export interface Original {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<NodeId, Box>;
}

/** The half-spaces of a piece on which every unit has its phase: those that its bounds leave open, by unit. */
export interface LeafForms {
  readonly units: readonly number[];
  readonly halfSpaces: HalfSpaces;
  readonly errors: Float64Array;
}

/**
 * phase_u h_u >= 0 as affine forms of x, with their errors on the box.
 *
 * Row u is its own inputs plus K_uv times row v of the active units below, one level after the other: what a level rounds, and
 * what its numbers are off by, is at most `factor` times the magnitudes of its terms; what the rows below are off by comes on top.
 */
export function leafForms(region: Region, { phases, heights }: Bounded): LeafForms {
  const { width, features, below, rows, inputs, charges, factor, share, network } = region;
  const { bias, reach, unitMagnitudes } = network, lost = width * region.underflow;
  const all = new Float64Array(width * features), constants = bias.slice(0, width);
  const errors = new Float64Array(width), sizes = new Float64Array(width);
  all.set(inputs);
  for (let u = 0; u < width; u++) {
    let inherited = 0, mass = charges[u];
    const to = u * features;
    for (let v = 0; v < below[u]; v++) {
      const weight = rows[u * width + v];
      if (phases[v] < 0) continue;
      mass += (Math.abs(weight) + share * unitMagnitudes[u * width + v]) * sizes[v];
      if (weight === 0) continue;
      inherited += Math.abs(weight) * errors[v];
      constants[u] += weight * constants[v];
      for (let j = 0, from = v * features; j < features; j++) all[to + j] += weight * all[from + j];
    }
    errors[u] = (inherited + factor * mass) * INFLATION + lost;
    let size = Math.abs(constants[u]) + errors[u];
    for (let j = 0; j < features; j++) size += Math.abs(all[to + j]) * reach[j];
    sizes[u] = size * INFLATION;
  }
  const units: number[] = [];
  for (let u = 0; u < width; u++) {
    if (phases[u] > 0 ? !(heights.lower[u] > 0) : !(heights.upper[u] < 0)) units.push(u);
  }
  const chosen = new Float64Array(units.length * features);
  units.forEach((u, i) => {
    for (let j = 0; j < features; j++) chosen[i * features + j] = phases[u] * all[u * features + j];
  });
  return {
    units,
    halfSpaces: { rows: chosen, constants: Float64Array.from(units, (u) => phases[u] * constants[u]) },
    errors: Float64Array.from(units, (u) => errors[u]),
  };
}

/** Does a piece on which every unit has its phase have an interior? Source: shared/README.md (24) */
export function decide(region: Region, original: Original, piece: Bounded, forms = leafForms(region, piece)): Decision {
  const { units, halfSpaces, errors } = forms, rowOf = exactRows(region, original, piece.phases);
  return decideLeaf({ box: piece.box, halfSpaces, errors, exactRow: (i) => rowOf(units[i]) });
}

/**
 * Is a piece of a region without interior, on which every unit has its phase, proved to be no part of an activation region of the
 * space around? Its half-spaces then have no interior in a box around the piece's; `forms` are those of the piece.
 */
export function isThinAround(
  region: Region,
  original: Original,
  piece: Bounded,
  forms = leafForms(region, piece),
): boolean {
  const { units, halfSpaces, errors } = forms, { lower, upper } = piece.box;
  const box = { lower: lower.map((l) => l - 1 - Math.abs(l)), upper: upper.map((u) => u + 1 + Math.abs(u)) };
  // A guess, in plain arithmetic: such a piece stays.
  if (isInside(halfSpaces, errors.map((e) => e * ROOM), box, roomiest(halfSpaces, box).point)) return false;
  const rowOf = exactRows(region, original, piece.phases), unknown = errors.map(() => Infinity);
  const { kind } = decideLeaf({ box, halfSpaces, errors: unknown, exactRow: (i) => rowOf(units[i]) });
  return kind === "empty" || kind === "thin";
}

/** Room is guessed where it is so many times what is off over the region. */
const ROOM = 1024;

/** A point of doubles in a piece on which every unit has its phase, near a given one: exactly in it, on its ends or not. */
export function pointInside(
  region: Region,
  original: Original,
  piece: Bounded,
  near: Float64Array,
  { units } = leafForms(region, piece),
): Float64Array | null {
  if (units.length > LEAF_LIMITS.rows) return null;
  const rowOf = exactRows(region, original, piece.phases), rows = units.map(rowOf);
  return rows.every((row) => row !== null) ? pointBeside(rows, piece.box, near) : null;
}

/** phase_u h_u as an affine form of x where every unit has its phase, exactly; null where it cannot be had, or only with too much work. */
export function exactRows(region: Region, original: Original, phases: Int8Array): (unit: number) => ExactForm | null {
  let all: AllPhases | null = null;
  const work = { products: WORK };
  return (u) => {
    const unit = region.network.units[u];
    all ??= allPhases(region, original, phases);
    const node = original.graph.nodes[unit.activation].inputs[0];
    const form = exactForm(original.graph, all, node, unit.index, work);
    return form && signed(lessNumber(form, unit.kink), phases[u]);
  };
}

/** What a gradient's aim is where every unit has its phase: J is one matrix. */
export interface LeafAim {
  readonly upper: number;
  /** In plain arithmetic. */
  readonly value: number;
}

/**
 * The bound of a leaf's gradient, at most `upper`: where rounding may hide what it is, J is computed exactly from the network
 * and its number rounded once, so that what cancels is 0.
 */
export function boundAim(region: Region, original: Original, phases: Int8Array, aim: Aim, upper: number): LeafAim {
  const { features, network } = region;
  const gradient = gradientOf(network, phases.map((phase) => (phase > 0 ? 1 : 0)), aim.row);
  let value = 0;
  if (aim.kind === "entry") value = gradient[aim.feature];
  else for (let j = 0; j < features; j++) value += Math.abs(gradient[j]);
  if (upper - value <= CLEAR * Math.abs(value)) return { upper, value };
  const form = exactOutput(original.graph, allPhases(region, original, phases), aim.row, { products: WORK });
  if (form === null) return { upper, value };
  const exact = aim.kind === "entry" ? entryOf(form, aim.feature) : normOf(form);
  return { upper: Math.min(upper, exact.upper), value };
}

/** What rounding may add to a leaf before it is computed exactly, relative: far below what is called exact. */
const CLEAR = 2 ** -24;

/** Products of exact numbers that one leaf may cost. */
const WORK = 2_000_000;

/** The phase of every neuron: those of the units, and of the others the piece of their activation that their bounds lie in. */
function allPhases({ network }: Region, { graph, inputs }: Original, phases: Int8Array): AllPhases {
  const all = new Map<NodeId, Int8Array>();
  for (const [id, node] of graph.nodes.entries()) {
    const rules = rulesOf(node);
    if (rules?.kind !== "elementwise") continue;
    const { piece, linearPieces } = rules as ElementwiseOperator, box = inputs.get(node.inputs[0])!;
    all.set(
      id,
      Int8Array.from({ length: node.size }, (_, i) => {
        const l = box.lower[i], h = box.upper[i];
        if (!piece) return l >= 0 ? 1 : -1;
        if (linearPieces!(node, i).kinks.length === 0) return phaseOf(node, i, 0);
        return [1, -1, 2].find((phase) => {
          const [from, to] = piece(phase, node, i);
          return from <= l && h <= to;
        }) ?? 0;
      }),
    );
  }
  // The kinks of one neuron ascend: each that is passed moves it on by one piece.
  network.units.forEach(({ activation, index, kink }, u) => {
    const node = graph.nodes[activation], { piece } = rulesOf(node) as ElementwiseOperator;
    const decided = all.get(activation)!;
    if (!piece) decided[index] = phases[u];
    else if (kink === piece(1, node, index)[0]) decided[index] = phases[u];
    else if (phases[u] > 0) decided[index] = 2;
    else if (decided[index] === 0) decided[index] = 1;
  });
  return all;
}

function signed(form: ExactForm, sign: number): ExactForm {
  if (sign > 0) return form;
  return { ...form, coefficients: form.coefficients.map((c) => -c), constant: -form.constant };
}
