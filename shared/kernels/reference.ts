/** The kernels in plain TypeScript: the definition that every other backend must match bit for bit. */
import { Arena, Block } from "./arena.ts";
import { encodeBlocks, type EncodedBlocks } from "./blocks.ts";
import {
  type AbsorbRows,
  type AddRows,
  type AffineBox,
  type BlockLayout,
  type Blocks,
  type Buffer,
  type ConcretizeRows,
  type GatherMatrix,
  type GatherRows,
  type Gemm,
  type GemmBlocks,
  type Indices,
  type Kernels,
  type PackMatrix,
  type PackWindows,
  paddedLength,
  type Precision,
  type RelaxRows,
  type ScaleColumns,
  type UnitRows,
  type WindowsBox,
  writeUnitRows,
} from "./kernels.ts";
import { packedPlace, panelWidth } from "./packed.ts";
import { sumOfProducts } from "./reference_sums.ts";
import { gemmBlocks, packWindows, windowsBox } from "./reference_windows.ts";
import {
  checkAddRows,
  checkAffineBox,
  checkBias,
  checkGatherMatrix,
  checkGatherRows,
  checkGemm,
  checkGemmBlocks,
  checkLength,
  checkPackMatrix,
  checkPackWindows,
  checkRows,
  checkScaleColumns,
  checkUnitRows,
  checkWindowsBox,
  indexRange,
  windowOf,
} from "./sizes.ts";
import { bytesOfVectors, type Vectors } from "./vectors.ts";
import { plainVectors } from "./vectors_reference.ts";
import { packWindowsScratch, spreadBox } from "./windows.ts";

/** Numbers of a buffer; what is stored in the narrow one is rounded. */
type Values = Float64Array | Float32Array;

class HostBuffer extends Block {
  constructor(owner: Arena, offset: number, readonly values: Values) {
    super(owner, offset, values.length);
  }
}

class HostIndices extends Block {
  readonly least: number;
  readonly greatest: number;

  constructor(owner: Arena, offset: number, readonly values: Int32Array) {
    super(owner, offset, values.length);
    ({ least: this.least, greatest: this.greatest } = indexRange(values));
  }
}

class HostBlocks extends Block implements Blocks {
  constructor(owner: Arena, offset: number, readonly encoded: EncodedBlocks) {
    super(owner, offset, encoded.integers.length);
  }

  get k(): number {
    return this.encoded.k;
  }
  get n(): number {
    return this.encoded.n;
  }
  get packedLength(): number {
    return this.encoded.packedLength;
  }
  get products(): number {
    return this.encoded.products;
  }
  get deepest(): number {
    return this.encoded.deepest;
  }
  get mostWrites(): number {
    return this.encoded.mostWrites;
  }
}

/** A sum in the order of the contract: one addition after the other, from +0. */
class RowSum {
  total = 0;

  add(value: number): void {
    this.total += value;
  }
}

/** Everything is computed at once, on the host; nothing bounds the memory but the host. */
export function referenceKernels(): Kernels {
  return new ReferenceKernels("f64", new Arena());
}

class ReferenceKernels implements Kernels {
  readonly name = "reference";
  readonly single: Kernels;
  readonly #arena: Arena;

  constructor(readonly precision: Precision, arena: Arena) {
    this.#arena = arena;
    this.single = precision === "f32" ? this : new ReferenceKernels("f32", arena);
  }

  vectors(numbers: number): Vectors {
    return { ...plainVectors, release: this.#arena.hold(bytesOfVectors(numbers)) };
  }

  #any(buffer: Buffer): Values {
    if (!(buffer instanceof HostBuffer)) throw new TypeError("Cannot use buffer: it belongs to another backend");
    return this.#arena.check(buffer).values;
  }

  #values(buffer: Buffer): Float64Array {
    const values = this.#any(buffer);
    if (!(values instanceof Float64Array)) throw new TypeError("Cannot use buffer: it holds f32 where f64 is needed");
    return values;
  }

  /** Coefficients and packed matrices. */
  #coefficients(buffer: Buffer): Values {
    const values = this.#any(buffer);
    if (values instanceof Float64Array !== (this.precision === "f64")) {
      throw new TypeError(`Cannot use buffer: its coefficients are not ${this.precision}`);
    }
    return values;
  }

  #indices(indices: Indices): HostIndices {
    if (!(indices instanceof HostIndices)) throw new TypeError("Cannot use indices: they belong to another backend");
    return this.#arena.check(indices);
  }

  #blocks(blocks: Blocks): EncodedBlocks {
    if (!(blocks instanceof HostBlocks)) throw new TypeError("Cannot use blocks: they belong to another backend");
    const { encoded } = this.#arena.check(blocks);
    if (encoded.precision !== this.precision) throw new TypeError(`Cannot use blocks: they are ${encoded.precision}`);
    return encoded;
  }

  #own(values: Values): Buffer {
    return this.#arena.take(values.byteLength, () => {}, (offset) => new HostBuffer(this.#arena, offset, values));
  }

  allocate(length: number): Buffer {
    checkLength(length);
    return this.#own(new Float64Array(length));
  }

  upload(values: Float64Array): Buffer {
    return this.#own(values.slice());
  }

  allocateCoefficients(length: number): Buffer {
    checkLength(length);
    return this.#own((this.precision === "f64" ? new Float64Array(length) : new Float32Array(length)).fill(NaN));
  }

  uploadCoefficients(values: Float64Array): Buffer {
    return this.#own(this.precision === "f64" ? values.slice() : new Float32Array(values));
  }

  uploadIndices(values: Int32Array): Indices {
    const copy = values.slice();
    return this.#arena.take(copy.byteLength, () => {}, (offset) => new HostIndices(this.#arena, offset, copy));
  }

  // deno-lint-ignore require-await -- the contract is asynchronous, so that a mistake rejects instead of throwing
  async read(buffer: Buffer, length: number = buffer.length): Promise<Float64Array> {
    const values = this.#any(buffer);
    if (!(length >= 0 && length <= values.length)) {
      throw new RangeError(`Cannot read ${length} elements of a buffer of ${values.length}`);
    }
    return new Float64Array(values.subarray(0, length));
  }

  scope<T>(body: () => Promise<T>): Promise<T> {
    return this.#arena.scope(body);
  }

  memory(): { readonly bytes: number; readonly peakBytes: number } {
    return this.#arena.memory();
  }

  resetPeak(): void {
    this.#arena.resetPeak();
  }

  gatherMatrix(call: GatherMatrix): void {
    const rows = this.#indices(call.rows), columns = this.#indices(call.columns);
    checkGatherMatrix(call, rows, columns);
    const out = this.#any(call.out), source = this.#any(call.source);
    if (out.constructor !== source.constructor) {
      throw new TypeError("Cannot gather a matrix into another kind of numbers");
    }
    const stride = paddedLength(columns.length);
    for (let r = 0; r < rows.length; r++) {
      const from = rows.values[r] * call.rowStride;
      for (let c = 0; c < stride; c++) {
        out[r * stride + c] = c < columns.length ? source[from + columns.values[c] * call.columnStride] : 0;
      }
    }
  }

  packMatrix(call: PackMatrix): void {
    checkPackMatrix(call, this.precision);
    const out = this.#coefficients(call.out), matrix = this.#values(call.matrix);
    const { k, n } = call, stride = paddedLength(n), width = panelWidth(this.precision);
    for (let p = 0; p < k; p++) {
      for (let j = 0; j < n || j % width !== 0; j++) {
        out[packedPlace(k, n, p, j, this.precision)] = j < n ? matrix[p * stride + j] : 0;
      }
    }
  }

  gemm(call: Gemm): void {
    checkGemm(call, this.precision);
    const out = this.#coefficients(call.out), a = this.#coefficients(call.a), packed = this.#coefficients(call.packed);
    const { k, n } = call, aStride = paddedLength(k), stride = paddedLength(n);
    const sum = sumOfProducts(this.precision, k, n);
    for (let r = 0; r < call.rows; r++) {
      for (let j = 0; j < n; j++) out[r * stride + j] = sum((i) => a[r * aStride + i], packed, 0, j);
      // An infinite coefficient times a zero of the padding is NaN.
      out.fill(0, r * stride + n, (r + 1) * stride);
    }
  }

  gatherRows(call: GatherRows): void {
    const indices = this.#indices(call.indices), signs = this.#indices(call.signs);
    checkGatherRows(call, indices, signs);
    const out = this.#coefficients(call.out), matrix = this.#values(call.matrix);
    const stride = paddedLength(call.columns);
    for (let r = 0; r < call.rows; r++) {
      const from = indices.values[r] * stride;
      for (let j = 0; j < stride; j++) {
        out[r * stride + j] = j < call.columns ? signs.values[r] * matrix[from + j] : 0;
      }
    }
  }

  unitRows(call: UnitRows): void {
    checkUnitRows(call);
    const stride = paddedLength(call.columns);
    writeUnitRows(this.#coefficients(call.out), call.first * stride, stride, call.places);
  }

  relaxRows(call: RelaxRows): void {
    const groups = this.#indices(call.groups);
    checkRows("relaxRows", call, groups, call.table, 4);
    const a = this.#coefficients(call.coefficients), table = this.#values(call.table);
    this.#addRowSums(call, groups, (at, j, stride, group, constant, magnitude) => {
      const line = group * 4 * stride + (a[at] >= 0 ? 0 : 2 * stride) + j;
      const slope = table[line], intercept = table[line + stride];
      const c = intercept === 0 ? 0 : a[at] * intercept;
      a[at] = slope === 0 ? 0 : a[at] * slope;
      constant.add(c);
      magnitude.add(Math.abs(c));
    });
  }

  absorbRows(call: AbsorbRows): void {
    const groups = this.#indices(call.groups);
    checkRows("absorbRows", call, groups, call.q, 1);
    if (call.bias !== null) checkBias(call.bias, call.columns);
    const a = this.#coefficients(call.coefficients), q = this.#values(call.q);
    const bias = call.bias === null ? null : this.#values(call.bias);
    this.#addRowSums(call, groups, (at, j, stride, group, constant, magnitude) => {
      if (bias !== null) constant.add(a[at] * bias[j]);
      magnitude.add(Math.abs(a[at]) * q[group * stride + j]);
    });
  }

  concretizeRows(call: ConcretizeRows): void {
    const groups = this.#indices(call.groups);
    checkRows("concretizeRows", call, groups, call.box, 2);
    const a = this.#coefficients(call.coefficients), box = this.#values(call.box);
    this.#addRowSums(call, groups, (at, j, stride, group, constant, magnitude) => {
      const lower = box[group * 2 * stride + j], upper = box[(group * 2 + 1) * stride + j];
      constant.add(a[at] * (a[at] >= 0 ? lower : upper));
      magnitude.add(Math.abs(a[at]) * Math.max(Math.abs(lower), Math.abs(upper)));
    });
  }

  /** Visits every element of the rows (`at` its place, `j` its column) and adds the two sums of each row to its totals. */
  #addRowSums(
    call: RelaxRows | AbsorbRows | ConcretizeRows,
    groups: HostIndices,
    visit: (at: number, j: number, stride: number, group: number, constant: RowSum, magnitude: RowSum) => void,
  ): void {
    const constants = this.#values(call.constants), magnitudes = this.#values(call.magnitudes);
    const { first, stride: rowStride } = windowOf(call);
    const stride = paddedLength(call.columns);
    for (let r = 0; r < call.rows; r++) {
      const constant = new RowSum(), magnitude = new RowSum();
      for (let j = 0; j < call.columns; j++) {
        visit(r * rowStride + first + j, j, stride, groups.values[r], constant, magnitude);
      }
      constants[r] += constant.total;
      magnitudes[r] += magnitude.total;
    }
  }

  scaleColumns(call: ScaleColumns): void {
    checkScaleColumns(call);
    const a = this.#coefficients(call.coefficients), factors = this.#values(call.factors);
    const { columns, inverse } = call, stride = paddedLength(columns);
    for (let r = 0; r < call.rows; r++) {
      for (let j = 0; j < stride; j++) {
        const at = r * stride + j;
        a[at] = j >= columns ? 0 : inverse ? a[at] / factors[j] : a[at] * factors[j];
      }
    }
  }

  addRows(call: AddRows): void {
    const places = call.places === undefined ? null : this.#indices(call.places);
    checkAddRows(call, places);
    const out = this.#coefficients(call.out), a = this.#coefficients(call.a);
    const { columns, outColumns = columns, sign, fresh } = call;
    const stride = paddedLength(columns), outStride = paddedLength(outColumns);
    for (let r = 0; r < call.rows; r++) {
      const row = out.subarray(r * outStride, (r + 1) * outStride);
      if (fresh) row.fill(0);
      for (let j = 0; j < columns; j++) {
        const at = places === null ? j : places.values[j], term = sign * a[r * stride + j];
        row[at] = fresh ? term : row[at] + term;
      }
      row.fill(0, outColumns);
    }
  }

  uploadBlocks(layout: BlockLayout): Blocks {
    const encoded = encodeBlocks(layout, this.precision);
    const { byteLength } = encoded.integers;
    return this.#arena.take(byteLength, () => {}, (offset) => new HostBlocks(this.#arena, offset, encoded));
  }

  gemmBlocks(call: GemmBlocks): void {
    const blocks = this.#blocks(call.blocks);
    checkGemmBlocks(call, blocks);
    const out = this.#coefficients(call.out), a = this.#coefficients(call.a), packed = this.#coefficients(call.packed);
    this.#arena.borrow(blocks.scratchBytes, () => {});
    gemmBlocks(out, a, packed, blocks, call.rows, call.accumulate);
  }

  packWindows(call: PackWindows): void {
    const blocks = this.#blocks(call.blocks), rows = this.#indices(call.rows), inputs = this.#indices(call.inputs);
    checkPackWindows(call, blocks, rows, inputs);
    const out = this.#coefficients(call.out), kernel = this.#values(call.kernel);
    this.#arena.borrow(packWindowsScratch(blocks, call.windows, call.transposed), () => {});
    packWindows(out, blocks, rows.values, inputs.values, kernel, call.windows, call.transposed);
  }

  windowsBox(call: WindowsBox): void {
    const rows = call.rows === null ? null : this.#indices(call.rows);
    const { count, inputs } = checkWindowsBox(call, rows);
    const out = this.#values(call.out), kernel = this.#values(call.kernel), box = this.#values(call.box);
    this.#arena.borrow(spreadBox(call.windows, call.transposed).bytes, () => {});
    const { windows, transposed, groups } = call;
    windowsBox(out, rows?.values ?? null, count, kernel, windows, transposed, box, paddedLength(inputs), groups);
  }

  affineBox(call: AffineBox): void {
    checkAffineBox(call);
    const out = this.#values(call.out), matrix = this.#values(call.matrix), box = this.#values(call.box);
    const stride = paddedLength(call.columns), outStride = paddedLength(call.rows);
    for (let g = 0; g < call.groups; g++) {
      for (let i = 0; i < outStride; i++) {
        const sums = [new RowSum(), new RowSum(), new RowSum(), new RowSum()];
        for (let j = 0; j < stride && i < call.rows; j++) {
          const w = matrix[i * stride + j];
          const x = w * box[g * 2 * stride + j], y = w * box[(g * 2 + 1) * stride + j];
          // A NaN in y must stay as one in x does: a comparison alone would keep x.
          const low = Number.isNaN(y) || y < x ? y : x;
          const high = Number.isNaN(y) || x < y ? y : x;
          sums[0].add(low);
          sums[1].add(Math.abs(low));
          sums[2].add(high);
          sums[3].add(Math.abs(high));
        }
        sums.forEach((sum, t) => out[(g * 4 + t) * outStride + i] = sum.total);
      }
    }
  }
}
