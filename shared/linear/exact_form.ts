import type { Graph, NodeId } from "../graph.ts";
import type { Box } from "../numeric/box.ts";
import { atExponent, dyadicsOf } from "../numeric/dyadic.ts";
import { added, pullBack, type Pulled, type Work } from "./pull_back.ts";

/** The affine form (sum_j coefficients_j x_j + constant) 2^exponent / denominator, exactly; denominator > 0. */
export interface ExactForm {
  readonly coefficients: readonly bigint[];
  readonly constant: bigint;
  readonly exponent: number;
  readonly denominator: bigint;
}

/** Decided phases of every neuron, by id of the activation: 1 and -1, of clip also 2, as everywhere; 0 is not decided. */
export type AllPhases = ReadonlyMap<NodeId, Int8Array>;

/**
 * Value `index` of a node as an affine form of the input, exactly, where every neuron below has its phase.
 *
 * null where it cannot be said exactly: an undecided phase of a neuron that matters, a `scale` that came out of roundings,
 * divisors with too many different odd parts, or more work than allowed (a product counts 1, whatever its length).
 * Cost: the products of one row pulled back through the neurons that are not 0.
 */
export function exactForm(graph: Graph, phases: AllPhases, node: NodeId, index: number, work: Work): ExactForm | null {
  const values = new Array<bigint>(graph.nodes[node].size).fill(0n);
  values[index] = 1n;
  return formFrom(graph, phases, node, { values, exponent: 0, denominator: 1n }, work);
}

/** A row over the outputs, c . f, as an affine form of the input: as {@link exactForm}. Its coefficients are c's gradient. */
export function exactOutput(graph: Graph, phases: AllPhases, row: Float64Array, work: Work): ExactForm | null {
  const { integers: values, exponent } = dyadicsOf(row);
  return formFrom(graph, phases, graph.nodes.length - 1, { values, exponent, denominator: 1n }, work);
}

function formFrom(graph: Graph, phases: AllPhases, node: NodeId, start: Pulled, work: Work): ExactForm | null {
  const pulled = new Map<NodeId, Pulled>([[node, start]]);
  let constant: Pulled = { values: [0n], exponent: 0, denominator: 1n };
  for (let id = node; id > 0; id--) {
    const here = pulled.get(id);
    if (here === undefined) continue;
    pulled.delete(id);
    const step = pullBack(graph, id, here, phases.get(id) ?? null, work);
    if (step === null) return null;
    if (step.constant !== null) constant = added(constant, step.constant);
    step.inputs.forEach((values, k) => {
      const below = graph.nodes[id].inputs[k], other = pulled.get(below);
      pulled.set(below, other === undefined ? values : added(other, values));
    });
  }
  const features = pulled.get(0) ??
    { values: new Array<bigint>(graph.nodes[0].size).fill(0n), exponent: 0, denominator: 1n };
  return together(features, constant);
}

function together(features: Pulled, constant: Pulled): ExactForm {
  const exponent = Math.min(features.exponent, constant.exponent);
  const values = scaled(features, exponent, constant.denominator),
    [offset] = scaled(constant, exponent, features.denominator);
  return { coefficients: values, constant: offset, exponent, denominator: features.denominator * constant.denominator };
}

function scaled({ values, exponent }: Pulled, smaller: number, factor: bigint): readonly bigint[] {
  const shifted = atExponent({ integers: values, exponent }, smaller);
  return factor === 1n ? shifted : shifted.map((n) => n * factor);
}

/** The form at a point of doubles: its value's numerator over `denominator`, times a power of two. Its sign is the value's. */
export function numeratorAt({ coefficients, constant }: ExactForm, point: ArrayLike<number>): bigint {
  const at = dyadicsOf(point), exponent = Math.min(at.exponent, 0), places = atExponent(at, exponent);
  return coefficients.reduce((sum, c, j) => (c === 0n ? sum : sum + c * places[j]), constant << BigInt(-exponent));
}

/** The form less a number. */
export function lessNumber(form: ExactForm, number: number): ExactForm {
  if (number === 0) return form;
  const taken = dyadicsOf([number]), exponent = Math.min(form.exponent, taken.exponent);
  const lift = BigInt(form.exponent - exponent), [integer] = atExponent(taken, exponent);
  return {
    coefficients: form.coefficients.map((c) => c << lift),
    constant: (form.constant << lift) - integer * form.denominator,
    exponent,
    denominator: form.denominator,
  };
}

/** Doubles as a form: for half-spaces that are exact as they are. */
export function formOfDoubles(row: ArrayLike<number>, constant: number): ExactForm {
  const { integers, exponent } = dyadicsOf([...Array.from(row), constant]);
  return { coefficients: integers.slice(0, -1), constant: integers[integers.length - 1], exponent, denominator: 1n };
}

/** The same form on the box: coordinates without width are constants there, their coefficients 0. */
export function onBox(form: ExactForm, { lower, upper }: Box): ExactForm {
  const fixed = lower.map((l, j) => (l === upper[j] ? l : 0));
  if (fixed.every((value) => value === 0)) {
    const coefficients = form.coefficients.map((c, j) => (lower[j] === upper[j] ? 0n : c));
    return { ...form, coefficients };
  }
  const at = dyadicsOf(fixed), shift = Math.min(at.exponent, 0), lift = BigInt(-shift);
  const places = atExponent(at, shift);
  let constant = form.constant << lift;
  form.coefficients.forEach((c, j) => constant += c * places[j]);
  return {
    coefficients: form.coefficients.map((c, j) => (lower[j] === upper[j] ? 0n : c << lift)),
    constant,
    exponent: form.exponent + shift,
    denominator: form.denominator,
  };
}
