import type { NodeId } from "../graph.ts";
import { type Buffer, type Kernels, paddedLength } from "../kernels/kernels.ts";
import type { Coefficients, DerivativeRange } from "../operators/operator.ts";
import { SMALLEST_SUBNORMAL, unitRoundoff } from "../numeric/rounding.ts";
import { buffersOf, handOn, takeStep } from "./block.ts";
import type { Pass } from "./pass.ts";
import { type Path, pathBelow, positionIn } from "./path.ts";
import { addRoundings, INFLATION, type Roundings } from "./roundings.ts";
import { magnitudesAt } from "./steps.ts";
import { type Support, supportsBelow } from "./support.ts";

/**
 * Some values of the graph of a Jacobian as linear functions of the unstable neurons that they reach:
 * p = M G + C c, with G the gated values g_u and c the seed. The unstable neurons' own values stand below them.
 *
 * It is the walk itself, run once for all groups without their lines: a stable neuron is its constant derivative, an
 * unstable one stays. Rows are off by at most gamma_roundings `mass`, and `mass` >= |M| |G| + |C| |c|: shared/README.md (14).
 */
export interface Condensed {
  /** Unstable neurons by layer, from the target on: the product node, and the neuron of each column. */
  readonly layers: readonly Layer[];
  /** M and C by rows: the target's values, then the layers' neurons in their order; [rows][width], [rows][outputs]. */
  readonly matrix: Float64Array;
  readonly width: number;
  readonly seeds: Float64Array;
  readonly outputs: number;
  readonly mass: Float64Array;
  /** At least |M| |G| + |C| |c| of each row over every group: in f64 the mass itself, in f32 that sum (21). */
  readonly size: Float64Array;
  readonly roundings: Roundings;
}

export interface Layer {
  readonly product: NodeId;
  readonly neurons: Int32Array;
  /** The column of the first. */
  readonly from: number;
}

/** The graph of a Jacobian over one region: all groups share the ranges of derivatives, each has a seed of its own. */
export function canCondense(pass: Pass): boolean {
  if (!pass.options.condense || pass.options.refine !== "linear") return false;
  if (pass.groups.some(({ box }) => box.lower !== box.upper)) return false;
  const [first] = pass.groups;
  let products = 0;
  for (let id = 1; id < pass.graph.nodes.length; id++) {
    const { operator } = pass.graph.nodes[id];
    if (operator === "abs" && id === pass.graph.nodes.length - 1) continue;
    if (operator === "shift" || pass.states[id]?.relaxations && operator !== "derivative_product") return false;
    if (operator !== "derivative_product") continue;
    products++;
    const range = first.ranges?.get(id);
    if (!range || pass.groups.some(({ ranges }) => ranges?.get(id) !== range)) return false;
  }
  return products > 0;
}

/** The unstable neurons that rows reach, layer by layer from the target on. */
export function layersOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>): Layer[] {
  const layers: Layer[] = [];
  let from = 0;
  for (const id of [...supports.keys()].sort((a, b) => b - a)) {
    const range = pass.groups[0].ranges?.get(id);
    if (!range) continue;
    const { columns } = supports.get(id)!;
    const neurons = columns === null
      ? Int32Array.from(openIndices(range))
      : columns.filter((i) => range.lower[i] < range.upper[i]);
    layers.push({ product: id, neurons, from });
    from += neurons.length;
  }
  return layers;
}

/** Unstable neurons of a product node. */
export function openIndices({ lower, upper }: DerivativeRange): number[] {
  const open: number[] = [];
  for (let i = 0; i < lower.length; i++) if (lower[i] < upper[i]) open.push(i);
  return open;
}

/** Walks the target's rows and, from each layer on, those of its unstable neurons, down to the seed. */
export async function condense(
  pass: Pass,
  shared: Pass,
  target: NodeId,
  indices: Int32Array,
  supports: ReadonlyMap<NodeId, Support> = supportsBelow(pass, target, indices, 0),
  layers: readonly Layer[] = layersOf(pass, supports),
): Promise<Condensed> {
  const { kernels } = pass.run;
  const width = widthOf(layers);
  const count = indices.length + width;
  return await kernels.scope(async () => {
    const path = pathBelow(shared, target, { layout: "unit", indices }, 0, supports);
    const groups = kernels.uploadIndices(new Int32Array(count));
    const magnitudes = kernels.upload(startMagnitudes(shared, path, target, indices, layers, count));
    const sums = { constants: kernels.allocate(count), magnitudes };
    const free = Array.from({ length: buffersOf(path) }, () => kernels.allocateCoefficients(count * path.widest));
    const waiting = new Map<number, Coefficients>();
    waiting.set(path.start, startRows(kernels, path, indices, free.pop()!));
    const parts: Float64Array[] = [];
    let rows = indices.length;
    for (const { from, step, to } of path.moves) {
      const { buffer: coefficients, columns } = waiting.get(from)!;
      waiting.delete(from);
      const layer = layers.find(({ product, neurons }) => product === from && neurons.length > 0);
      if (layer) parts.push(await columnsAt(kernels, coefficients, rows, columns, layer, supports.get(from)!));
      const call = { rows, columns, coefficients, groups, ...sums };
      handOn(kernels, takeStep(kernels, step, call, free), call, to, waiting, free);
      if (!layer) continue;
      const [{ place: input }] = to;
      const places = layer.neurons.map(positionIn(supports.get(input)!.columns));
      for (const [place, { buffer, columns }] of waiting) {
        kernels.unitRows({
          out: buffer,
          columns,
          first: rows,
          places: place === input ? places : places.map(() => -1),
        });
      }
      rows += layer.neurons.length;
    }
    const { buffer, columns: outputs } = waiting.get(0)!;
    const [seeds, mass] = await Promise.all([
      kernels.read(buffer, count * paddedLength(outputs)),
      kernels.read(magnitudes),
    ]);
    const [lost] = path.underflow;
    const matrix = assemble(layers, parts, count, width);
    // gamma_1 times the second term is above what underflow may lose.
    const paid = mass.map((m) => m * INFLATION + lost * 2 / unitRoundoff(kernels.precision));
    return {
      layers,
      matrix,
      width,
      seeds,
      outputs,
      mass: paid,
      size: kernels.precision === "f64" ? paid : sizesOf(pass, layers, matrix, width, seeds, outputs),
      roundings: addRoundings(path.roundings, { sum: 8 }),
    };
  });
}

/** |M| |G| + |C| |c| of every row, rounded up, with the largest magnitudes of all groups. */
function sizesOf(
  pass: Pass,
  layers: readonly Layer[],
  matrix: Float64Array,
  width: number,
  seeds: Float64Array,
  outputs: number,
): Float64Array {
  const most = (id: NodeId) =>
    magnitudesAt(pass, id).reduce((most, sizes) => most.map((size, i) => Math.max(size, sizes[i])));
  const gated = new Float64Array(width), padded = paddedLength(outputs), chosen = most(0);
  for (const { product, neurons, from } of layers) {
    const sizes = most(product);
    neurons.forEach((i, u) => gated[from + u] = sizes[i]);
  }
  return Float64Array.from({ length: seeds.length / padded }, (_, r) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += Math.abs(matrix[r * width + j]) * gated[j];
    for (let k = 0; k < outputs; k++) sum += Math.abs(seeds[r * padded + k]) * chosen[k];
    return sum * INFLATION + SMALLEST_SUBNORMAL * (width + outputs);
  });
}

/** Unstable neurons of all layers. */
export function widthOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { neurons }) => sum + neurons.length, 0);
}

/** What is charged for the rows themselves: q of a matrix's rows, |value| where a row starts as a unit row over it. */
function startMagnitudes(
  shared: Pass,
  { rows }: Path,
  target: NodeId,
  indices: Int32Array,
  layers: readonly Layer[],
  count: number,
): Float64Array {
  const magnitudes = new Float64Array(count);
  const [values] = magnitudesAt(shared, target);
  indices.forEach((i, r) => magnitudes[r] = rows ? rows.magnitude(0, i) : values[i]);
  for (const { product, neurons, from } of layers) {
    const [p] = magnitudesAt(shared, shared.graph.nodes[product].inputs[0]);
    neurons.forEach((i, u) => magnitudes[indices.length + from + u] = p[i]);
  }
  return magnitudes;
}

/** A row for each of the target's values: of its matrix, or a unit row over itself. */
function startRows(kernels: Kernels, path: Path, indices: Int32Array, out: Buffer): Coefficients {
  const columns = path.startWidth;
  if (path.rows) {
    kernels.gatherRows({
      out,
      matrix: path.rows.matrix,
      indices: kernels.uploadIndices(indices.map(path.rows.position)),
      signs: kernels.uploadIndices(new Int32Array(indices.length).fill(1)),
      rows: indices.length,
      columns,
    });
  } else {
    kernels.unitRows({ out, columns, first: 0, places: indices.map(positionIn(path.startColumns)) });
  }
  return { layout: "dense", buffer: out, columns };
}

/** The coefficients of all rows over the unstable neurons of a layer, [rows][padded]. */
async function columnsAt(
  kernels: Kernels,
  source: Buffer,
  rows: number,
  columns: number,
  { neurons }: Layer,
  support: Support,
): Promise<Float64Array> {
  return await kernels.scope(async () => {
    const out = kernels.allocateCoefficients(rows * paddedLength(neurons.length));
    kernels.gatherMatrix({
      out,
      source,
      rows: kernels.uploadIndices(Int32Array.from({ length: rows }, (_, r) => r)),
      columns: kernels.uploadIndices(neurons.map(positionIn(support.columns))),
      rowStride: paddedLength(columns),
      columnStride: 1,
    });
    return await kernels.read(out);
  });
}

function assemble(
  layers: readonly Layer[],
  parts: readonly Float64Array[],
  count: number,
  width: number,
): Float64Array {
  const matrix = new Float64Array(count * width);
  layers.filter(({ neurons }) => neurons.length > 0).forEach(({ neurons, from }, at) => {
    const padded = paddedLength(neurons.length);
    for (let r = 0; r * padded < parts[at].length; r++) {
      matrix.set(parts[at].subarray(r * padded, r * padded + neurons.length), r * width + from);
    }
  });
  return matrix;
}
