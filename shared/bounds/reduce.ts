import type { NodeId } from "../graph.ts";
import { type Buffer, type Kernels, paddedLength } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import { addDown, addUp, multiplyDown, multiplyUp, rowSumRoundings } from "../numeric/rounding.ts";
import { type Coefficients, groupTable, type Relaxation, type Step } from "../operators/operator.ts";
import { openIndices } from "./condense.ts";
import type { NodeState, Pass } from "./pass.ts";
import { chainOf, type Path, pathBelow, positionIn, underflowBelow } from "./path.ts";
import { type Support, supportsBelow } from "./support.ts";
import { buffersOf, handOn, takeStep } from "./block.ts";

/**
 * Some values of the graph of a Jacobian as linear functions of the unstable neurons that they reach:
 * p = M G + C c, with G the gated values g_u and c the seed. The unstable neurons' own values stand below them.
 *
 * It is the walk itself, run once for all groups without their lines: a stable neuron is its constant derivative, an
 * unstable one stays. Rows are off by at most gamma_roundings `mass`, and `mass` >= |M| |G| + |C| |c|: shared/README.md (20).
 */
interface Reduced {
  /** Unstable neurons by layer, from the target on: the product node, and the neuron of each column. */
  readonly layers: readonly Layer[];
  /** M and C by rows: the target's values, then the layers' neurons in their order; [rows][width], [rows][outputs]. */
  readonly matrix: Float64Array;
  readonly width: number;
  readonly seeds: Float64Array;
  readonly outputs: number;
  readonly mass: Float64Array;
  readonly roundings: number;
}

interface Layer {
  readonly product: NodeId;
  readonly neurons: Int32Array;
  /** The column of the first. */
  readonly from: number;
}

/** The graph of a Jacobian over one region: all groups share the ranges of derivatives. */
export function canReduce(pass: Pass): boolean {
  if (!pass.options.condense || pass.options.refine !== "linear") return false;
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

/** The path of unit rows over their unstable neurons alone; null where that would cost more than the plain one. */
export async function reducedPath(pass: Pass, target: NodeId, indices: Int32Array, rows: number): Promise<Path | null> {
  const supports = supportsBelow(pass, target, indices, 0);
  const layers = layersOf(pass, supports);
  if (pass.options.condense !== "always" && !costsLess(pass, supports, layers, indices.length, rows)) return null;
  const reduced = await reduce(pass, target, indices, supports, layers);
  return pathOver(pass, indices, reduced);
}

function layersOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>): Layer[] {
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

/** Multiplications of `rows` rows walked plainly, against those of building M and walking on it. */
function costsLess(
  pass: Pass,
  supports: ReadonlyMap<NodeId, Support>,
  layers: readonly Layer[],
  values: number,
  rows: number,
): boolean {
  let plain = 0;
  for (const [id, support] of supports) plain += workOf(pass, supports, id, support);
  const width = widthOf(layers);
  let walked = width * layers.length * 4;
  for (const { neurons, from } of layers) walked += neurons.length * (width - from - neurons.length);
  const built = (values + width) * plain * 1.5 + (values + width) * width * 4 + OVERHEAD;
  return built + rows * walked < rows * plain;
}

/** What laying out a reduced path costs beside its products, in multiplications. */
const OVERHEAD = 1e6;

/** Multiplications of one row at a node: the entries between what it reaches, about. */
function workOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>, id: NodeId, { columns }: Support): number {
  const node = pass.graph.nodes[id];
  const height = columns?.length ?? node.size;
  if (node.operator !== "affine" && node.operator !== "convolution") return 4 * height;
  const input = pass.graph.nodes[node.inputs[0]];
  const width = supports.get(node.inputs[0])?.columns?.length ?? input.size;
  if (node.operator === "affine") return height * width;
  const { windows: { fine, coarse, groups, kernel, stride }, transposed } = node;
  const entries = transposed
    ? coarse.channels / groups * kernel[0] * kernel[1] / stride[0] / stride[1]
    : fine.channels / groups * kernel[0] * kernel[1];
  return height * entries * Math.min(1, 1.2 * width / input.size * (node.size / height));
}

/** The pass with all its groups as one: hulls of boxes, the largest magnitudes, and stable neurons as their derivatives. */
function sharedPass(pass: Pass): Pass {
  const known = sharedPasses.get(pass);
  if (known && known.states.length === pass.states.length) return known;
  const shared: Pass = {
    ...pass,
    groups: [pass.groups[0]],
    states: pass.states.map((state, id) => sharedState(pass, state, id)),
  };
  sharedPasses.set(pass, shared);
  return shared;
}

const sharedPasses = new WeakMap<Pass, Pass>();

function sharedState(pass: Pass, state: NodeState, id: NodeId): NodeState {
  const range = pass.groups[0].ranges?.get(id);
  return {
    ...state,
    boxes: [hullOf(state.boxes)],
    relaxations: range ? [stableLines(range.lower, range.upper)] : state.relaxations && [state.relaxations[0]],
    image: state.image && { boxes: state.image.boxes, q: [largestOf(state.image.q)] },
    demand: state.demand && { ...state.demand, groups: [state.demand.groups[0]] },
    closedStep: null,
    openStep: null,
    underflow: null,
    magnitudes: null,
  };
}

function hullOf(boxes: readonly Box[]): Box {
  return {
    lower: largestOf(boxes.map(({ lower }) => lower.map((l) => -l))).map((l) => -l),
    upper: largestOf(boxes.map(({ upper }) => upper)),
  };
}

function largestOf(rows: readonly Float64Array[]): Float64Array {
  const largest = rows[0].slice();
  for (const row of rows) for (let i = 0; i < row.length; i++) if (!(row[i] <= largest[i])) largest[i] = row[i];
  return largest;
}

function stableLines(lower: Float64Array, upper: Float64Array): Relaxation {
  const slope = lower.map((d, i) => (d < upper[i] ? 0 : d));
  const none = new Float64Array(lower.length);
  return { lowerSlope: slope, lowerIntercept: none, upperSlope: slope, upperIntercept: none };
}

/** Walks the target's rows and, from each layer on, those of its unstable neurons, down to the seed. */
async function reduce(
  pass: Pass,
  target: NodeId,
  indices: Int32Array,
  supports: ReadonlyMap<NodeId, Support>,
  layers: readonly Layer[],
): Promise<Reduced> {
  const { kernels } = pass.run;
  const width = widthOf(layers);
  const count = indices.length + width;
  return await kernels.scope(async () => {
    const path = pathBelow(sharedPass(pass), target, { layout: "unit", indices }, 0, supports);
    const groups = kernels.uploadIndices(new Int32Array(count));
    const magnitudes = kernels.upload(startMagnitudes(path, indices, count));
    const sums = { constants: kernels.allocate(count), magnitudes };
    const free = Array.from({ length: buffersOf(path) }, () => kernels.allocate(count * path.widest));
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
    return {
      layers,
      matrix: assemble(layers, parts, count, width),
      width,
      seeds,
      outputs,
      // gamma_1 times the second term is above what underflow may lose.
      mass: mass.map((m) => m * INFLATION + lost * 2 ** 54),
      roundings: path.roundings + 8,
    };
  });
}

/** Covers what rounding hides in the sums of masses (each of fewer than 2^30 terms). */
const INFLATION = 1 + 2 ** -20;

function widthOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { neurons }) => sum + neurons.length, 0);
}

function startMagnitudes({ rows }: Path, indices: Int32Array, count: number): Float64Array {
  const magnitudes = new Float64Array(count);
  if (rows) indices.forEach((i, r) => magnitudes[r] = rows.magnitude(0, i));
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
    const out = kernels.allocate(rows * paddedLength(neurons.length));
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

/** The walk of unit rows on M: layer by layer the unstable neurons take their lines, then add their own rows. */
function pathOver(pass: Pass, indices: Int32Array, reduced: Reduced): Path {
  const { kernels } = pass.run;
  const { layers, matrix, width, mass } = reduced;
  const padded = paddedLength(width);
  const start = new Float64Array(indices.length * padded);
  for (let r = 0; r < indices.length; r++) start.set(matrix.subarray(r * width, (r + 1) * width), r * padded);
  const constants = pass.groups.map(({ box }) => seedProducts(reduced, box.lower));
  const open = layers.filter(({ neurons }) => neurons.length > 0);
  const steps = open.map((layer) => layerStep(pass, layer, reduced, constants, indices.length));
  const position = positionIn(indices);
  const none = new Float64Array(pass.groups.length * 2 * padded);
  const largest = Math.max(0, ...open.map(({ neurons }) => neurons.length));
  return {
    rows: {
      matrix: kernels.upload(start),
      position,
      constant: (group, i) => constants[group][position(i)],
      magnitude: (_group, i) => mass[position(i)],
    },
    startColumns: null,
    startWidth: width,
    ...chainOf(steps, steps.map(() => width)),
    box: kernels.upload(none),
    boxWidth: width,
    widest: padded,
    roundings: reduced.roundings + reduced.outputs + 2 + largest + steps.length + 2 + rowSumRoundings(width) +
      4 * steps.length + 4,
    underflow: underflowBelow(pass.groups.length, steps, width),
  };
}

/** C c for every row: a sum of as many roundings as there are outputs, paid for by the mass. */
function seedProducts({ seeds, outputs, mass }: Reduced, seed: Float64Array): Float64Array {
  const padded = paddedLength(outputs);
  const chosen = Array.from(seed.keys()).filter((k) => seed[k] !== 0);
  return mass.map((_, r) => chosen.reduce((sum, k) => sum + seeds[r * padded + k] * seed[k], 0));
}

function layerStep(
  pass: Pass,
  { product, neurons, from }: Layer,
  { matrix, width, mass }: Reduced,
  constants: readonly Float64Array[],
  values: number,
): Step {
  const { kernels } = pass.run;
  const padded = paddedLength(width);
  const tables = pass.groups.flatMap((_, g) => {
    return linesOver(pass.states[product].relaxations![g], neurons, from, width, constants[g].subarray(values));
  });
  const q = new Float64Array(width);
  for (let u = 0; u < neurons.length; u++) q[from + u] = 2 * mass[values + from + u];
  const behind = from + neurons.length;
  const outputs = Int32Array.from({ length: width - behind }, (_, j) => behind + j);
  const blocks = outputs.length === 0 ? [] : [{ columns: Int32Array.from(neurons, (_, u) => from + u), outputs }];
  return {
    table: kernels.upload(groupTable(tables, null, padded)),
    absorb: { bias: null, q: kernels.upload(groupTable(pass.groups.map(() => q), null, padded)) },
    scale: null,
    product: blocks.length === 0 ? null : {
      layout: "blocks",
      blocks: kernels.uploadBlocks({ k: width, n: width, blocks }),
      packed: packRows(kernels, matrix, width, values + from, neurons.length, behind),
      k: width,
      n: width,
      accumulate: true,
    },
    coefficientRoundings: neurons.length + 2,
    underflow: new Float64Array(pass.groups.length).fill(neurons.length * (width + 2)),
  };
}

/** Rows of M over the columns from `behind` on, packed. */
function packRows(kernels: Kernels, matrix: Float64Array, width: number, first: number, k: number, behind: number) {
  const n = width - behind;
  const padded = paddedLength(n);
  const rows = new Float64Array(k * padded);
  for (let u = 0; u < k; u++) {
    rows.set(matrix.subarray((first + u) * width + behind, (first + u + 1) * width), u * padded);
  }
  const packed = kernels.allocate(k * padded);
  kernels.packMatrix({ out: packed, matrix: kernels.upload(rows), k, n });
  return packed;
}

/**
 * The lines of a layer's neurons over p = M G + c as lines over M G: the intercept takes in slope times c, rounded outward.
 * The identity for all other columns.
 */
function linesOver(
  lines: Relaxation,
  neurons: Int32Array,
  from: number,
  width: number,
  constants: Float64Array,
): Float64Array[] {
  const lowerSlope = new Float64Array(width).fill(1), upperSlope = new Float64Array(width).fill(1);
  const lowerIntercept = new Float64Array(width), upperIntercept = new Float64Array(width);
  neurons.forEach((i, u) => {
    const at = from + u, c = constants[at];
    lowerSlope[at] = lines.lowerSlope[i];
    upperSlope[at] = lines.upperSlope[i];
    lowerIntercept[at] = addDown(lines.lowerIntercept[i], multiplyDown(lines.lowerSlope[i], c));
    upperIntercept[at] = addUp(lines.upperIntercept[i], multiplyUp(lines.upperSlope[i], c));
  });
  return [lowerSlope, lowerIntercept, upperSlope, upperIntercept];
}
