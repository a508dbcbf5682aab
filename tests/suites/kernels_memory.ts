/** Scopes, figures and zeros of the memory of a backend. */
import assert from "node:assert/strict";
import type { Buffer } from "../../shared/kernels/kernels.ts";
import { poison } from "./kernel_numbers.ts";
import type { MakeKernels } from "./kernels.ts";

export function memorySuite(backend: string, make: MakeKernels): void {
  Deno.test(`allocate() gives zeros where NaN was: ${backend}`, async () => {
    const kernels = await make();
    await kernels.scope(() => Promise.resolve(kernels.upload(poison(1000))));
    assert.deepEqual(await kernels.read(kernels.allocate(1000)), new Float64Array(1000));
  });

  Deno.test(`scope() frees what was taken inside, and only that: ${backend}`, async () => {
    const kernels = await make();
    const outer = kernels.upload(Float64Array.of(1, 2, 0, 0));
    const { bytes } = kernels.memory();
    const inner = await kernels.scope(async () => {
      const middle = kernels.upload(Float64Array.of(3, 0, 0, 0));
      await kernels.scope(() => Promise.resolve(kernels.allocate(500)));
      assert.deepEqual([...await kernels.read(middle, 1)], [3]);
      assert.ok(kernels.memory().bytes >= bytes + 8);
      return middle;
    });
    assert.equal(kernels.memory().bytes, bytes);
    assert.deepEqual([...await kernels.read(outer, 2)], [1, 2]);
    await assert.rejects(async () => await kernels.read(inner), TypeError);
    assert.throws(
      () => kernels.scaleColumns({ coefficients: inner, rows: 1, columns: 1, factors: outer, inverse: false }),
      TypeError,
    );
  });

  Deno.test(`scope() frees when its body throws and hands the error on: ${backend}`, async () => {
    const kernels = await make();
    await assert.rejects(
      kernels.scope(() => {
        kernels.allocate(100);
        return Promise.reject(new Error("stop"));
      }),
      /stop/,
    );
    assert.equal(kernels.memory().bytes, 0);
  });

  Deno.test(`scope() refuses to end before a scope inside it: ${backend}`, async () => {
    const kernels = await make();
    let release = () => {};
    let inside: Promise<void> | undefined;
    await assert.rejects(
      kernels.scope(() => {
        inside = kernels.scope(() => new Promise<void>((resolve) => release = resolve));
        return Promise.resolve();
      }),
      TypeError,
    );
    release();
    await assert.rejects(async () => await inside, TypeError);
    assert.equal(kernels.memory().bytes, 0);
  });

  Deno.test(`memory() does not grow over 1,000 scopes and tells the peak: ${backend}`, async () => {
    const kernels = await make();
    const once = () =>
      kernels.scope(() => {
        kernels.allocate(3000);
        kernels.upload(new Float64Array(700));
        kernels.uploadIndices(new Int32Array(30));
        return Promise.resolve();
      });
    await once();
    const { bytes, peakBytes } = kernels.memory();
    assert.equal(bytes, 0);
    assert.ok(peakBytes >= 3700 * 8 + 120 && peakBytes < 3700 * 8 + 200, `${peakBytes}`);
    for (let i = 0; i < 1000; i++) await once();
    assert.deepEqual(kernels.memory(), { bytes: 0, peakBytes });
    kernels.resetPeak();
    assert.deepEqual(kernels.memory(), { bytes: 0, peakBytes: 0 });
  });

  Deno.test(`memory() counts the vectors of a search until they are released: ${backend}`, async () => {
    const kernels = await make();
    const first = kernels.vectors(1000)!, second = kernels.vectors(500)!;
    const { bytes } = kernels.memory();
    assert.ok(bytes >= 12_000 && bytes < 24_000, `${bytes}`);
    await kernels.scope(() => Promise.resolve(kernels.allocate(100)));
    assert.deepEqual(kernels.memory(), { bytes, peakBytes: bytes + 800 });
    first.release();
    second.release();
    kernels.resetPeak();
    assert.deepEqual(kernels.memory(), { bytes: 0, peakBytes: 0 });
    assert.equal(kernels.single.memory().bytes, 0);
  });

  Deno.test(`allocations keep their values while the memory grows: ${backend}`, async () => {
    const kernels = await make();
    const buffers: Buffer[] = [];
    for (let i = 0; i < 40; i++) buffers.push(kernels.upload(new Float64Array(1 + i * 700).fill(i)));
    for (const [i, buffer] of buffers.entries()) {
      const values = await kernels.read(buffer);
      assert.ok(values.every((value) => value === i), `buffer ${i}`);
    }
  });
}
