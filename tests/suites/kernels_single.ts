/** Kernels whose coefficients are f32: the same facts, the error of their sums, and buffers of the wrong kind. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { chunkedRoundings, packedLength } from "../../shared/kernels/packed.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { CASES } from "./kernel_cases.ts";
import { generator, padded, poison } from "./kernel_numbers.ts";
import { assertSameBits, bitsSuite, type MakeKernels, runOnDirtyMemory } from "./kernels.ts";
import { columnsSuite } from "./kernels_columns.ts";
import { LARGE } from "./kernels_windows.ts";
import { poisonSuite } from "./kernels_poison.ts";

/** a [rows, k] times b [k, n], both padded. */
function multiply(kernels: Kernels, a: Float64Array, b: Float64Array, rows: number, k: number, n: number) {
  return kernels.scope(() => {
    const packed = kernels.uploadCoefficients(poison(packedLength(k, n, "f32")));
    const out = kernels.uploadCoefficients(poison(rows * paddedLength(n)));
    kernels.packMatrix({ out: packed, matrix: kernels.upload(b), k, n });
    kernels.gemm({ out, a: kernels.uploadCoefficients(a), packed, rows, k, n });
    return kernels.read(out);
  });
}

/** Widths whose last panel is whole, half or less, rows of every tile, chunks of every end. */
const SHAPES = [
  [121, 1030, 9],
  [63, 512, 5],
  [2, 513, 18],
  [1, 97, 70],
  [64, 50, 20],
  [1, 1025, 37],
  [68, 130, 30],
  [9, 101, 24],
  [62, 95, 41],
  [3, 96, 12],
  [13, 3, 66],
] as const;

export function singleSuite(backend: string, make: MakeKernels): void {
  const makeSingle = async (): Promise<Kernels> => (await make()).single;
  const name = `${backend}, f32 coefficients`;
  bitsSuite(name, makeSingle);
  columnsSuite(name, makeSingle);
  poisonSuite(name, makeSingle);

  Deno.test(`single kernels are themselves single, on one memory: ${name}`, async () => {
    const kernels = await make(), { single } = kernels;
    assert.equal(kernels.precision, "f64");
    assert.equal(single.precision, "f32");
    assert.equal(single.single, single);
    const narrow = single.allocateCoefficients(100);
    assert.deepEqual(kernels.memory(), { bytes: 400, peakBytes: 400 });
    kernels.upload(Float64Array.of(1, 2));
    assert.equal(single.memory().bytes, 416);
    assert.equal((await kernels.read(narrow)).length, 100);
    const rounded = single.uploadCoefficients(Float64Array.of(0.1, 1e-46, 1e39, NaN));
    assert.deepEqual([...await single.read(rounded)], [Math.fround(0.1), 0, Infinity, NaN]);
  });

  Deno.test(`gemm() and gemmBlocks() give the reference's bits at many tiles and chunks: ${name}`, async () => {
    const kernels = await makeSingle(), reference = referenceKernels().single;
    for (const [rows, k, n] of SHAPES) {
      const random = generator(rows + k), a = padded(random, false, rows, k), b = padded(random, false, k, n);
      const [got, wanted] = [
        await multiply(kernels, a, b, rows, k, n),
        await multiply(reference, a, b, rows, k, n),
      ];
      assertSameBits({ out: got }, { out: wanted }, `${rows} x ${k} x ${n}`);
    }
    const blocks = async (kernels: Kernels, rows: number, accumulate: boolean) => {
      const random = generator(rows), layout = kernels.uploadBlocks(LARGE);
      const a = kernels.uploadCoefficients(padded(random, false, rows, LARGE.k));
      const out = kernels.uploadCoefficients(padded(random, false, rows, LARGE.n));
      const numbers = padded(random, false, 1, layout.packedLength).subarray(0, layout.packedLength);
      const packed = kernels.uploadCoefficients(numbers);
      kernels.gemmBlocks({ out, a, blocks: layout, packed, rows, accumulate });
      return { out: await kernels.read(out) };
    };
    for (const [rows, accumulate] of [[64, false], [13, true], [6, false], [2, false], [8, true]] as const) {
      assertSameBits(
        await blocks(kernels, rows, accumulate),
        await blocks(reference, rows, accumulate),
        `${rows} rows of blocks`,
      );
    }
  });

  Deno.test(`gemm() errs by at most gamma of chunkedRoundings(), and more than an f64 sum: ${name}`, async () => {
    const kernels = await makeSingle();
    for (const k of [1, 2, 7, 48, 49, 100, 1000, 6000]) {
      const random = generator(k), rows = 5, n = 6;
      // Multiples of 2^-24: a product is one of 2^-48, and a sum of 6000 an exact f64 below 2^13 of 53 + 8 bits: BigInt.
      const draw = () => Math.floor((random() * 2 - 1) * 2 ** 24) / 2 ** 24;
      const a = new Float64Array(rows * paddedLength(k)), b = new Float64Array(k * paddedLength(n));
      for (let p = 0; p < k; p++) {
        for (let r = 0; r < rows; r++) a[r * paddedLength(k) + p] = draw();
        for (let j = 0; j < n; j++) b[p * paddedLength(n) + j] = draw();
      }
      const out = await multiply(kernels, a, b, rows, k, n), count = BigInt(chunkedRoundings(k, 1));
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < n; j++) {
          let exact = 0n, magnitude = 0n;
          for (let p = 0; p < k; p++) {
            const term = BigInt(a[r * paddedLength(k) + p] * 2 ** 24) * BigInt(b[p * paddedLength(n) + j] * 2 ** 24);
            exact += term;
            magnitude += term < 0n ? -term : term;
          }
          // Everything in units of 2^-149, of which every f32 is a multiple.
          const unit = 2n ** 101n, got = BigInt(out[r * paddedLength(n) + j] * 2 ** 149);
          const error = got - exact * unit, size = error < 0n ? -error : error;
          assert.ok(size * (2n ** 24n - count) <= count * magnitude * unit, `k ${k}, row ${r}, column ${j}`);
          if (k >= 100) assert.notEqual(size, 0n, "a sum of so many rounded products cannot be exact");
        }
      }
    }
  });

  Deno.test(`a buffer or blocks of the wrong kind are a TypeError: ${name}`, async () => {
    const wide = await make(), narrow = wide.single;
    const f64 = wide.allocate(64), f32 = narrow.allocateCoefficients(64), other = narrow.allocateCoefficients(64);
    const zero = wide.uploadIndices(Int32Array.of(0)), one = wide.uploadIndices(Int32Array.of(1));
    const layout = { k: 4, n: 4, blocks: [{ columns: Int32Array.of(0), outputs: Int32Array.of(1) }] };
    const sums = { groups: zero, constants: wide.allocate(1), magnitudes: wide.allocate(1) };
    const rows = { rows: 1, columns: 4, ...sums }, shape = { rows: 1, k: 4, n: 4 };
    const strides = { rows: zero, columns: zero, rowStride: 1, columnStride: 1 };
    const product = { rows: 1, accumulate: false };
    const refused: readonly (() => void)[] = [
      () => narrow.gemm({ out: f32, a: f64, packed: other, ...shape }),
      () => narrow.gemm({ out: f64, a: f32, packed: other, ...shape }),
      () => narrow.gemm({ out: f32, a: other, packed: f64, ...shape }),
      () => wide.gemm({ out: f64, a: f32, packed: wide.allocate(64), ...shape }),
      () => narrow.packMatrix({ out: f64, matrix: wide.allocate(64), k: 4, n: 4 }),
      () => narrow.packMatrix({ out: f32, matrix: other, k: 4, n: 4 }),
      () => narrow.gatherRows({ out: f64, matrix: wide.allocate(64), indices: zero, signs: one, rows: 1, columns: 4 }),
      () => narrow.gatherRows({ out: f32, matrix: other, indices: zero, signs: one, rows: 1, columns: 4 }),
      () => narrow.relaxRows({ ...rows, coefficients: f64, table: wide.allocate(64) }),
      () => narrow.relaxRows({ ...rows, coefficients: f32, table: other }),
      () => narrow.absorbRows({ ...rows, coefficients: f64, bias: null, q: wide.allocate(64) }),
      () => narrow.absorbRows({ ...rows, coefficients: f32, bias: null, q: other }),
      () => narrow.absorbRows({ ...rows, coefficients: f32, bias: other, q: f64 }),
      () => narrow.absorbRows({ ...rows, constants: other, coefficients: f32, bias: null, q: f64 }),
      () => narrow.concretizeRows({ ...rows, coefficients: f64, box: wide.allocate(64) }),
      () => narrow.concretizeRows({ ...rows, coefficients: f32, box: other }),
      () => narrow.scaleColumns({ coefficients: f64, rows: 1, columns: 4, factors: wide.allocate(4), inverse: false }),
      () => narrow.scaleColumns({ coefficients: f32, rows: 1, columns: 4, factors: other, inverse: false }),
      () => narrow.addRows({ out: f32, a: f64, rows: 1, columns: 4, sign: 1, fresh: true }),
      () => narrow.unitRows({ out: f64, columns: 4, first: 0, places: Int32Array.of(0) }),
      () => wide.unitRows({ out: f32, columns: 4, first: 0, places: Int32Array.of(0) }),
      () => narrow.gatherMatrix({ out: f32, source: f64, ...strides }),
      () => narrow.gatherMatrix({ out: f64, source: f32, ...strides }),
      () => narrow.affineBox({ out: f32, matrix: f64, box: wide.allocate(64), groups: 1, rows: 4, columns: 4 }),
      () => narrow.affineBox({ out: f64, matrix: f32, box: wide.allocate(64), groups: 1, rows: 4, columns: 4 }),
      () => narrow.gemmBlocks({ out: f32, a: other, packed: f32, blocks: wide.uploadBlocks(layout), ...product }),
      () => narrow.gemmBlocks({ out: f64, a: other, packed: f32, blocks: narrow.uploadBlocks(layout), ...product }),
      () => wide.gemmBlocks({ out: f64, a: f64, packed: f64, blocks: narrow.uploadBlocks(layout), ...product }),
    ];
    refused.forEach((call, i) => assert.throws(call, TypeError, `call ${i}`));
  });

  Deno.test(`a slope or factor becomes a coefficient after one product in f64: ${name}`, async () => {
    const kernels = await makeSingle();
    const fact = "relaxRows() takes the line of each coefficient's sign";
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const call = CASES[fact]({ seed, rows: 7, columns: 9, inner: 0, groups: 2, wild: true });
        const { coefficients } = await runOnDirtyMemory(kernels, call, call.inputs);
        assert.ok(coefficients.every((c) => Object.is(c, Math.fround(c))));
      }),
      { numRuns: 20 },
    );
  });
}
