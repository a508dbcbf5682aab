import type { NodeId } from "../graph.ts";
import { type Kernels, paddedLength } from "../kernels/kernels.ts";
import { addDown, addUp, multiplyDown, multiplyUp, rowSumRoundings } from "../numeric/rounding.ts";
import { groupTable, type Relaxation, type Step } from "../operators/operator.ts";
import { condense, type Condensed, type Layer, layersOf, widthOf } from "./condense.ts";
import type { Pass } from "./pass.ts";
import { chainOf, type Path, positionIn, underflowBelow } from "./path.ts";
import { tileCost } from "./plan.ts";
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
  return pathOver(pass, indices, condensed);
}

/** A buffer of rows that M is built in holds no more numbers (32 MiB); a tile that needs more is walked plainly. */
const MOST_ELEMENTS = 2 ** 22;

function elementsOf(pass: Pass, supports: ReadonlyMap<NodeId, Support>, rows: number): number {
  let widest = 0;
  for (const [id, { columns }] of supports) widest = Math.max(widest, columns?.length ?? pass.graph.nodes[id].size);
  return rows * paddedLength(widest);
}

/** The walk of unit rows on M: layer by layer the unstable neurons take their lines, then add their own rows. */
function pathOver(pass: Pass, indices: Int32Array, condensed: Condensed): Path {
  const { kernels } = pass.run;
  const { layers, matrix, width, mass } = condensed;
  const padded = paddedLength(width);
  const start = new Float64Array(indices.length * padded);
  for (let r = 0; r < indices.length; r++) start.set(matrix.subarray(r * width, (r + 1) * width), r * padded);
  const constants = pass.groups.map(({ box }) => seedProducts(condensed, box.lower));
  const open = layers.filter(({ neurons }) => neurons.length > 0);
  const steps = open.map((layer) => layerStep(pass, layer, condensed, constants, indices.length));
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
    roundings: condensed.roundings + condensed.outputs + 2 + largest + steps.length + 2 + rowSumRoundings(width) +
      4 * steps.length + 4,
    underflow: underflowBelow(pass.groups.length, steps, width),
  };
}

/** C c for every row: a sum of as many roundings as there are outputs, paid for by the mass. */
function seedProducts({ seeds, outputs, mass }: Condensed, seed: Float64Array): Float64Array {
  const padded = paddedLength(outputs);
  const chosen = Array.from(seed.keys()).filter((k) => seed[k] !== 0);
  return mass.map((_, r) => chosen.reduce((sum, k) => sum + seeds[r * padded + k] * seed[k], 0));
}

function layerStep(
  pass: Pass,
  { product, neurons, from }: Layer,
  { matrix, width, mass }: Condensed,
  constants: readonly Float64Array[],
  values: number,
): Step {
  const { kernels } = pass.run;
  const padded = paddedLength(neurons.length);
  const tables = pass.groups.flatMap((_, g) => {
    return linesOver(pass.states[product].relaxations![g], neurons, constants[g].subarray(values + from));
  });
  const q = Float64Array.from(neurons, (_, u) => 2 * mass[values + from + u]);
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
