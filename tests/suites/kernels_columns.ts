/** Columns whose coefficients are all zero can be dropped: the sums go in the order of the columns. */
import fc from "fast-check";
import { paddedLength } from "../../shared/kernels/kernels.ts";
import { CASES, type Inputs } from "./kernel_cases.ts";
import { generator } from "./kernel_numbers.ts";
import { assertSameBits, type MakeKernels, runOnDirtyMemory } from "./kernels.ts";

const FACTS = [
  "relaxRows() takes the line of each coefficient's sign",
  "absorbRows() adds bias and magnitude",
  "concretizeRows() adds the lower end over the box",
];

/** Rows of `columns` with one more column at `place`: 0 in the coefficients, any finite number in the tables. */
function withColumn(inputs: Inputs, columns: number, place: number, seed: number): Inputs {
  const random = generator(seed), from = paddedLength(columns), to = paddedLength(columns + 1);
  const widened = (values: Float64Array, name: string) => {
    const out = new Float64Array(values.length / from * to);
    for (let r = 0; r < values.length / from; r++) {
      const row = [...values.subarray(r * from, r * from + columns)];
      row.splice(place, 0, name === "coefficients" ? 0 : random() - 0.5);
      out.set(row, r * to);
    }
    return out;
  };
  const rowsOfColumns = ([name]: [string, Float64Array]) => name !== "constants" && name !== "magnitudes";
  const wide = Object.entries(inputs).filter(rowsOfColumns).map(([name, values]) => [name, widened(values, name)]);
  return { ...inputs, ...Object.fromEntries(wide) };
}

export function columnsSuite(backend: string, make: MakeKernels): void {
  for (const fact of FACTS) {
    Deno.test(`${fact}; a column of zeros changes no bit of the sums: ${backend}`, async () => {
      const kernels = await make();
      const drawn = fc.record({ seed: fc.nat(), columns: fc.integer({ min: 1, max: 20 }), place: fc.nat({ max: 20 }) });
      await fc.assert(
        fc.asyncProperty(drawn, async ({ seed, columns, place }) => {
          const shape = { seed, rows: 6, columns, inner: 1, groups: 2, wild: false };
          const narrow = CASES[fact](shape), wide = CASES[fact]({ ...shape, columns: columns + 1 });
          const inputs = withColumn(narrow.inputs, columns, Math.min(place, columns), seed + 1);
          const { constants, magnitudes } = await runOnDirtyMemory(kernels, narrow, narrow.inputs);
          const got = await runOnDirtyMemory(kernels, wide, inputs);
          assertSameBits(
            { constants: got.constants, magnitudes: got.magnitudes },
            { constants, magnitudes },
            `${columns} columns and one at ${place}`,
          );
        }),
        { numRuns: 60 },
      );
    });
  }
}
