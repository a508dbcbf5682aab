/** A call of every kernel on drawn numbers, and its result by the formulas of the contract. */
import { type Kernels, paddedLength, type Precision } from "../../shared/kernels/kernels.ts";
import { packedLength, packedPlace } from "../../shared/kernels/packed.ts";
import {
  box,
  columnsOf,
  generator,
  indices,
  padded,
  poison,
  productSum,
  roundingTo,
  rowSum,
  type Shape,
  table,
} from "./kernel_numbers.ts";

/** Outputs by name; a matrix with its padding. */
export type Outputs = Readonly<Record<string, Float64Array>>;
export type Inputs = Readonly<Record<string, Float64Array>>;

export interface KernelCase {
  readonly inputs: Inputs;
  /** Group of each row, for kernels on rows under way. */
  readonly groups?: Int32Array;
  run(kernels: Kernels, inputs: Inputs): Promise<Outputs>;
  /** By the formulas of the contract, for coefficients of a kind. */
  expected(inputs: Inputs, precision: Precision): Outputs;
}

function gatherMatrix(shape: Shape, transposed: boolean, coefficients = false): KernelCase {
  const { rows, columns, inner } = shape, random = generator(shape.seed);
  const stride = paddedLength(inner + 1), source = padded(random, shape.wild, columns + 1, inner + 1);
  const [rowLimit, columnLimit] = transposed ? [inner + 1, columns + 1] : [columns + 1, inner + 1];
  const [rowStride, columnStride] = transposed ? [1, stride] : [stride, 1];
  const chosenRows = indices(random, rows, rowLimit), chosenColumns = indices(random, columns, columnLimit);
  return {
    inputs: { source },
    async run(kernels, inputs) {
      const upload = (values: Float64Array) =>
        coefficients ? kernels.uploadCoefficients(values) : kernels.upload(values);
      const out = upload(poison(rows * paddedLength(columns)));
      kernels.gatherMatrix({
        out,
        source: upload(inputs.source),
        rows: kernels.uploadIndices(chosenRows),
        columns: kernels.uploadIndices(chosenColumns),
        rowStride,
        columnStride,
      });
      return { out: await kernels.read(out) };
    },
    expected({ source }, precision) {
      const round = roundingTo(coefficients ? precision : "f64");
      const at = (r: number, c: number) => chosenRows[r] * rowStride + chosenColumns[c] * columnStride;
      return { out: table(rows, columns, (r, c) => round(source[at(r, c)])) };
    },
  };
}

function packMatrix(shape: Shape): KernelCase {
  const { columns: n, inner: k } = shape, stride = paddedLength(n);
  return {
    inputs: { matrix: padded(generator(shape.seed), shape.wild, k, n) },
    async run(kernels, inputs) {
      const out = kernels.uploadCoefficients(poison(packedLength(k, n, kernels.precision)));
      kernels.packMatrix({ out, matrix: kernels.upload(inputs.matrix), k, n });
      return { out: await kernels.read(out) };
    },
    expected({ matrix }, precision) {
      const out = new Float64Array(packedLength(k, n, precision)), round = roundingTo(precision);
      for (let p = 0; p < k; p++) {
        for (let j = 0; j < n; j++) out[packedPlace(k, n, p, j, precision)] = round(matrix[p * stride + j]);
      }
      return { out };
    },
  };
}

function gemm(shape: Shape): KernelCase {
  const { rows, columns: n, inner: k } = shape, random = generator(shape.seed);
  return {
    inputs: { a: padded(random, shape.wild, rows, k), b: padded(random, shape.wild, k, n) },
    async run(kernels, inputs) {
      const packed = kernels.allocateCoefficients(packedLength(k, n, kernels.precision));
      const out = kernels.uploadCoefficients(poison(rows * paddedLength(n)));
      kernels.packMatrix({ out: packed, matrix: kernels.upload(inputs.b), k, n });
      kernels.gemm({ out, a: kernels.uploadCoefficients(inputs.a), packed, rows, k, n });
      return { out: await kernels.read(out) };
    },
    expected({ a, b }, precision) {
      const sum = (r: number, j: number) =>
        productSum(k, n, precision, (p) => a[r * paddedLength(k) + p], (p) => b[p * paddedLength(n) + j]);
      return { out: table(rows, n, sum) };
    },
  };
}

function gatherRows(shape: Shape): KernelCase {
  const { rows, columns, inner } = shape, random = generator(shape.seed), stride = paddedLength(columns);
  const chosen = indices(random, rows, inner + 1), signs = indices(random, rows, 2).map((s) => 2 * s - 1);
  return {
    inputs: { matrix: padded(random, shape.wild, inner + 1, columns) },
    async run(kernels, inputs) {
      const out = kernels.uploadCoefficients(poison(rows * stride));
      kernels.gatherRows({
        out,
        matrix: kernels.upload(inputs.matrix),
        indices: kernels.uploadIndices(chosen),
        signs: kernels.uploadIndices(signs),
        rows,
        columns,
      });
      return { out: await kernels.read(out) };
    },
    expected({ matrix }, precision) {
      const round = roundingTo(precision);
      return { out: table(rows, columns, (r, j) => round(signs[r] * matrix[chosen[r] * stride + j])) };
    },
  };
}

/** What the three kernels on rows under way share: their inputs, and the sums of each row by a formula for its terms. */
function rowsUnderWay(
  shape: Shape,
  tables: (random: () => number) => Inputs,
  call: (kernels: Kernels, rows: Parameters<Kernels["relaxRows"]>[0], inputs: Inputs) => void,
  terms: (inputs: Inputs, a: number, group: number, j: number) => { constant: number; magnitude: number; next: number },
): KernelCase {
  const { rows, columns } = shape, random = generator(shape.seed), stride = paddedLength(columns);
  const groups = indices(random, rows, shape.groups);
  const inputs: Inputs = {
    coefficients: padded(random, shape.wild, rows, columns),
    constants: padded(random, false, 1, rows).slice(0, rows),
    magnitudes: padded(random, false, 1, rows).slice(0, rows),
    ...tables(random),
  };
  return {
    inputs,
    groups,
    async run(kernels, inputs) {
      const coefficients = kernels.uploadCoefficients(inputs.coefficients);
      const constants = kernels.upload(inputs.constants), magnitudes = kernels.upload(inputs.magnitudes);
      const tableBuffer = kernels.upload(inputs.table);
      const under = { rows, columns, coefficients, groups: kernels.uploadIndices(groups), constants, magnitudes };
      call(kernels, { ...under, table: tableBuffer }, inputs);
      return {
        coefficients: await kernels.read(coefficients),
        constants: await kernels.read(constants),
        magnitudes: await kernels.read(magnitudes),
      };
    },
    expected(inputs, precision) {
      const round = roundingTo(precision);
      const at = (r: number, j: number) => terms(inputs, round(inputs.coefficients[r * stride + j]), groups[r], j);
      const sums = (key: "constant" | "magnitude", start: Float64Array) =>
        start.map((value, r) => value + rowSum(columnsOf(columns).map((j) => at(r, j)[key])));
      return {
        coefficients: table(rows, columns, (r, j) => round(at(r, j).next)),
        constants: sums("constant", inputs.constants),
        magnitudes: sums("magnitude", inputs.magnitudes),
      };
    },
  };
}

function relaxRows(shape: Shape): KernelCase {
  const stride = paddedLength(shape.columns);
  return rowsUnderWay(
    shape,
    (random) => ({ table: padded(random, shape.wild, shape.groups * 4, shape.columns) }),
    (kernels, call) => kernels.relaxRows(call),
    ({ table }, a, group, j) => {
      const line = group * 4 + (a >= 0 ? 0 : 2);
      const slope = table[line * stride + j], intercept = table[(line + 1) * stride + j];
      const constant = intercept === 0 ? 0 : a * intercept;
      return { constant, magnitude: Math.abs(constant), next: slope === 0 ? 0 : a * slope };
    },
  );
}

function absorbRows(shape: Shape, biased: boolean): KernelCase {
  const stride = paddedLength(shape.columns);
  return rowsUnderWay(
    shape,
    (random) => ({
      table: padded(random, shape.wild, shape.groups, shape.columns),
      bias: padded(random, shape.wild, 1, biased ? shape.columns : 0),
    }),
    (kernels, { table, ...call }, { bias }) =>
      kernels.absorbRows({ ...call, q: table, bias: biased ? kernels.upload(bias) : null }),
    ({ table, bias }, a, group, j) => ({
      constant: biased ? a * bias[j] : 0,
      magnitude: Math.abs(a) * table[group * stride + j],
      next: a,
    }),
  );
}

function concretizeRows(shape: Shape): KernelCase {
  const stride = paddedLength(shape.columns);
  return rowsUnderWay(
    shape,
    (random) => ({ table: box(random, shape) }),
    (kernels, { table, ...call }) => kernels.concretizeRows({ ...call, box: table }),
    ({ table }, a, group, j) => {
      const lower = table[group * 2 * stride + j], upper = table[(group * 2 + 1) * stride + j];
      return {
        constant: a * (a >= 0 ? lower : upper),
        magnitude: Math.abs(a) * Math.max(Math.abs(lower), Math.abs(upper)),
        next: a,
      };
    },
  );
}

function scaleColumns(shape: Shape, inverse: boolean): KernelCase {
  const { rows, columns } = shape, random = generator(shape.seed), stride = paddedLength(columns);
  return {
    inputs: { a: padded(random, shape.wild, rows, columns), factors: padded(random, shape.wild, 1, columns) },
    async run(kernels, inputs) {
      const coefficients = kernels.uploadCoefficients(inputs.a);
      kernels.scaleColumns({ coefficients, rows, columns, factors: kernels.upload(inputs.factors), inverse });
      return { out: await kernels.read(coefficients) };
    },
    expected({ a, factors }, precision) {
      const round = roundingTo(precision), scaled = (x: number, f: number) => round(inverse ? x / f : x * f);
      return { out: table(rows, columns, (r, j) => scaled(round(a[r * stride + j]), factors[j])) };
    },
  };
}

function addRows(shape: Shape, sign: 1 | -1, fresh: boolean): KernelCase {
  const { rows, columns } = shape, random = generator(shape.seed), stride = paddedLength(columns);
  const before = fresh ? poison(rows * stride) : padded(random, shape.wild, rows, columns);
  return {
    inputs: { before, a: padded(random, shape.wild, rows, columns) },
    async run(kernels, inputs) {
      const out = kernels.uploadCoefficients(inputs.before);
      kernels.addRows({ out, a: kernels.uploadCoefficients(inputs.a), rows, columns, sign, fresh });
      return { out: await kernels.read(out) };
    },
    expected({ before, a }, precision) {
      const round = roundingTo(precision), term = (at: number) => sign * round(a[at]);
      const next = (at: number) => fresh ? term(at) : round(round(before[at]) + term(at));
      return { out: table(rows, columns, (r, j) => next(r * stride + j)) };
    },
  };
}

function affineBox(shape: Shape): KernelCase {
  const { rows, columns, groups } = shape, random = generator(shape.seed), stride = paddedLength(columns);
  return {
    inputs: { matrix: padded(random, shape.wild, rows, columns), box: box(random, shape) },
    async run(kernels, inputs) {
      const out = kernels.upload(poison(groups * 4 * paddedLength(rows)));
      const matrix = kernels.upload(inputs.matrix);
      kernels.affineBox({ out, matrix, box: kernels.upload(inputs.box), groups, rows, columns });
      return { out: await kernels.read(out) };
    },
    expected({ matrix, box }) {
      return {
        out: table(groups * 4, rows, (t, i) => {
          const group = Math.floor(t / 4);
          return rowSum(
            columnsOf(columns).map((j) => {
              const w = matrix[i * stride + j];
              const x = w * box[group * 2 * stride + j], y = w * box[(group * 2 + 1) * stride + j];
              const end = t % 4 < 2 ? Math.min(x, y) : Math.max(x, y);
              return t % 2 === 0 ? end : Math.abs(end);
            }),
          );
        }),
      };
    },
  };
}

export const CASES: Readonly<Record<string, (shape: Shape) => KernelCase>> = {
  "gatherMatrix() copies rows and columns": (shape) => gatherMatrix(shape, false),
  "gatherMatrix() transposes by its strides": (shape) => gatherMatrix(shape, true),
  "gatherMatrix() copies coefficients": (shape) => gatherMatrix(shape, false, true),
  "packMatrix() lays panels of 32 bytes": packMatrix,
  "gemm() multiplies": gemm,
  "gatherRows() copies rows with their signs": gatherRows,
  "relaxRows() takes the line of each coefficient's sign": relaxRows,
  "absorbRows() adds bias and magnitude": (shape) => absorbRows(shape, true),
  "absorbRows() without a bias adds the magnitude only": (shape) => absorbRows(shape, false),
  "concretizeRows() adds the lower end over the box": concretizeRows,
  "scaleColumns() multiplies": (shape) => scaleColumns(shape, false),
  "scaleColumns() divides": (shape) => scaleColumns(shape, true),
  "addRows() adds": (shape) => addRows(shape, 1, false),
  "addRows() subtracts": (shape) => addRows(shape, -1, false),
  "addRows() hands on with a sign": (shape) => addRows(shape, -1, true),
  "affineBox() sums both ends and their magnitudes": affineBox,
};
