import type { Node, NodeId } from "../graph.ts";
import { type Buffer, paddedLength } from "../kernels/kernels.ts";
import { type DerivativeRange, type LinearImage, magnitudeSum } from "../operators/operator.ts";
import { isMixing, type NodeState, type Pass } from "./pass.ts";
import { positionIn } from "./path.ts";

/**
 * The values of one matrix node of the graph of a Jacobian as linear functions of the region's *unstable* neurons:
 * p = M G, with G the gated values g_u of the unstable neurons nearer the output, and the seed.
 *
 * On the region every stable neuron is linear, so nothing else is left of them. M is shared by all groups; its rows are
 * off by at most gamma_roundings `mass`, and `mass` is at least |M| |G| (shared/README.md (14)).
 */
export interface Condensed {
  /** Columns of M: the unstable neurons of the layer next to it first, the seed last. */
  readonly width: number;
  /** How many of them are that layer's. */
  readonly newest: number;
  /** M by rows, padded: on the host and in the backend. */
  readonly host: Float64Array;
  readonly matrix: Buffer;
  /** Where value i of the node stands among the rows. */
  readonly position: (i: number) => number;
  /** By row. */
  readonly mass: Float64Array;
  readonly roundings: number;
}

/** The chain a Jacobian pass must be: matrices and products in turn, over one region. */
export function canCondense(pass: Pass): boolean {
  const { nodes } = pass.graph;
  if (!pass.options.condense || pass.options.refine !== "linear") return false;
  const [first] = pass.groups;
  for (let id = 1; id < nodes.length; id++) {
    if (nodes[id].inputs[0] !== id - 1) return false;
    if (id % 2 === 1) {
      if (nodes[id].operator !== "affine") return false;
      continue;
    }
    if (id === nodes.length - 1 && nodes[id].operator === "abs") break;
    const range = first.ranges?.get(id);
    if (!range || pass.groups.some(({ ranges }) => ranges?.get(id) !== range)) return false;
  }
  return nodes.length > 3 && (pass.options.condense === "always" || costsLess(pass));
}

/** Multiplications of the rows with and without, as if half of the last node's entries were walked both ways for every group. */
function costsLess(pass: Pass): boolean {
  const { nodes } = pass.graph;
  const rows = pass.groups.length * nodes[nodes.length - 1].size;
  let plain = 0;
  let condensed = 0;
  let build = 0;
  let width = nodes[0].size;
  let inputs = nodes[0].size;
  for (let id = 1; id < nodes.length; id++) {
    const range = pass.groups[0].ranges?.get(id);
    if (!range) continue;
    const alive = count(range, (l, u) => u !== 0 || l !== 0);
    const open = count(range, (l, u) => l < u);
    plain += alive * inputs;
    condensed += (open + width) * width;
    build += (isMixing(nodes[id + 1]) ? nodes[id + 1].size : alive) * alive * (open + width);
    width += open;
    inputs = alive;
  }
  return OVERHEAD + build + rows * condensed < rows * plain;
}

/** What building and packing the small matrices costs beside their products, in multiplications. */
const OVERHEAD = 4e6;

function count(range: DerivativeRange, test: (lower: number, upper: number) => boolean): number {
  let found = 0;
  for (let i = 0; i < range.lower.length; i++) if (test(range.lower[i], range.upper[i])) found++;
  return found;
}

/** Unstable neurons of a product node. */
export function openIndices({ lower, upper }: DerivativeRange): number[] {
  const open: number[] = [];
  for (let i = 0; i < lower.length; i++) if (lower[i] < upper[i]) open.push(i);
  return open;
}

/**
 * M of a matrix node from M of the one nearer the output: the rows of W over the living neurons between them, times the
 * map that takes a stable neuron to its constant derivative times its M and an unstable one to itself.
 */
export async function condense(pass: Pass, id: NodeId, state: NodeState): Promise<Condensed> {
  const { kernels } = pass.run;
  const node = pass.graph.nodes[id];
  const rows = state.demand?.indices.length ?? node.size;
  const position = positionIn(state.demand?.indices ?? null);
  const own = ownMass(pass, state.image!, state.demand?.indices ?? null, rows);
  if (id === 1) {
    const width = pass.graph.nodes[0].size;
    const host = await kernels.read(state.rowMatrix!, rows * paddedLength(width));
    return { width, newest: width, host, matrix: state.rowMatrix!, position, mass: own, roundings: 1 };
  }
  const between = mapBetween(pass, id);
  const matrix = kernels.allocate(rows * paddedLength(between.width));
  const [host, carried] = await kernels.scope(async () => {
    const { rows: k, width: n } = between;
    const packed = kernels.allocate(paddedLength(n) * k);
    kernels.packMatrix({ out: packed, matrix: kernels.upload(between.host), k, n });
    kernels.gemm({ out: matrix, a: state.rowMatrix!, packed, rows, k, n });
    const magnitudes = kernels.allocate(rows);
    kernels.absorbRows({
      rows,
      columns: k,
      coefficients: state.rowMatrix!,
      groups: kernels.uploadIndices(new Int32Array(rows)),
      bias: null,
      q: kernels.upload(between.mass),
      constants: kernels.allocate(rows),
      magnitudes,
    });
    return await Promise.all([kernels.read(matrix), kernels.read(magnitudes)]);
  });
  const underflow = 2 * between.rows * (gatedSum(pass, id) + 1) * TINY;
  const mass = own.map((m, r) => (m + carried[r]) * INFLATION + underflow);
  const { width, newest } = between;
  return { width, newest, host, matrix, position, mass, roundings: between.roundings + between.rows + 2 };
}

/** Covers what rounding hides in the sums of masses (each of fewer than 2^30 terms). */
const INFLATION = 1 + 2 ** -20;
/** gamma_1 times this is far above the 2^-1075 that a product may lose: underflow is carried as mass. */
const TINY = 2 ** -1000;

/** The largest q of the groups: M is shared, and so is what is charged for it. */
function ownMass(pass: Pass, { q }: LinearImage, rows: Int32Array | null, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, r) => {
    const i = rows === null ? r : rows[r];
    let largest = 0;
    for (let g = 0; g < pass.groups.length; g++) largest = Math.max(largest, q[g][i]);
    return largest * INFLATION;
  });
}

/** From the living neurons of the product below a matrix node to G: a stable one is d times its row of M, an unstable one itself. */
function mapBetween(pass: Pass, id: NodeId) {
  const product = pass.graph.nodes[id].inputs[0];
  const nearer = pass.states[pass.graph.nodes[product].inputs[0]].condensed!;
  const range = pass.groups[0].ranges!.get(product)!;
  const living = livingIndices(pass, product);
  const newest = openIndices(range).length;
  const width = newest + nearer.width;
  const [padded, nearerPadded] = [paddedLength(width), paddedLength(nearer.width)];
  const host = new Float64Array(living.length * padded);
  const mass = new Float64Array(paddedLength(living.length));
  let unstable = 0;
  living.forEach((i, r) => {
    if (range.lower[i] < range.upper[i]) {
      host[r * padded + unstable++] = 1;
      return;
    }
    const from = nearer.position(i) * nearerPadded;
    const d = range.lower[i];
    for (let j = 0; j < nearer.width; j++) host[r * padded + newest + j] = d * nearer.host[from + j];
    mass[r] = Math.abs(d) * nearer.mass[nearer.position(i)];
  });
  return { rows: living.length, width, newest, host, mass, roundings: nearer.roundings };
}

function livingIndices(pass: Pass, product: NodeId): Int32Array {
  return pass.states[product].columns ?? Int32Array.from({ length: pass.graph.nodes[product].size }, (_, i) => i);
}

/** The largest sum over the groups of |g| over the nodes above (towards the output), the seed included. */
export function gatedSum(pass: Pass, below: NodeId): number {
  let largest = 0;
  pass.groups.forEach((_, g) => {
    let sum = 0;
    for (let id: Node["inputs"][number] = 0; id < below; id++) {
      if (id === 0 || pass.graph.nodes[id].operator === "derivative_product") {
        sum += magnitudeSum(pass.states[id].boxes[g]);
      }
    }
    largest = Math.max(largest, sum);
  });
  return largest;
}
