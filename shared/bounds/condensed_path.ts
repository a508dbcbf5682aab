import type { NodeId } from "../graph.ts";
import { type Kernels, paddedLength } from "../kernels/kernels.ts";
import { chunkedRoundings, packedLength } from "../kernels/packed.ts";
import { addDown, addUp, multiplyDown, multiplyUp, singleWeight } from "../numeric/rounding.ts";
import { groupTable, type Relaxation, type Step } from "../operators/operator.ts";
import { condense, type Condensed, type Layer, layersOf, widthOf } from "./condense.ts";
import type { Pass } from "./pass.ts";
import { chainOf, type Path, positionIn, underflowBelow } from "./path.ts";
import { tileCost } from "./plan.ts";
import { condensedRoundings, INFLATION } from "./roundings.ts";
import { magnitudesAt } from "./steps.ts";
import { type Support, supportsBelow } from "./support.ts";

/** The path of unit rows over their unstable neurons alone; null where that would cost more than the plain one. */
export async function condensedPath(
  pass: Pass,
  shared: () => Pass,
  target: NodeId,
  indices: Int32Array,
  rows: number,
): Promise<Path | null> {
  const supports = supportsBelow(pass, target, indices, 0);
  const layers = layersOf(pass, supports);
  const { plain, condensed: cost } = tileCost(pass, target, supports, layers, indices.length, rows);
  if (pass.options.condense !== "always" && cost >= plain) return null;
  if (elementsOf(pass, supports, indices.length + widthOf(layers)) > MOST_ELEMENTS) return null;
  const condensed = await condense(pass, shared(), target, indices, supports, layers);
  return pathOver(pass, target, indices, condensed);
}

/** A buffer of rows that M is built in holds no more numbers (32 MiB); a tile that needs more is walked plainly. */
const MOST_ELEMENTS = 2 ** 22;

function elementsOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>, rows: number): number {
  let widest = 0;
  for (const [id, { columns }] of supports) widest = Math.max(widest, columns?.length ?? pass.graph.nodes[id].size);
  return rows * paddedLength(widest);
}

/** The walk of unit rows on M: layer by layer the unstable neurons take their lines, then add their own rows. */
function pathOver(pass: Pass, target: NodeId, indices: Int32Array, condensed: Condensed): Path {
  const { kernels } = pass.run;
  const { layers, matrix, width, size } = condensed;
  const padded = paddedLength(width);
  const start = new Float64Array(indices.length * padded);
  for (let r = 0; r < indices.length; r++) start.set(matrix.subarray(r * width, (r + 1) * width), r * padded);
  const constants = pass.groups.map(({ box }) => seedProducts(condensed, box.lower));
  const open = layers.filter(({ neurons }) => neurons.length > 0);
  const lost = underflowOfLayers(pass, open, size.subarray(indices.length));
  const steps = open.map((layer, at) =>
    layerStep(pass, layer, condensed, constants, indices.length, open.length, lost[at])
  );
  const position = positionIn(indices);
  const none = new Float64Array(pass.groups.length * 2 * padded);
  const largest = Math.max(0, ...open.map(({ neurons }) => neurons.length));
  return {
    target,
    rows: {
      matrix: kernels.upload(start),
      position,
      constant: (group, i) => constants[group][position(i)],
      magnitude: (_group, i) => chargeOfRow(kernels, condensed, position(i), steps.length),
    },
    startColumns: null,
    startWidth: width,
    ...chainOf(steps, steps.map(() => width)),
    box: kernels.upload(none),
    boxWidth: width,
    widest: padded,
    roundings: condensedRoundings(kernels.precision, condensed, largest, steps.length),
    underflow: underflowBelow(pass.groups.length, steps, width, kernels.precision),
  };
}

/**
 * What a row itself starts with: the mass for the error of M and C, in f32 also its size for the additions to come (and for
 * those of its constant, which need less).
 */
function chargeOfRow({ precision }: Kernels, { mass, size }: Condensed, row: number, layers: number): number {
  return precision === "f64" ? mass[row] : mass[row] + singleWeight(2 + layers) * size[row];
}

/** What a coefficient of an unstable neuron is charged against, its slope, its products and `additions` included. */
function chargeOfNeuron({ precision }: Kernels, { mass, size }: Condensed, row: number, additions: number): number {
  // A slope's rounding is on the error of M, too: the inflation covers it.
  return precision === "f64" ? 2 * mass[row] : mass[row] * INFLATION + singleWeight(4 + additions) * size[row];
}

/** C c for every row: a sum of as many roundings as there are outputs, paid for by the mass. */
function seedProducts({ seeds, outputs, mass }: Condensed, seed: Float64Array): Float64Array {
  const padded = paddedLength(outputs);
  const products = new Float64Array(mass.length);
  for (let k = 0; k < outputs; k++) {
    if (seed[k] === 0) continue;
    for (let r = 0; r < products.length; r++) products[r] += seeds[r * padded + k] * seed[k];
  }
  return products;
}

function layerStep(
  pass: Pass,
  { product, neurons, from }: Layer,
  condensed: Condensed,
  constants: readonly Float64Array[],
  values: number,
  layers: number,
  underflow: Float64Array,
): Step {
  const { kernels } = pass.run;
  const padded = paddedLength(neurons.length);
  const tables = pass.groups.flatMap((_, g) => {
    return linesOver(pass.states[product].relaxations![g], neurons, constants[g].subarray(values + from));
  });
  const { matrix, width } = condensed;
  const q = Float64Array.from(neurons, (_, u) => {
    return chargeOfNeuron(kernels, condensed, values + from + u, chunkedRoundings(neurons.length, 1) + layers);
  });
  const behind = from + neurons.length;
  const outputs = Int32Array.from({ length: width - behind }, (_, j) => behind + j);
  const blocks = outputs.length === 0 ? [] : [{ columns: Int32Array.from(neurons, (_, u) => from + u), outputs }];
  return {
    window: { first: from, columns: neurons.length },
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
    underflow,
  };
}

/**
 * Half-steps that each layer may lose, per group: a product of lam_u and an element of M against the gated value of its
 * column, a slope against M_u G, which the mass is above, and the products of the sums.
 */
function underflowOfLayers(pass: Pass, open: readonly Layer[], sizes: Float64Array): Float64Array[] {
  const gated = open.map(({ product, neurons }) =>
    magnitudesAt(pass, product).map((sizes) => neurons.reduce((sum, i) => sum + sizes[i], 0))
  );
  return open.map(({ neurons, from }, at) => {
    const own = neurons.reduce((sum, _, u) => sum + 2 * sizes[from + u], 0);
    return Float64Array.from(pass.groups, (_, g) => {
      const behind = gated.slice(at + 1).reduce((sum, sizes) => sum + sizes[g], 0);
      return neurons.length * (behind + 2) + own;
    });
  });
}

/** Rows of M over the columns from `behind` on, packed. */
function packRows(kernels: Kernels, matrix: Float64Array, width: number, first: number, k: number, behind: number) {
  const n = width - behind;
  const padded = paddedLength(n);
  const rows = new Float64Array(k * padded);
  for (let u = 0; u < k; u++) {
    rows.set(matrix.subarray((first + u) * width + behind, (first + u + 1) * width), u * padded);
  }
  const packed = kernels.allocateCoefficients(packedLength(k, n, kernels.precision));
  kernels.packMatrix({ out: packed, matrix: kernels.upload(rows), k, n });
  return packed;
}

/**
 * The lines of a layer's neurons over p = M G + c as lines over M G: the intercept takes in slope times c, rounded outward.
 */
function linesOver(lines: Relaxation, neurons: Int32Array, constants: Float64Array): Float64Array[] {
  const count = neurons.length;
  const lowerSlope = new Float64Array(count), lowerIntercept = new Float64Array(count);
  const upperSlope = new Float64Array(count), upperIntercept = new Float64Array(count);
  for (let u = 0; u < count; u++) {
    const i = neurons[u], c = constants[u];
    lowerSlope[u] = lines.lowerSlope[i];
    upperSlope[u] = lines.upperSlope[i];
    lowerIntercept[u] = addDown(lines.lowerIntercept[i], multiplyDown(lowerSlope[u], c));
    upperIntercept[u] = addUp(lines.upperIntercept[i], multiplyUp(upperSlope[u], c));
  }
  return [lowerSlope, lowerIntercept, upperSlope, upperIntercept];
}
