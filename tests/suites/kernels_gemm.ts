/** The order and the error of the sums of the matrix product. */
import assert from "node:assert/strict";
import { type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { generator, padded } from "./kernel_numbers.ts";
import type { MakeKernels } from "./kernels.ts";

/** a [rows, k] times b [k, n], both padded. */
function multiply(kernels: Kernels, a: Float64Array, b: Float64Array, rows: number, k: number, n: number) {
  return kernels.scope(() => {
    const packed = kernels.allocate(k * paddedLength(n)), out = kernels.allocate(rows * paddedLength(n));
    kernels.packMatrix({ out: packed, matrix: kernels.upload(b), k, n });
    kernels.gemm({ out, a: kernels.upload(a), packed, rows, k, n });
    return kernels.read(out);
  });
}

/** A row of `k` factors times a column of `k` factors. */
async function product(kernels: Kernels, factors: readonly number[], others: readonly number[]): Promise<number> {
  const k = factors.length, a = new Float64Array(paddedLength(k)), b = new Float64Array(k * 4);
  factors.forEach((value, i) => a[i] = value);
  others.forEach((value, i) => b[i * 4] = value);
  return (await multiply(kernels, a, b, 1, k, 1))[0];
}

/** Every product and sum of doubles below is a multiple of 2^-106 and small enough to be exact in this unit. */
const UNIT = 2 ** 106;
const inUnits = (value: number): bigint => BigInt(value * UNIT);

export function gemmSuite(backend: string, make: MakeKernels): void {
  Deno.test(`gemm() adds in the order of k, over blocks of k too: ${backend}`, async () => {
    const kernels = await make();
    for (const k of [5, 31, 600, 1500]) {
      // 1 absorbs every half unit behind it; the other way round the halves add up first.
      const halves = Array.from({ length: k - 1 }, () => 2 ** -53), ones = Array.from({ length: k }, () => 1);
      assert.equal(await product(kernels, [1, ...halves], ones), 1, `1 first, k = ${k}`);
      let wanted = 0;
      for (const value of [...halves, 1]) wanted += value;
      assert.ok(wanted > 1);
      assert.equal(await product(kernels, [...halves, 1], ones), wanted, `1 last, k = ${k}`);
    }
  });

  Deno.test(`gemm() rounds a product before it adds: ${backend}`, async () => {
    const kernels = await make(), x = 1 + 2 ** -30;
    // x * x is not a double, so a fused step would leave its rounding error.
    assert.equal(await product(kernels, [x * x, x], [-1, x]), 0);
  });

  Deno.test(`gemm() gives the reference's bits at many blocks of rows and chunks of k: ${backend}`, async () => {
    const kernels = await make(), reference = referenceKernels();
    const narrow = [[121, 1030, 9], [63, 512, 5], [2, 513, 18], [64, 50, 20]];
    // Last tiles of 1 to 5 rows; last chunks of 42 (2 behind a multiple of four), 29 (1), 47 (3) and 48 steps, and 3 alone.
    const wide = [[1, 1025, 37], [68, 130, 30], [9, 101, 24], [62, 95, 41], [125, 96, 21], [13, 3, 66], [64, 11, 66]];
    for (const [rows, k, n] of [...narrow, ...wide]) {
      const random = generator(rows + k);
      const a = padded(random, false, rows, k), b = padded(random, false, k, n);
      assert.deepEqual(await multiply(kernels, a, b, rows, k, n), await multiply(reference, a, b, rows, k, n));
    }
  });

  for (const k of [1, 7, 100, 3_000, 30_000]) {
    Deno.test(`gemm() errs by at most gamma_K of the magnitudes, K = ${k}: ${backend}`, async () => {
      const kernels = await make(), random = generator(k), n = 3, rows = 2;
      const draw = () => Math.floor((random() * 2 - 1) * 2 ** 53) / 2 ** 53;
      const a = new Float64Array(rows * paddedLength(k)), b = new Float64Array(k * 4);
      for (let p = 0; p < k; p++) {
        for (let r = 0; r < rows; r++) a[r * paddedLength(k) + p] = draw();
        for (let j = 0; j < n; j++) b[p * 4 + j] = draw();
      }
      const out = await multiply(kernels, a, b, rows, k, n);
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < n; j++) {
          let exact = 0n, magnitude = 0n;
          for (let p = 0; p < k; p++) {
            // The two factors are multiples of 2^-53, so their product is an integer in the unit.
            const term = BigInt(a[r * paddedLength(k) + p] * 2 ** 53) * BigInt(b[p * 4 + j] * 2 ** 53);
            exact += term;
            magnitude += term < 0n ? -term : term;
          }
          const error = inUnits(out[r * 4 + j]) - exact, size = error < 0n ? -error : error;
          // |error| <= gamma_K M with gamma_K = K u / (1 - K u), u = 2^-53, both sides times 2^53 - K.
          const steps = BigInt(k);
          assert.ok(size * (2n ** 53n - steps) <= steps * magnitude, `row ${r}, column ${j}: off by ${error}`);
          if (k > 100) assert.notEqual(size, 0n, "a sum of so many rounded products cannot be exact");
        }
      }
    });
  }
}
