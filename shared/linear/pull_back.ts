import type { AffineNode, ConvolutionNode, Graph, Node, NodeId, ScaleNode } from "../graph.ts";
import { atExponent, bitLength, type Dyadics, dyadicsOf, greatestCommonDivisor } from "../numeric/dyadic.ts";

/** Coefficients over a node's values: values_i 2^exponent / denominator. */
export interface Pulled {
  readonly values: readonly bigint[];
  readonly exponent: number;
  readonly denominator: bigint;
}

/** Products that may still be made; counted down. */
export interface Work {
  products: number;
}

/** What a node's coefficients become: over its inputs, and the constant they meet. */
export interface PulledStep {
  readonly inputs: readonly Pulled[];
  readonly constant: Pulled | null;
}

/** The sum of two vectors. */
export function added(a: Pulled, b: Pulled): Pulled {
  const exponent = Math.min(a.exponent, b.exponent);
  const left = atExponent({ integers: a.values, exponent: a.exponent }, exponent);
  const right = atExponent({ integers: b.values, exponent: b.exponent }, exponent);
  if (a.denominator === b.denominator) {
    return { values: left.map((n, i) => n + right[i]), exponent, denominator: a.denominator };
  }
  const values = left.map((n, i) => n * b.denominator + right[i] * a.denominator);
  return { values, exponent, denominator: a.denominator * b.denominator };
}

/** Coefficients over node `id` pulled back through it, exactly; null where that cannot be done (see `exactForm`). */
export function pullBack(graph: Graph, id: NodeId, p: Pulled, phases: Int8Array | null, work: Work): PulledStep | null {
  const node = graph.nodes[id], below = node.inputs.length > 0 ? graph.nodes[node.inputs[0]].size : 0;
  if (work.products < 0) return null;
  const one = (pulled: Pulled, constant: Pulled | null = null): PulledStep => ({ inputs: [pulled], constant });
  switch (node.operator) {
    case "affine":
      return one(throughMatrix(node, p, below, work), met(p, node.bias));
    case "convolution":
      return one(throughWindows(node, p, below, work), met(p, node.bias));
    case "selection": {
      const values = zeros(below);
      for (let i = 0; i < node.map.length; i++) {
        const [to, from] = node.transposed ? [i, node.map[i]] : [node.map[i], i];
        if (to >= 0 && from >= 0) values[to] += p.values[from];
      }
      return one({ ...p, values });
    }
    case "shift":
      return one(p, met(p, node.offsets));
    case "add":
      return { inputs: node.signs.map((s) => s === 1 ? p : { ...p, values: p.values.map((n) => -n) }), constant: null };
    case "scale": {
      if ((node.roundings ?? 0) > 0) return null;
      const pulled = node.inverse ? divided(p, node) : { ...p, ...times(p, dyadicsOf(node.factors)) };
      return pulled && one(pulled);
    }
    default:
      return throughActivation(node, p, phases);
  }
}

function zeros(size: number): bigint[] {
  return new Array<bigint>(size).fill(0n);
}

function times(p: Pulled, factors: Dyadics): { values: bigint[]; exponent: number } {
  const values = p.values.map((n, i) => (n === 0n ? 0n : n * factors.integers[i]));
  return { values, exponent: p.exponent + factors.exponent };
}

/** The sum of p_i t_i, as a vector of one. */
function met(p: Pulled, offsets: Float64Array | null): Pulled | null {
  if (offsets === null) return null;
  const { values, exponent } = times(p, dyadicsOf(offsets));
  return { values: [values.reduce((sum, n) => sum + n, 0n)], exponent, denominator: p.denominator };
}

/** Constants as integers, made once for as long as a network lives. */
const integersOf = new WeakMap<Float64Array, Dyadics>();

function constantsOf(values: Float64Array, work: Work): Dyadics {
  let known = integersOf.get(values);
  if (known === undefined) {
    work.products -= values.length;
    known = dyadicsOf(values);
    integersOf.set(values, known);
  }
  return known;
}

function throughMatrix({ weights, transposed, size }: AffineNode, p: Pulled, below: number, work: Work): Pulled {
  const values = zeros(below);
  const used = p.values.reduce((count, n) => (n === 0n ? count : count + 1), 0);
  work.products -= used * below;
  if (work.products < weights.length && !integersOf.has(weights)) work.products = -1;
  if (work.products < 0) return { ...p, values };
  const { integers, exponent } = constantsOf(weights, work);
  const [rowStep, columnStep] = transposed ? [1, size] : [below, 1];
  for (let i = 0; i < size; i++) {
    const factor = p.values[i];
    if (factor === 0n) continue;
    for (let j = 0, at = i * rowStep; j < below; j++, at += columnStep) {
      if (integers[at] !== 0n) values[j] += factor * integers[at];
    }
  }
  return { values, exponent: p.exponent + exponent, denominator: p.denominator };
}

/** By the definition of the windows: coarse position o meets the fine positions o stride - begin + k dilation. */
function throughWindows(
  { kernel, windows, transposed }: ConvolutionNode,
  p: Pulled,
  below: number,
  work: Work,
): Pulled {
  const { batch, groups, coarse, fine, kernel: [height, width], stride, dilation, begin } = windows;
  const { integers, exponent } = constantsOf(kernel, work);
  const values = zeros(below), inner = fine.channels / groups, outer = coarse.channels / groups;
  for (let plane = 0; plane < batch * coarse.channels; plane++) {
    const image = Math.floor(plane / coarse.channels), channel = plane % coarse.channels;
    const first = image * fine.channels + Math.floor(channel / outer) * inner;
    for (let position = 0; position < coarse.height * coarse.width; position++) {
      const top = Math.floor(position / coarse.width) * stride[0] - begin[0];
      const left = position % coarse.width * stride[1] - begin[1];
      const one = plane * coarse.height * coarse.width + position;
      if (!transposed && p.values[one] === 0n) continue;
      work.products -= inner * height * width;
      if (work.products < 0) return { ...p, values };
      for (let tap = 0; tap < inner * height * width; tap++) {
        const y = top + Math.floor(tap / width) % height * dilation[0], x = left + tap % width * dilation[1];
        if (y < 0 || y >= fine.height || x < 0 || x >= fine.width) continue;
        const other = ((first + Math.floor(tap / (height * width))) * fine.height + y) * fine.width + x;
        const entry = integers[channel * inner * height * width + tap];
        if (transposed) values[one] += p.values[other] * entry;
        else values[other] += p.values[one] * entry;
      }
    }
  }
  return { values, exponent: p.exponent + exponent, denominator: p.denominator };
}

/** p_i / f_i over one denominator, the least common multiple of the odd parts of the divisors; null where it grows long. */
function divided(p: Pulled, { factors }: ScaleNode): Pulled | null {
  const { integers, exponent } = dyadicsOf(factors);
  let common = 1n;
  for (let i = 0; i < integers.length; i++) {
    if (p.values[i] === 0n) continue;
    common *= integers[i] / greatestCommonDivisor(common, integers[i]);
    if (common < 0n) common = -common;
    if (bitLength(common) > LONGEST_DIVISOR) return null;
  }
  const values = p.values.map((n, i) => (n === 0n ? 0n : n * (common / integers[i])));
  return { values, exponent: p.exponent - exponent, denominator: p.denominator * common };
}

const LONGEST_DIVISOR = 2048;

/** Every neuron on its piece, slope z + offset; null where one that matters is not decided. */
function throughActivation(node: Node, p: Pulled, phases: Int8Array | null): PulledStep | null {
  const slopes = new Float64Array(p.values.length), offsets = new Float64Array(p.values.length);
  for (let i = 0; i < slopes.length; i++) {
    if (p.values[i] === 0n) continue;
    const phase = phases === null ? 0 : phases[i];
    if (phase === 0) return null;
    if (node.operator === "relu") slopes[i] = phase === 1 ? 1 : 0;
    else if (node.operator === "leaky_relu") slopes[i] = phase === 1 ? 1 : node.slopes[i];
    else if (node.operator === "abs") slopes[i] = phase;
    else if (node.operator !== "clip") return null;
    else if (phase === 1) slopes[i] = 1;
    else offsets[i] = phase === 2 ? node.upper[i] : node.lower[i];
    if (!Number.isFinite(offsets[i])) return null;
  }
  const pulled = { ...p, ...times(p, dyadicsOf(slopes)) };
  return { inputs: [pulled], constant: node.operator === "clip" ? met(p, offsets) : null };
}
