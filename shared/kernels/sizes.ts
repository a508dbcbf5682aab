/** Whether the buffers of a call are large enough: a mistake here is a programmer's and throws `RangeError`. */
import {
  type AbsorbRows,
  type AddRows,
  type AffineBox,
  type Buffer,
  type ConcretizeRows,
  type GatherMatrix,
  type GatherRows,
  type Gemm,
  type GemmBlocks,
  type Indices,
  type PackMatrix,
  type PackWindows,
  paddedLength,
  type RelaxRows,
  type ScaleColumns,
  type UnitRows,
  type WindowsBox,
} from "./kernels.ts";
import type { Windows } from "../graph.ts";
import type { EncodedBlocks } from "./blocks.ts";
import { packedLength, type Precision } from "./packed.ts";
import { coarseSize, fineSize, kernelSize } from "./windows.ts";

/** Least and greatest of some indices, taken once at upload so that a call checks its range without reading them. */
export interface IndexRange extends Indices {
  readonly least: number;
  readonly greatest: number;
}

/** Range of `values`; least 0 and greatest -1 when there are none. */
export function indexRange(values: Int32Array): { least: number; greatest: number } {
  if (values.length === 0) return { least: 0, greatest: -1 };
  let least = values[0], greatest = values[0];
  for (let i = 1; i < values.length; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, greatest };
}

function needCounts(kernel: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`Cannot run ${kernel}: ${name} is ${count}, not a count`);
    }
  }
}

function need(kernel: string, name: string, buffer: Buffer | Indices, length: number): void {
  if (buffer.length < length) {
    throw new RangeError(`Cannot run ${kernel}: ${name} has ${buffer.length} elements, needs ${length}`);
  }
}

function needIndices(kernel: string, name: string, range: IndexRange, limit: number): void {
  if (range.least < 0 || range.greatest >= limit) {
    throw new RangeError(
      `Cannot run ${kernel}: ${name} range from ${range.least} to ${range.greatest}, allowed are 0 to ${limit - 1}`,
    );
  }
}

function needApart(kernel: string, out: Buffer, ...inputs: Buffer[]): void {
  if (inputs.includes(out)) throw new RangeError(`Cannot run ${kernel}: out is one of its inputs`);
}

/** A length that a block of memory can have. */
export function checkLength(length: number): void {
  needCounts("allocate", { length });
}

export function checkGatherMatrix(call: GatherMatrix, rows: IndexRange, columns: IndexRange): void {
  const { out, source, rowStride, columnStride } = call;
  needCounts("gatherMatrix", { rowStride, columnStride });
  need("gatherMatrix", "out", out, rows.length * paddedLength(columns.length));
  needApart("gatherMatrix", out, source);
  if (rows.length === 0 || columns.length === 0) return;
  needIndices("gatherMatrix", "rows", rows, source.length);
  needIndices("gatherMatrix", "columns", columns, source.length);
  need("gatherMatrix", "source", source, rows.greatest * rowStride + columns.greatest * columnStride + 1);
}

export function checkPackMatrix({ out, matrix, k, n }: PackMatrix, precision: Precision): void {
  needCounts("packMatrix", { k, n });
  need("packMatrix", "out", out, packedLength(k, n, precision));
  need("packMatrix", "matrix", matrix, k * paddedLength(n));
  needApart("packMatrix", out, matrix);
}

export function checkGemm({ out, a, packed, rows, k, n }: Gemm, precision: Precision): void {
  needCounts("gemm", { rows, k, n });
  need("gemm", "out", out, rows * paddedLength(n));
  need("gemm", "a", a, rows * paddedLength(k));
  need("gemm", "packed", packed, packedLength(k, n, precision));
  needApart("gemm", out, a, packed);
}

export function checkGatherRows({ out, matrix, rows, columns }: GatherRows, indices: IndexRange, signs: Indices): void {
  needCounts("gatherRows", { rows, columns });
  const stride = paddedLength(columns);
  need("gatherRows", "out", out, rows * stride);
  need("gatherRows", "indices", indices, rows);
  need("gatherRows", "signs", signs, rows);
  needApart("gatherRows", out, matrix);
  if (rows === 0 || columns === 0) return;
  needIndices("gatherRows", "indices", indices, Math.floor(matrix.length / stride));
}

export function checkUnitRows({ out, columns, first, places }: UnitRows): void {
  needCounts("unitRows", { columns, first });
  need("unitRows", "out", out, (first + places.length) * paddedLength(columns));
  needIndices(
    "unitRows",
    "places",
    { ...indexRange(places.map((place) => Math.max(place, 0))), length: 0 },
    columns || 1,
  );
}

/** Rows under way whose group selects `tables` padded rows of `table`. */
export function checkRows(
  kernel: string,
  call: RelaxRows | AbsorbRows | ConcretizeRows,
  groups: IndexRange,
  table: Buffer,
  tables: number,
): void {
  const { rows, columns, coefficients, constants, magnitudes } = call;
  const { first, stride: rowStride } = windowOf(call);
  needCounts(kernel, { rows, columns, first, rowStride });
  const stride = paddedLength(columns);
  if (first + columns > rowStride) throw new RangeError(`Cannot run ${kernel}: its window is wider than its rows`);
  need(kernel, "coefficients", coefficients, rows * rowStride);
  need(kernel, "groups", groups, rows);
  need(kernel, "constants", constants, rows);
  need(kernel, "magnitudes", magnitudes, rows);
  if (constants === magnitudes) throw new RangeError(`Cannot run ${kernel}: constants and magnitudes are one buffer`);
  if (rows === 0 || columns === 0) return;
  needIndices(kernel, "groups", groups, Math.floor(table.length / (tables * stride)));
}

/** Where the columns of a call lie in its rows. */
export function windowOf(call: RelaxRows | AbsorbRows | ConcretizeRows): { first: number; stride: number } {
  return "window" in call && call.window ? call.window : { first: 0, stride: paddedLength(call.columns) };
}

export function checkBias(bias: Buffer, columns: number): void {
  need("absorbRows", "bias", bias, paddedLength(columns));
}

export function checkScaleColumns({ coefficients, factors, rows, columns }: ScaleColumns): void {
  needCounts("scaleColumns", { rows, columns });
  need("scaleColumns", "coefficients", coefficients, rows * paddedLength(columns));
  need("scaleColumns", "factors", factors, paddedLength(columns));
}

export function checkAddRows(call: AddRows, places: IndexRange | null): void {
  const { out, a, rows, columns, outColumns = columns } = call;
  needCounts("addRows", { rows, columns, outColumns });
  need("addRows", "out", out, rows * paddedLength(outColumns));
  need("addRows", "a", a, rows * paddedLength(columns));
  needApart("addRows", out, a);
  if (places === null) {
    if (outColumns < columns) throw new RangeError(`Cannot run addRows: ${columns} columns go to ${outColumns}`);
  } else {
    need("addRows", "places", places, columns);
    if (columns > 0) needIndices("addRows", "places", places, outColumns);
  }
}

export function checkGemmBlocks({ out, a, packed, rows, accumulate }: GemmBlocks, blocks: EncodedBlocks): void {
  needCounts("gemmBlocks", { rows });
  need("gemmBlocks", "out", out, rows * paddedLength(blocks.n));
  need("gemmBlocks", "a", a, rows * paddedLength(blocks.k));
  need("gemmBlocks", "packed", packed, blocks.packedLength);
  needApart("gemmBlocks", out, packed);
  const inPlace = accumulate && blocks.disjoint && paddedLength(blocks.k) === paddedLength(blocks.n);
  if (!inPlace) needApart("gemmBlocks", out, a);
}

/** Numbers that can be counted in an i32, places behind a grid included. */
function checkWindows(kernel: string, windows: Windows): void {
  const { batch, groups, coarse, fine, stride, dilation, begin } = windows;
  needCounts(kernel, { batch, groups, ...coarse });
  needCounts(kernel, { ...fine });
  const whole = [...windows.kernel, ...stride, ...dilation, ...begin].every(Number.isSafeInteger);
  const positive = [groups, ...stride, ...dilation].every((count) => count >= 1);
  const divides = coarse.channels % groups === 0 && fine.channels % groups === 0;
  if (!whole || !positive || !divides || Math.min(...windows.kernel) < 0) {
    throw new RangeError(`Cannot run ${kernel}: ${JSON.stringify(windows)} are no windows`);
  }
  const reach = [0, 1].map((axis) => {
    const [coarsePositions, finePositions] = axis === 0 ? [coarse.height, fine.height] : [coarse.width, fine.width];
    return coarsePositions * stride[axis] + finePositions + windows.kernel[axis] * dilation[axis] +
      Math.abs(begin[axis]);
  });
  const counts = [coarseSize(windows), fineSize(windows), kernelSize(windows), ...reach];
  if (Math.max(...counts) >= 2 ** 28) throw new RangeError(`Cannot run ${kernel}: the windows are too large`);
}

export function checkPackWindows(call: PackWindows, blocks: EncodedBlocks, rows: IndexRange, inputs: IndexRange): void {
  const { out, kernel, windows, transposed } = call;
  checkWindows("packWindows", windows);
  const [rowCount, inputCount] = [coarseSize(windows), fineSize(windows)];
  need("packWindows", "out", out, blocks.packedLength);
  need("packWindows", "kernel", kernel, kernelSize(windows));
  needApart("packWindows", out, kernel);
  need("packWindows", "rows", rows, blocks.k);
  need("packWindows", "inputs", inputs, blocks.n);
  needIndices("packWindows", "rows", rows, transposed ? inputCount : rowCount);
  needIndices("packWindows", "inputs", inputs, transposed ? rowCount : inputCount);
}

/** Rows asked for; `rows` null for all. */
export function checkWindowsBox(call: WindowsBox, rows: IndexRange | null): { count: number; inputs: number } {
  const { out, kernel, windows, transposed, box, groups } = call;
  checkWindows("windowsBox", windows);
  needCounts("windowsBox", { groups });
  const sizes = [coarseSize(windows), fineSize(windows)];
  const [all, inputs] = transposed ? sizes.reverse() : sizes, count = rows === null ? all : rows.length;
  need("windowsBox", "out", out, groups * 4 * paddedLength(count));
  need("windowsBox", "kernel", kernel, kernelSize(windows));
  need("windowsBox", "box", box, groups * 2 * paddedLength(inputs));
  needApart("windowsBox", out, kernel, box);
  if (rows !== null) needIndices("windowsBox", "rows", rows, all);
  return { count, inputs };
}

export function checkAffineBox({ out, matrix, box, groups, rows, columns }: AffineBox): void {
  needCounts("affineBox", { groups, rows, columns });
  need("affineBox", "out", out, groups * 4 * paddedLength(rows));
  need("affineBox", "matrix", matrix, rows * paddedLength(columns));
  need("affineBox", "box", box, groups * 2 * paddedLength(columns));
  needApart("affineBox", out, matrix, box);
}
