/** The block and window kernels against the dense ones, at sizes with several tiles and chunks, and what they refuse. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Windows } from "../../shared/graph.ts";
import { type BlockLayout, type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { box, generator, padded, poison } from "./kernel_numbers.ts";
import { assertSameBits, type MakeKernels } from "./kernels.ts";
import { denseWindows, drawWindows, kernelLength, layoutByOutputs, someOf } from "./window_geometries.ts";

/** The matrix of a convolution, row by row with padding. */
function denseMatrix(windows: Windows, transposed: boolean, kernel: Float64Array): Float64Array[] {
  return denseWindows(windows, transposed).map((row) => {
    const values = new Float64Array(paddedLength(row.length));
    row.forEach((entry, j) => values[j] = entry < 0 ? 0 : kernel[entry]);
    return values;
  });
}

const joined = (rows: readonly Float64Array[]): Float64Array => Float64Array.from(rows.flatMap((row) => [...row]));

/** Groups the values of a grid: by position, by position and every other channel, or as they come in lists of `length`. */
function outputLists(size: number, area: number, random: () => number): number[][] {
  const kind = random(), length = 1 + Math.floor(random() * 9), lists = new Map<number, number[]>();
  for (let j = 0; j < size; j++) {
    const key = kind < 0.3 ? j % area : kind < 0.6 ? j % (2 * area) : Math.floor(j / length);
    lists.set(key, [...lists.get(key) ?? [], j]);
  }
  return [...lists.values()];
}

/** A product through packed windows and through the dense matrix. */
async function products(kernels: Kernels, seed: number, transposed: boolean) {
  const random = generator(seed), windows = drawWindows(random);
  const weights = padded(random, false, 1, kernelLength(windows)), matrix = denseMatrix(windows, transposed, weights);
  const grid = transposed ? windows.coarse : windows.fine, inputs = paddedLength(matrix[0].length);
  const asked = someOf(random, matrix.length, 0.2 + random()), rows = 1 + Math.floor(random() * 12);
  const n = denseWindows(windows, transposed)[0].length, k = asked.length;
  const dense = joined([...asked].map((row) => matrix[row]));
  const entries = denseWindows(windows, transposed);
  const lists = outputLists(n, grid.height * grid.width, random);
  const layout = layoutByOutputs(k, lists, n, (column, j) => entries[asked[column]][j] >= 0);
  const a = kernels.upload(padded(random, false, rows, k)), blocks = kernels.uploadBlocks(layout);
  const packed = kernels.upload(poison(blocks.packedLength)), densePacked = kernels.upload(poison(k * inputs));
  const all = kernels.uploadIndices(Int32Array.from({ length: n }, (_, j) => j));
  const kernel = kernels.upload(weights),
    out = kernels.upload(poison(rows * inputs)),
    wanted = kernels.allocate(out.length);
  const indices = { rows: kernels.uploadIndices(asked), inputs: all };
  kernels.packWindows({ out: packed, blocks, ...indices, kernel, windows, transposed });
  kernels.gemmBlocks({ out, a, blocks, packed, rows, accumulate: false });
  kernels.packMatrix({ out: densePacked, matrix: kernels.upload(dense), k, n });
  kernels.gemm({ out: wanted, a, packed: densePacked, rows, k, n });
  return { got: await kernels.read(out), wanted: await kernels.read(wanted) };
}

/** The image of a box through windows and through the dense matrix. */
async function images(kernels: Kernels, seed: number, transposed: boolean) {
  const random = generator(seed), windows = drawWindows(random), groups = 2;
  const weights = padded(random, false, 1, kernelLength(windows)), matrix = denseMatrix(windows, transposed, weights);
  const asked = random() < 0.5 ? null : someOf(random, matrix.length, random());
  const dense = asked === null ? matrix : [...asked].map((row) => matrix[row]);
  const columns = denseWindows(windows, transposed)[0].length, rows = dense.length;
  const ends = kernels.upload(box(random, { seed, rows, columns, inner: 0, groups, wild: false }));
  const out = kernels.upload(poison(groups * 4 * paddedLength(rows))), wanted = kernels.allocate(out.length);
  const kernel = kernels.upload(weights);
  const some = asked === null ? null : kernels.uploadIndices(asked);
  kernels.windowsBox({ out, rows: some, kernel, windows, transposed, box: ends, groups });
  kernels.affineBox({ out: wanted, matrix: kernels.upload(joined(dense)), box: ends, groups, rows, columns });
  return { got: await kernels.read(out), wanted: await kernels.read(wanted) };
}

const ascending = (length: number, limit: number, step: number): Int32Array =>
  Int32Array.from(new Set(Array.from({ length }, (_, i) => i * step % limit))).sort();

/** Several chunks of few and of many columns, last ones of every kind, and more blocks than a group takes. */
export const LARGE: BlockLayout = {
  k: 1100,
  n: 90,
  blocks: [
    { columns: ascending(1030, 1100, 1), outputs: ascending(9, 90, 7) },
    { columns: ascending(513, 1100, 2), outputs: ascending(18, 90, 5) },
    { columns: ascending(130, 1100, 7), outputs: ascending(30, 90, 1) },
    { columns: ascending(95, 1100, 9), outputs: ascending(41, 90, 2) },
    { columns: ascending(101, 1100, 3), outputs: ascending(90, 90, 1) },
    ...Array.from({ length: 40 }, (_, b) => ({
      columns: ascending(1 + 7 * b, 1100, 3),
      outputs: Int32Array.of(b, b + 1, b + 2, b + 3, 2 * b + 5),
    })),
  ],
};

const WINDOWS: Windows = {
  batch: 1,
  groups: 1,
  coarse: { channels: 2, height: 2, width: 2 },
  fine: { channels: 1, height: 3, width: 3 },
  kernel: [2, 2],
  stride: [1, 1],
  dilation: [1, 1],
  begin: [0, 0],
};

export function windowsSuite(backend: string, make: MakeKernels): void {
  for (const transposed of [false, true]) {
    const what = transposed ? "the transpose of a convolution" : "a convolution";
    Deno.test(`packWindows() and gemmBlocks() give gemm's bits for parts of ${what}: ${backend}`, async () => {
      const kernels = await make();
      const agree = (seed: number) =>
        kernels.scope(async () => {
          const { got, wanted } = await products(kernels, seed, transposed);
          assertSameBits({ out: got }, { out: wanted }, `seed ${seed}`);
        });
      await fc.assert(fc.asyncProperty(fc.nat(), agree), { numRuns: 100 });
    });

    Deno.test(`windowsBox() gives affineBox's bits for ${what}: ${backend}`, async () => {
      const kernels = await make();
      const agree = (seed: number) =>
        kernels.scope(async () => {
          const { got, wanted } = await images(kernels, seed, transposed);
          assertSameBits({ out: got }, { out: wanted }, `seed ${seed}`);
        });
      await fc.assert(fc.asyncProperty(fc.nat(), agree), { numRuns: 100 });
    });
  }

  Deno.test(`gemmBlocks() gives the reference's bits at many chunks, tiles and blocks, with memory alike: ${backend}`, async () => {
    const run = async (kernels: Kernels, rows: number, accumulate: boolean) => {
      const random = generator(rows), { k, n } = LARGE;
      const a = kernels.upload(padded(random, false, rows, k)), out = kernels.upload(padded(random, false, rows, n));
      const blocks = kernels.uploadBlocks(LARGE);
      const packed = kernels.upload(padded(random, false, 1, blocks.packedLength).subarray(0, blocks.packedLength));
      kernels.gemmBlocks({ out, a, blocks, packed, rows, accumulate });
      return {
        out: await kernels.read(out),
        memory: Float64Array.of(kernels.memory().bytes, kernels.memory().peakBytes),
      };
    };
    for (const [rows, accumulate] of [[64, false], [13, true], [6, false], [2, false]] as const) {
      const got = await run(await make(), rows, accumulate);
      assertSameBits(got, await run(referenceKernels(), rows, accumulate), `${rows} rows`);
    }
  });

  Deno.test(`gemmBlocks() leaves what no block reads or writes alone, NaN or not: ${backend}`, async () => {
    const kernels = await make(),
      blocks = kernels.uploadBlocks({
        k: 3,
        n: 5,
        blocks: [{ columns: Int32Array.of(1), outputs: Int32Array.of(0, 3) }],
      });
    const a = kernels.upload(Float64Array.of(NaN, Infinity, -Infinity, NaN));
    const packed = kernels.upload(Float64Array.of(2, -1, 0, 0));
    const out = kernels.upload(Float64Array.of(1, NaN, 3, 4, 5, NaN, NaN, NaN));
    kernels.gemmBlocks({ out, a, blocks, packed, rows: 1, accumulate: true });
    assert.deepEqual([...await kernels.read(out)], [Infinity, NaN, 3, -Infinity, 5, 0, 0, 0]);
    kernels.gemmBlocks({ out, a, blocks, packed, rows: 1, accumulate: false });
    assert.deepEqual([...await kernels.read(out)], [Infinity, 0, 0, -Infinity, 0, 0, 0, 0]);
  });

  Deno.test(`block and window kernels refuse what does not fit: ${backend}`, async () => {
    const kernels = await make(), foreign = referenceKernels();
    const list = (...values: number[]) => Int32Array.from(values),
      indices = (...v: number[]) => kernels.uploadIndices(list(...v));
    const layout = (columns: Int32Array, outputs: Int32Array) => ({ k: 4, n: 4, blocks: [{ columns, outputs }] });
    const blocks = kernels.uploadBlocks(layout(list(0, 1), list(2, 3))), apart = blocks;
    const meeting = kernels.uploadBlocks(layout(list(0, 2), list(2, 3)));
    const four = kernels.allocate(4), sixteen = kernels.allocate(16), large = kernels.allocate(64);
    const product = { out: sixteen, a: large, blocks, packed: four, rows: 1, accumulate: false };
    const [rows, inputs] = [indices(0, 1, 2, 7), indices(0, 1, 2, 8)];
    const pack = { out: sixteen, blocks, rows, inputs, kernel: large, windows: WINDOWS, transposed: false };
    const image = { out: large, rows: null, kernel: sixteen, windows: WINDOWS, transposed: false, groups: 1 };
    const refused: readonly (() => void)[] = [
      () => kernels.uploadBlocks(layout(list(0, 4), list(0))),
      () => kernels.uploadBlocks(layout(list(-1), list(0))),
      () => kernels.uploadBlocks(layout(list(0), list(1, 1))),
      () => kernels.uploadBlocks(layout(list(2, 1), list(0))),
      () => kernels.uploadBlocks({ k: -1, n: 4, blocks: [] }),
      () => kernels.gemmBlocks(product),
      () => kernels.gemmBlocks({ ...product, packed: kernels.allocate(8), rows: 5 }),
      () => kernels.gemmBlocks({ ...product, packed: sixteen, out: large }),
      () => kernels.gemmBlocks({ ...product, blocks: meeting, packed: sixteen, out: large, accumulate: true }),
      () => kernels.packWindows({ ...pack, out: four }),
      () => kernels.packWindows({ ...pack, rows: indices(0, 1, 2) }),
      () => kernels.packWindows({ ...pack, rows: indices(0, 1, 2, 8) }),
      () => kernels.packWindows({ ...pack, inputs: indices(0, 1, 2, 9) }),
      () => kernels.packWindows({ ...pack, transposed: true }),
      () => kernels.packWindows({ ...pack, kernel: four }),
      () => kernels.packWindows({ ...pack, windows: { ...WINDOWS, stride: [0, 1] } }),
      () => kernels.packWindows({ ...pack, windows: { ...WINDOWS, groups: 2 } }),
      () => kernels.windowsBox({ ...image, box: sixteen }),
      () => kernels.windowsBox({ ...image, box: kernels.allocate(24), rows: indices(8) }),
      () => kernels.windowsBox({ ...image, box: kernels.allocate(24), windows: { ...WINDOWS, begin: [0, 2 ** 40] } }),
      () => kernels.addRows({ out: four, a: sixteen, rows: 1, columns: 4, outColumns: 3, sign: 1, fresh: true }),
      () =>
        kernels.addRows({
          out: four,
          a: sixteen,
          rows: 1,
          columns: 4,
          places: indices(0, 1, 4, 5),
          sign: 1,
          fresh: true,
        }),
      () => kernels.addRows({ out: four, a: sixteen, rows: 1, columns: 2, places: indices(0), sign: 1, fresh: true }),
    ];
    refused.forEach((call, i) => assert.throws(call, RangeError, `call ${i}`));
    const other = foreign.uploadBlocks(layout(list(0), list(0)));
    assert.throws(() => kernels.gemmBlocks({ ...product, packed: sixteen, blocks: other, out: four }), TypeError);
    const ended = await kernels.scope(() => Promise.resolve(kernels.uploadBlocks(layout(list(0), list(0)))));
    assert.throws(() => kernels.gemmBlocks({ ...product, packed: sixteen, blocks: ended, out: four }), TypeError);
    // What is refused changes nothing, and the same things still serve calls that fit.
    kernels.gemmBlocks({ ...product, blocks: apart, packed: sixteen, out: large, accumulate: true });
    kernels.packWindows(pack);
    kernels.windowsBox({ ...image, box: kernels.allocate(24), rows: indices(7) });
    assert.deepEqual([...await kernels.read(large)], Array(64).fill(0));
  });
}
