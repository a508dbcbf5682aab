/** The contract of the kernels as tests; `tests/backends/` runs them over every backend. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import { CASES, type Inputs, type KernelCase, type Outputs } from "./kernel_cases.ts";
import { poison, type Shape } from "./kernel_numbers.ts";
import { columnsSuite } from "./kernels_columns.ts";
import { gemmSuite } from "./kernels_gemm.ts";
import { memorySuite } from "./kernels_memory.ts";
import { poisonSuite } from "./kernels_poison.ts";
import { windowsSuite } from "./kernels_windows.ts";
import { WINDOW_CASES } from "./window_cases.ts";

/** The definition for coefficients of the same kind. */
export function referenceFor({ precision }: Kernels): Kernels {
  return precision === "f64" ? referenceKernels() : referenceKernels().single;
}

export type MakeKernels = () => Kernels | Promise<Kernels>;

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 0, max: 13 }),
  columns: fc.integer({ min: 0, max: 40 }),
  inner: fc.integer({ min: 0, max: 40 }),
  groups: fc.integer({ min: 1, max: 5 }),
  wild: fc.boolean(),
});

/** Shapes at which a loop over tiles, panels or vectors ends differently, and one with none of anything. */
const EDGES: readonly [number, number, number][] = [
  [0, 5, 5],
  [5, 0, 5],
  [5, 5, 0],
  [1, 1, 1],
  [1, 16, 4],
  [1, 13, 5],
  [2, 12, 3],
  [3, 4, 8],
  [4, 5, 7],
  [11, 9, 6],
  [62, 6, 515],
];

export const edgeShapes: readonly Shape[] = EDGES.map(([rows, columns, inner], i) => ({
  seed: 1000 + i,
  rows,
  columns,
  inner,
  groups: 2,
  wild: false,
}));

/** Equal bits, or NaN on both sides (the bits of a NaN are the engine's choice). */
export function assertSameBits(got: Outputs, wanted: Outputs, message: string): void {
  assert.deepEqual(Object.keys(got), Object.keys(wanted));
  for (const [name, values] of Object.entries(wanted)) {
    assert.equal(got[name].length, values.length, `${message}: length of ${name}`);
    const place = values.findIndex((value, i) => !Object.is(value, got[name][i]));
    if (place >= 0) assert.fail(`${message}: ${name}[${place}] is ${got[name][place]}, not ${values[place]}`);
  }
}

/** Runs a call in a scope of its own, on memory that held NaN before. */
export function runOnDirtyMemory(kernels: Kernels, call: KernelCase, inputs: Inputs): Promise<Outputs> {
  return kernels.scope(async () => {
    await kernels.scope(() => Promise.resolve(kernels.upload(poison(50_000))));
    return await kernels.scope(() => call.run(kernels, inputs));
  });
}

/** Every kernel against the formulas of its contract and against the reference. */
export function bitsSuite(backend: string, make: MakeKernels): void {
  for (const [fact, draw] of Object.entries({ ...CASES, ...WINDOW_CASES })) {
    Deno.test(`${fact}, to the bit, padding zero: ${backend}`, async () => {
      const kernels = await make(), reference = referenceFor(kernels);
      const agree = async (shape: Shape) => {
        const call = draw(shape);
        const got = await runOnDirtyMemory(kernels, call, call.inputs);
        assertSameBits(got, call.expected(call.inputs, kernels.precision), `formula at ${JSON.stringify(shape)}`);
        const wanted = await runOnDirtyMemory(reference, call, call.inputs);
        assertSameBits(got, wanted, `reference at ${JSON.stringify(shape)}`);
      };
      for (const shape of edgeShapes) await agree(shape);
      await fc.assert(fc.asyncProperty(shapes, agree), { numRuns: 60 });
    });
  }
}

export function kernelsSuite(backend: string, make: MakeKernels): void {
  bitsSuite(backend, make);

  Deno.test(`read() copies, whole or the first elements: ${backend}`, async () => {
    const kernels = await make();
    const buffer = kernels.upload(Float64Array.of(1, 2, 3, 0));
    const copy = await kernels.read(buffer);
    copy[0] = 9;
    assert.deepEqual([...await kernels.read(buffer, 2)], [1, 2]);
    kernels.scaleColumns({
      coefficients: buffer,
      rows: 1,
      columns: 3,
      factors: kernels.upload(Float64Array.of(2, 2, 2, 0)),
      inverse: false,
    });
    assert.deepEqual([...copy], [9, 2, 3, 0]);
    assert.deepEqual([...await kernels.read(buffer)], [2, 4, 6, 0]);
    await assert.rejects(async () => await kernels.read(buffer, 5), RangeError);
  });

  Deno.test(`packMatrix() writes zeros behind the columns whatever the matrix holds there: ${backend}`, async () => {
    const kernels = await make(), out = kernels.upload(poison(8));
    kernels.packMatrix({ out, matrix: kernels.upload(Float64Array.of(1, 2, 7, 7, 3, 4, 7, NaN)), k: 2, n: 2 });
    assert.deepEqual([...await kernels.read(out)], [1, 2, 0, 0, 3, 4, 0, 0]);
  });

  Deno.test(`upload() copies: ${backend}`, async () => {
    const kernels = await make();
    const values = Float64Array.of(1, 2), buffer = kernels.upload(values);
    values[0] = 9;
    assert.deepEqual([...await kernels.read(buffer)], [1, 2]);
  });

  Deno.test(`a call refuses buffers too small, indices out of range and another backend's buffers: ${backend}`, async () => {
    const kernels = await make();
    const four = kernels.allocate(4), sixteen = kernels.allocate(16), out = kernels.allocate(16);
    const zero = kernels.uploadIndices(Int32Array.of(0)), five = kernels.uploadIndices(Int32Array.of(5));
    const minus = kernels.uploadIndices(Int32Array.of(-1));
    const rows = {
      rows: 1,
      columns: 3,
      coefficients: four,
      constants: kernels.allocate(1),
      magnitudes: kernels.allocate(1),
    };
    const strides = { rowStride: 4, columnStride: 1 };
    const refused: readonly (() => void)[] = [
      () => kernels.allocate(-1),
      () => kernels.allocate(NaN),
      () => kernels.allocate(1.5),
      () => kernels.gemm({ out, a: four, packed: sixteen, rows: 1, k: 5, n: 4 }),
      () => kernels.gemm({ out: four, a: four, packed: sixteen, rows: 1, k: 4, n: 4 }),
      () => kernels.gemm({ out, a: four, packed: sixteen, rows: -1, k: 4, n: 4 }),
      () => kernels.gemm({ out, a: four, packed: sixteen, rows: 0.5, k: 4, n: 4 }),
      () => kernels.packMatrix({ out: four, matrix: sixteen, k: 4, n: 4 }),
      () => kernels.relaxRows({ ...rows, groups: five, table: sixteen }),
      () => kernels.relaxRows({ ...rows, groups: minus, table: sixteen }),
      () => kernels.relaxRows({ ...rows, groups: zero, table: four }),
      () => kernels.relaxRows({ ...rows, magnitudes: rows.constants, groups: zero, table: sixteen }),
      () => kernels.absorbRows({ ...rows, groups: zero, bias: kernels.allocate(3), q: four }),
      () => kernels.concretizeRows({ ...rows, groups: zero, box: four }),
      () => kernels.gatherRows({ out, matrix: sixteen, indices: five, signs: zero, rows: 1, columns: 4 }),
      () => kernels.gatherMatrix({ out, source: sixteen, rows: five, columns: zero, ...strides }),
      () => kernels.gatherMatrix({ out, source: sixteen, rows: minus, columns: zero, ...strides }),
      () => kernels.gatherMatrix({ out: sixteen, source: sixteen, rows: zero, columns: zero, ...strides }),
      () => kernels.scaleColumns({ coefficients: four, rows: 1, columns: 4, factors: rows.constants, inverse: false }),
      () => kernels.affineBox({ out: four, matrix: sixteen, box: sixteen, groups: 1, rows: 4, columns: 4 }),
    ];
    refused.forEach((call, i) => assert.throws(call, RangeError, `call ${i}`));
    const foreign = referenceKernels();
    assert.throws(
      () => kernels.gemm({ out, a: foreign.allocate(4), packed: sixteen, rows: 1, k: 4, n: 4 }),
      TypeError,
    );
    await assert.rejects(async () => await kernels.read(foreign.allocate(4)), TypeError);
    // What is refused changes nothing, and the same buffers still serve a call that fits.
    kernels.gemm({ out, a: four, packed: sixteen, rows: 1, k: 4, n: paddedLength(4) });
    assert.deepEqual([...await kernels.read(out)], Array(16).fill(0));
  });

  columnsSuite(backend, make);
  gemmSuite(backend, make);
  memorySuite(backend, make);
  poisonSuite(backend, make);
  windowsSuite(backend, make);
}
