import type { NodeId } from "../graph.ts";
import { type Buffer, paddedLength } from "../kernels/kernels.ts";
import { addUp, settleWith } from "../numeric/rounding.ts";
import type { Coefficients } from "../operators/operator.ts";
import { canCondense } from "./condense.ts";
import { condensedPath } from "./condensed_path.ts";
import { isOpen, type Pass } from "./pass.ts";
import { factorOf } from "./roundings.ts";
import { startLosses } from "./start.ts";
import { buffersOf, handOn, takeStep } from "./block.ts";
import { keepSteps, type Path, pathBelow, positionIn } from "./path.ts";
import { supportsBelow } from "./support.ts";
import { sharedPass } from "./shared_pass.ts";
import { indicesOf, partOf, type RowSet, tilesOfRows } from "./rows.ts";

/**
 * Lower bounds of linear functions of a node's values: coefficients walk backward to the input (or to the node `floor`
 * above it), then meet its box.
 *
 * Knows no operator by name: every node is a step of the path. Rows run in blocks that stay in cache; the bits of a row
 * depend neither on the block nor on the other rows.
 *
 * Shapes: rows.groups [rows] -> [rows]
 * Rounding: each result is below the real minimum of its row over its group's box; -Infinity where numbers overflow.
 * Source: shared/README.md (9), (10), in f32 (21); cost 2 k n flops a row and matrix over the columns that matter
 */
export async function lowerBounds(
  pass: Pass,
  target: NodeId,
  rows: RowSet,
  floor: NodeId = 0,
): Promise<Float64Array> {
  const bounds = new Float64Array(rows.groups.length);
  await walkRows(pass, target, rows, floor, (found, numbers) => {
    if (numbers === null) bounds.set(found);
    else numbers.forEach((r, at) => bounds[r] = found[at]);
    return null;
  });
  return bounds;
}

/**
 * Walks rows tile by tile, as {@link lowerBounds} does: `take` gets the bounds of a tile's rows and their numbers in the set
 * (null: all of them, in order), and may ask for further rows over the same values, which walk the path that is laid out.
 */
export async function walkRows(
  pass: Pass,
  target: NodeId,
  rows: RowSet,
  floor: NodeId,
  take: (bounds: Float64Array, numbers: Int32Array | null) => FurtherRows | null,
): Promise<void> {
  if (!isOpen(pass, target)) throw new RangeError(`Cannot bound node ${target}: its component is complete`);
  const { layout } = rows.start;
  const condensed = layout === "unit" && floor === 0 && canCondense(pass);
  const tiles = tilesOfRows(pass, target, rows, floor, condensed);
  const supports = supportsBelow(pass, target, tiles[0].indices, floor);
  keepSteps(pass, target, supports, floor);
  const shared = condensed ? lazily(() => sharedPass(pass)) : null;
  if (shared && tiles.length > 1) keepSteps(shared(), target, supports, floor);
  for (const { indices, rows: chosen } of tiles) {
    const part = chosen === null ? rows : partOf(rows, chosen);
    await pass.run.kernels.scope(async () => {
      const path = shared &&
        await condensedPath(pass, shared, target, indices ?? indicesOf(part), part.groups.length);
      const laid = path ?? pathBelow(pass, target, { layout, indices }, floor);
      const further = take(await walk(pass, laid, part), chosen);
      if (further) further.take(await walk(pass, laid, further.rows));
    });
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

/** Rows that follow from the bounds of others. */
export interface FurtherRows {
  readonly rows: RowSet;
  readonly take: (bounds: Float64Array) => void;
}

/** Walks rows of one path block by block. */
async function walk(pass: Pass, path: Path, rows: RowSet): Promise<Float64Array> {
  const { run } = pass;
  const { kernels, signal, work, onProgress } = run;
  const isReported = path.target === pass.graph.nodes.length - 1 && run.reported !== undefined;
  const bounds = new Float64Array(rows.groups.length);
  const factor = factorOf(path.roundings);
  const lost = startLosses(pass, path, rows);
  const block = Math.min(blockRows(path.widest), bounds.length);
  await kernels.scope(async () => {
    const scratch = Array.from({ length: buffersOf(path) }, () => kernels.allocateCoefficients(block * path.widest));
    for (let from = 0; from < bounds.length; from += block) {
      signal?.throwIfAborted();
      const to = Math.min(from + block, bounds.length);
      const [constants, magnitudes] = await walkBlock(pass, path, rows, from, to, scratch);
      for (let r = from; r < to; r++) {
        const underflow = addUp(path.underflow[rows.groups[r]], lost === null ? 0 : lost[r]);
        bounds[r] = settleWith(factor, constants[r - from], magnitudes[r - from], underflow);
        const radius = constants[r - from] - bounds[r];
        if (isReported && radius > run.reported!.radius) run.reported!.radius = radius;
      }
      work.rows += to - from;
      onProgress?.({ rows: work.rows, flops: work.flops });
    }
  });
  return bounds;
}

export type { DenseRows, RowSet, UnitRows } from "./rows.ts";

/** Enough rows to fill the kernels, few enough that a block stays in a 1 MiB cache; a multiple of five, the GEMM's tile. */
function blockRows(widest: number): number {
  const rows = Math.floor(BLOCK_ELEMENTS / Math.max(widest, 1));
  return Math.min(Math.max(rows - rows % 5, 20), 1000);
}

const BLOCK_ELEMENTS = 80_000;

async function walkBlock(
  pass: Pass,
  path: Path,
  rows: RowSet,
  from: number,
  to: number,
  scratch: readonly Buffer[],
): Promise<[Float64Array, Float64Array]> {
  const { kernels } = pass.run;
  const count = to - from;
  return await kernels.scope(async () => {
    const groups = kernels.uploadIndices(rows.groups.slice(from, to));
    const free = [...scratch];
    const waiting = new Map<number, Coefficients>();
    const first = free.pop()!;
    const sums = startBlock(pass, path, rows, from, to, first);
    waiting.set(path.start, { layout: "dense", buffer: first, columns: path.startWidth });
    for (const move of path.moves) {
      const { buffer: coefficients, columns } = waiting.get(move.from)!;
      waiting.delete(move.from);
      const call = { rows: count, columns, coefficients, groups, ...sums };
      handOn(kernels, takeStep(kernels, move.step, call, free), call, move.to, waiting, free);
    }
    const { buffer: coefficients, columns } = waiting.get(path.end)!;
    kernels.concretizeRows({ rows: count, columns, coefficients, groups, ...sums, box: path.box });
    return await Promise.all([kernels.read(sums.constants, count), kernels.read(sums.magnitudes, count)]);
  });
}

/** Fills the first coefficients of a block and returns its sums. */
function startBlock(
  pass: Pass,
  path: Path,
  rows: RowSet,
  from: number,
  to: number,
  out: Buffer,
): { constants: Buffer; magnitudes: Buffer } {
  const { kernels } = pass.run;
  const count = to - from;
  if (path.rows && rows.start.layout === "unit") {
    const { indices, signs } = rows.start;
    const positions = new Int32Array(count);
    const constants = new Float64Array(count);
    const magnitudes = new Float64Array(count);
    for (let r = 0; r < count; r++) {
      const i = indices[from + r];
      positions[r] = path.rows.position(i);
      constants[r] = signs[from + r] * path.rows.constant(rows.groups[from + r], i);
      magnitudes[r] = path.rows.magnitude(rows.groups[from + r], i);
    }
    kernels.gatherRows({
      out,
      matrix: path.rows.matrix,
      indices: kernels.uploadIndices(positions),
      signs: kernels.uploadIndices(signs.slice(from, to)),
      rows: count,
      columns: path.startWidth,
    });
    return { constants: kernels.upload(constants), magnitudes: kernels.upload(magnitudes) };
  }
  const all = kernels.uploadIndices(Int32Array.from({ length: count }, (_, r) => r));
  const ones = kernels.uploadIndices(new Int32Array(count).fill(1));
  const matrix = kernels.upload(denseBlock(rows.start, from, to, path));
  kernels.gatherRows({ out, matrix, indices: all, signs: ones, rows: count, columns: path.startWidth });
  return { constants: kernels.allocate(count), magnitudes: kernels.allocate(count) };
}

function denseBlock(start: RowSet["start"], from: number, to: number, path: Path): Float64Array {
  const { startColumns, startWidth } = path;
  const padded = paddedLength(startWidth);
  const block = new Float64Array((to - from) * padded);
  const place = positionIn(startColumns);
  for (let r = from; r < to; r++) {
    const at = (r - from) * padded;
    if (start.layout === "unit") {
      block[at + place(start.indices[r])] = start.signs[r];
      continue;
    }
    block.set(start.coefficients.subarray(r * startWidth, (r + 1) * startWidth), at);
  }
  return block;
}
