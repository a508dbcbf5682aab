/** A number that is not finite, anywhere in the inputs: it must show in the rows it reaches and in no other. */
import assert from "node:assert/strict";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { paddedLength } from "../../shared/kernels/kernels.ts";
import { CASES, type Inputs, type KernelCase, type Outputs } from "./kernel_cases.ts";
import { generator } from "./kernel_numbers.ts";
import { assertSameBits, type MakeKernels, runOnDirtyMemory } from "./kernels.ts";

const ROWS = 5, COLUMNS = 7, GROUPS = 2, STRIDE = paddedLength(COLUMNS);
const SHAPE = { rows: ROWS, columns: COLUMNS, inner: 3, groups: GROUPS, wild: false };
const POISONS = [NaN, Infinity, -Infinity];

/** Finite and not zero, so that no product hides a poison; zero stays in the padding. */
function without0(inputs: Inputs, seed: number): Inputs {
  const random = generator(seed);
  const filled = (values: Float64Array, name: string) =>
    values.map((value, i) => {
      const row = ["constants", "magnitudes"].includes(name);
      return value === 0 && (row || i % STRIDE < COLUMNS) ? 0.5 + random() : value;
    });
  return Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, filled(values, name)]));
}

/** The outputs of one row; for `affineBox` of one row in one group, row r of group g being number g ROWS + r. */
function rowOf(outputs: Outputs, r: number): Outputs {
  if ("out" in outputs) {
    const stride = paddedLength(ROWS), group = Math.floor(r / ROWS);
    return { out: Float64Array.from([0, 1, 2, 3], (t) => outputs.out[(4 * group + t) * stride + r % ROWS]) };
  }
  return {
    coefficients: outputs.coefficients.slice(r * STRIDE, (r + 1) * STRIDE),
    constants: outputs.constants.slice(r, r + 1),
    magnitudes: outputs.magnitudes.slice(r, r + 1),
  };
}

const finite = (outputs: Outputs): boolean => Object.values(outputs).every((values) => values.every(Number.isFinite));

/** Whether position i of an input reaches row r. */
type Reach = (i: number, r: number, call: KernelCase, inputs: Inputs) => boolean;

const ownRow: Reach = (i, r) => Math.floor(i / STRIDE) === r;
const ownSum: Reach = (i, r) => i === r;
const everyRow: Reach = () => true;
const ownGroup = (tables: number): Reach => (i, r, { groups }) => Math.floor(i / (tables * STRIDE)) === groups?.[r];
const ownLine: Reach = (i, r, call, { coefficients }) => {
  const upper = Math.floor(i / STRIDE) % 4 >= 2;
  return ownGroup(4)(i, r, call, {}) && upper === coefficients[r * STRIDE + i % STRIDE] < 0;
};
const sums = { constants: ownSum, magnitudes: ownSum };

const REACHES: Readonly<Record<string, Readonly<Record<string, Reach>>>> = {
  "relaxRows() takes the line of each coefficient's sign": { coefficients: ownRow, table: ownLine, ...sums },
  "absorbRows() adds bias and magnitude": { coefficients: ownRow, table: ownGroup(1), bias: everyRow, ...sums },
  "concretizeRows() adds the lower end over the box": { coefficients: ownRow, table: ownGroup(2), ...sums },
  "affineBox() sums both ends and their magnitudes": {
    matrix: (i, r) => Math.floor(i / STRIDE) === r % ROWS,
    box: (i, r) => Math.floor(i / (2 * STRIDE)) === Math.floor(r / ROWS),
  },
};

/** Poisons every position of input `name` with every poison. */
async function poisonEverywhere(kernels: Kernels, call: KernelCase, name: string, reaches: Reach): Promise<void> {
  const inputs = without0(call.inputs, 78), clean = await runOnDirtyMemory(kernels, call, inputs);
  assert.ok(finite(clean));
  const rows = "out" in clean ? GROUPS * ROWS : ROWS;
  for (const value of POISONS) {
    for (let i = 0; i < inputs[name].length; i++) {
      if (i % STRIDE >= COLUMNS) continue;
      const outputs = await runOnDirtyMemory(kernels, call, { ...inputs, [name]: inputs[name].with(i, value) });
      for (let r = 0; r < rows; r++) {
        const where = `${name}[${i}] = ${value}, row ${r}`;
        if (reaches(i, r, call, inputs)) assert.ok(!finite(rowOf(outputs, r)), `${where} must show`);
        else assertSameBits(rowOf(outputs, r), rowOf(clean, r), `${where} must not show`);
      }
    }
  }
}

export function poisonSuite(backend: string, make: MakeKernels): void {
  for (const [fact, inputs] of Object.entries(REACHES)) {
    Deno.test(`${fact}; NaN or infinity shows in its rows and no other: ${backend}`, async () => {
      const kernels = await make(), call = CASES[fact]({ ...SHAPE, seed: 77 });
      assert.deepEqual(Object.keys(call.inputs).sort(), Object.keys(inputs).sort());
      for (const [name, reaches] of Object.entries(inputs)) await poisonEverywhere(kernels, call, name, reaches);
    });
  }

  Deno.test(`relaxRows() of slope and intercept 0 gives 0, whatever the coefficient: ${backend}`, async () => {
    const kernels = await make();
    const coefficients = kernels.uploadCoefficients(Float64Array.of(NaN, Infinity, -Infinity, 1, -1, 0, 0, 0));
    const constants = kernels.allocate(1), magnitudes = kernels.allocate(1), table = kernels.allocate(32);
    const groups = kernels.uploadIndices(Int32Array.of(0));
    kernels.relaxRows({ rows: 1, columns: 6, coefficients, groups, constants, magnitudes, table });
    assert.deepEqual(await kernels.read(coefficients), new Float64Array(8));
    assert.deepEqual(await kernels.read(constants), new Float64Array(1));
    assert.deepEqual(await kernels.read(magnitudes), new Float64Array(1));
  });
}
