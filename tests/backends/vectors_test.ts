/** The kernels of a search in WebAssembly give the bits of their definition. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LipcertError } from "../../shared/errors.ts";
import type { Part, Vectors } from "../../shared/kernels/vectors.ts";
import { plainVectors } from "../../shared/kernels/vectors_reference.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import module from "../../wasm/dist/kernels.js";

const kernels = wasmKernels(module);

interface Shape {
  readonly numbers: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly ranks: readonly number[];
}

/** Numbers of all sizes; zeros often, for rows that are passed over; numbers that are none now and then. */
const number = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  { weight: 3, arbitrary: fc.constantFrom(0, -0, 1, -1) },
  { weight: 1, arbitrary: fc.double() },
);

const shapes: fc.Arbitrary<Shape> = fc.record({
  numbers: fc.array(number, { minLength: 7, maxLength: 40 }),
  rows: fc.integer({ min: 0, max: 9 }),
  columns: fc.integer({ min: 0, max: 21 }),
  ranks: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }),
});

/** Everything the kernels write for one shape, by name. */
function outcome(vectors: Vectors, { numbers, rows, columns, ranks }: Shape): Record<string, Float64Array> {
  let drawn = 0;
  // Steps through the numbers that meet other neighbours each time around.
  const draw = () => numbers[(drawn = drawn * 5 + 3 + (drawn % 7)) % numbers.length] * ((drawn %= 1_000_003) % 5 - 2);
  const filled = (length: number) => {
    const values = vectors.take(length);
    for (let i = 0; i < length; i++) values[i] = draw();
    return values;
  };
  const matrix: Part = { numbers: filled(3 + rows * (columns + 2)), at: 3, stride: columns + 2, rows, columns };
  const combined = filled(columns + 1), produced = filled(rows + 1), vector = filled(columns + 1);
  vectors.combine(combined, 1, matrix, filled(rows + 1), 1);
  vectors.products(produced, 1, matrix, vector, 1);
  const lower = filled(columns),
    upper = filled(columns),
    at = vectors.take(columns),
    difference = vectors.take(columns);
  const value = vectors.corner(at, filled(columns), lower, upper);
  vectors.move(difference, lower, at);
  const asked = vectors.takeIndices(7), count = rows === 0 ? 0 : 7, intervals = vectors.take(14);
  for (let i = 0; i < count; i++) asked[i] = (3 * i) % rows;
  vectors.intervals(intervals, asked, count, matrix, lower, upper);
  const below = ranks.flatMap((size, r) => {
    const from = ranks.slice(0, r).reduce((sum, one) => sum + one, 0);
    return new Array<number>(size).fill(from);
  });
  const width = below.length,
    units = vectors.takeIndices(width),
    gated = vectors.take(4 * 7),
    lines = filled(4 * width);
  units.set(below);
  for (let v = 0; v < width; v += 3) for (let k = 0; k < 4; k++) lines[k * width + v] = 0;
  const entries = filled(Math.max(1, rows) * width), stride = width === 0 ? 0 : below[width - 1];
  // Nothing reads the units of the last rank.
  const inner = filled(width * stride);
  const slopes = vectors.take(8 * width), lanes = [0, 1, 2, 4, 5, 6];
  for (const first of width === 0 ? [0] : [0, below[width - 1]]) {
    vectors.gatedRows({
      out: gated,
      rows: asked,
      count,
      matrix: entries,
      first,
      inner,
      stride,
      below: units,
      lines,
      seed: filled(width),
      charges: filled(width),
      slopes,
    });
  }
  // Of seven rows the last call's lanes are three rows and their negatives.
  const last = count === 0
    ? []
    : Array.from({ length: 6 * width }, (_, i) => slopes[8 * Math.trunc(i / 6) + lanes[i % 6]]);
  const values = {
    slopes: Float64Array.from(last),
    combined,
    produced,
    at,
    difference,
    moved: lower,
    intervals,
    gated,
    value: Float64Array.of(value),
  };
  return Object.fromEntries(Object.entries(values).map(([name, numbers]) => [name, numbers.slice()]));
}

Deno.test("vectors() in WebAssembly and in plain TypeScript write the same bits", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const vectors = kernels.vectors(4000)!;
      assert.equal(vectors.name, "wasm");
      try {
        const got = outcome(vectors, shape), wanted = outcome(plainVectors, shape);
        for (const [name, values] of Object.entries(wanted)) {
          values.forEach((value, i) =>
            assert.ok(Object.is(value, got[name][i]), `${name} ${i}: ${got[name][i]}, not ${value}`)
          );
        }
      } finally {
        vectors.release();
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("vectors() are zeros again after a release, grow, and refuse what was not asked for", () => {
  const vectors = kernels.vectors(100)!, numbers = vectors.take(100).fill(1);
  assert.equal(numbers.length, 100);
  vectors.release();
  const again = kernels.vectors(50_000)!, zeros = again.take(50_000);
  assert.equal(again, vectors);
  assert.ok(zeros.every((value) => value === 0));
  assert.throws(() => again.take(100_000), RangeError);
  const other = kernels.vectors(10)!;
  assert.notEqual(other, again);
  other.take(10).fill(2);
  assert.ok(zeros.every((value) => value === 0));
  again.release();
  assert.throws(() => again.take(1), RangeError);
});

Deno.test("vectors() share the budget with what the arena holds, and are null beyond it", async () => {
  const small = wasmKernels(module, { maxBytes: 2 ** 20 });
  assert.equal(small.vectors(131_072), null);
  await small.scope(() => {
    small.allocate(65_536);
    assert.equal(small.vectors(65_536), null);
    const vectors = small.vectors(32_768)!;
    assert.throws(
      () => small.allocate(32_768),
      (error) =>
        error instanceof LipcertError && error.type === "over-budget" && error.members.allowed_bytes === 2 ** 20,
    );
    vectors.release();
    vectors.release();
    small.allocate(32_768);
    return Promise.resolve();
  });
  assert.equal(small.memory().bytes, 0);
  assert.equal(small.vectors(100_000)!.take(100_000).length, 100_000);
});

Deno.test("vectors() that the platform has no memory for are the reference, and count as well", () => {
  const kernels = wasmKernels(module), { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(given: WebAssembly.MemoryDescriptor) {
      super(given);
      throw new RangeError("no memory");
    }
  };
  try {
    const vectors = kernels.vectors(1000)!;
    assert.equal(vectors.name, "reference");
    assert.ok(kernels.memory().bytes >= 8000);
    vectors.release();
    assert.equal(kernels.memory().bytes, 0);
  } finally {
    WebAssembly.Memory = Memory;
  }
});
