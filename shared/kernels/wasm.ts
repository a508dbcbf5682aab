/** The kernels in WebAssembly: one linear memory, every call computed at once. */
import type { Arena } from "./arena.ts";
import { encodeBlocks } from "./blocks.ts";
import type {
  AbsorbRows,
  AddRows,
  AffineBox,
  BlockLayout,
  Blocks,
  Buffer,
  ConcretizeRows,
  GatherMatrix,
  GatherRows,
  Gemm,
  GemmBlocks,
  Indices,
  Kernels,
  PackMatrix,
  PackWindows,
  Precision,
  RelaxRows,
  ScaleColumns,
  UnitRows,
  WindowsBox,
} from "./kernels.ts";
import { paddedLength, writeUnitRows } from "./kernels.ts";
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
import {
  ADDRESSABLE,
  type CoefficientKernel,
  type Kernel,
  PAGE,
  WasmBlocks,
  WasmBuffer,
  WasmHost,
  WasmIndices,
} from "./wasm_host.ts";
import type { Vectors } from "./vectors.ts";
import { type MakeVectors, wasmVectors } from "./vectors_wasm.ts";
import { encodeWindows, kernelSize, packWindowsScratch, spreadBox, WINDOWS_BYTES } from "./windows.ts";

/**
 * Kernels on `module` (the default export of `wasm/dist/kernels.js`).
 *
 * Units: `maxBytes` bounds what is held, vectors included (default 4 GiB - 64 KiB, whole pages of 64 KiB); memory that was
 * grown is reused but never given back.
 * Throws: `over-budget` from any allocation that would pass `maxBytes` or that the host refuses; what was allocated before
 * stays valid.
 */
export function wasmKernels(module: WebAssembly.Module, options: { readonly maxBytes?: number } = {}): Kernels {
  const maxBytes = options.maxBytes ?? ADDRESSABLE;
  if (!(maxBytes >= PAGE && maxBytes <= ADDRESSABLE)) {
    throw new RangeError(`Cannot start kernels: maxBytes is ${maxBytes}, allowed are ${PAGE} to ${ADDRESSABLE}`);
  }
  const host = new WasmHost(module, Math.floor(maxBytes / PAGE));
  return new WasmKernels("f64", host, wasmVectors(module, host));
}

class WasmKernels implements Kernels {
  readonly name = "wasm";
  readonly single: Kernels;
  readonly #host: WasmHost;
  readonly #vectors: MakeVectors;
  readonly #arena: Arena;
  readonly #base: number;
  /** Binary logarithm of the bytes of a coefficient. */
  readonly #shift: number;

  constructor(readonly precision: Precision, host: WasmHost, vectors: MakeVectors) {
    this.#host = host;
    this.#vectors = vectors;
    this.#arena = host.arena;
    this.#base = host.base;
    this.#shift = precision === "f64" ? 3 : 2;
    this.single = precision === "f32" ? this : new WasmKernels("f32", host, vectors);
  }

  vectors(numbers: number): Vectors | null {
    return this.#vectors(numbers);
  }

  /** The kernel for these coefficients. */
  #kernel(name: CoefficientKernel): Kernel {
    return this.#host.run[`${name}_${this.precision}`];
  }

  #take(length: number, precision: Precision): WasmBuffer {
    return this.#arena.take(
      length * (precision === "f64" ? 8 : 4),
      (total) => this.#host.reserve(total),
      (offset) => new WasmBuffer(this.#arena, offset, length, precision),
    );
  }

  /** A block of ours that is still alive. */
  #live(buffer: Buffer): WasmBuffer {
    if (!(buffer instanceof WasmBuffer)) throw new TypeError("Cannot use buffer: it belongs to another backend");
    return this.#arena.check(buffer);
  }

  /** Address of f64 numbers. */
  #at(buffer: Buffer): number {
    const { offset, precision } = this.#live(buffer);
    if (precision !== "f64") throw new TypeError("Cannot use buffer: it holds f32 where f64 is needed");
    return this.#base + offset;
  }

  /** Address of coefficients or of a packed matrix. */
  #coefficients(buffer: Buffer): number {
    const { offset, precision } = this.#live(buffer);
    if (precision !== this.precision) {
      throw new TypeError(`Cannot use buffer: its coefficients are not ${this.precision}`);
    }
    return this.#base + offset;
  }

  #indices(indices: Indices): WasmIndices {
    if (!(indices instanceof WasmIndices)) throw new TypeError("Cannot use indices: they belong to another backend");
    return this.#arena.check(indices);
  }

  #blocks(blocks: Blocks): WasmBlocks {
    if (!(blocks instanceof WasmBlocks)) throw new TypeError("Cannot use blocks: they belong to another backend");
    const { precision } = this.#arena.check(blocks).encoded;
    if (precision !== this.precision) throw new TypeError(`Cannot use blocks: they are ${precision}`);
    return blocks;
  }

  /** Address of memory for one call, behind all blocks. */
  #borrow(bytes: number): number {
    return this.#base + this.#arena.borrow(bytes, (total) => this.#host.reserve(total));
  }

  allocate(length: number): Buffer {
    checkLength(length);
    const buffer = this.#take(length, "f64");
    const start = this.#at(buffer) / 8;
    this.#host.f64.fill(0, start, start + length);
    return buffer;
  }

  upload(values: Float64Array): Buffer {
    return this.#copy(values, "f64");
  }

  allocateCoefficients(length: number): Buffer {
    checkLength(length);
    return this.#take(length, this.precision);
  }

  uploadCoefficients(values: Float64Array): Buffer {
    return this.#copy(values, this.precision);
  }

  #copy(values: Float64Array, precision: Precision): Buffer {
    const buffer = this.#take(values.length, precision);
    const [numbers, start] = this.#numbers(buffer);
    numbers.set(values, start);
    return buffer;
  }

  /** The memory as numbers of a buffer's kind, and the index of its first. */
  #numbers({ offset, precision }: WasmBuffer): [Float64Array | Float32Array, number] {
    const at = this.#base + offset;
    return precision === "f64" ? [this.#host.f64, at / 8] : [this.#host.f32, at / 4];
  }

  uploadIndices(values: Int32Array): Indices {
    const { least, greatest } = indexRange(values);
    const block = this.#arena.take(
      values.byteLength,
      (total) => this.#host.reserve(total),
      (offset) => new WasmIndices(this.#arena, offset, values.length, least, greatest),
    );
    this.#host.i32.set(values, (this.#base + block.offset) / 4);
    return block;
  }

  // deno-lint-ignore require-await -- the contract is asynchronous, so that a mistake rejects instead of throwing
  async read(buffer: Buffer, length: number = buffer.length): Promise<Float64Array> {
    const [numbers, start] = this.#numbers(this.#live(buffer));
    if (!(length >= 0 && length <= buffer.length)) {
      throw new RangeError(`Cannot read ${length} elements of a buffer of ${buffer.length}`);
    }
    const end = start + length;
    return numbers instanceof Float64Array ? numbers.slice(start, end) : new Float64Array(numbers.subarray(start, end));
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
    const out = this.#live(call.out), source = this.#live(call.source);
    if (out.precision !== source.precision) throw new TypeError("Cannot gather a matrix into another kind of numbers");
    this.#host.run[`gather_matrix_${out.precision}`](
      this.#base + out.offset,
      this.#base + source.offset,
      this.#base + rows.offset,
      rows.length,
      this.#base + columns.offset,
      columns.length,
      call.rowStride,
      call.columnStride,
    );
  }

  packMatrix(call: PackMatrix): void {
    checkPackMatrix(call, this.precision);
    this.#kernel("pack")(this.#coefficients(call.out), this.#at(call.matrix), call.k, call.n);
  }

  gemm(call: Gemm): void {
    checkGemm(call, this.precision);
    const [out, a, packed] = [call.out, call.a, call.packed].map((buffer) => this.#coefficients(buffer));
    this.#kernel("gemm")(out, a, packed, call.rows, call.k, call.n);
  }

  gatherRows(call: GatherRows): void {
    const indices = this.#indices(call.indices), signs = this.#indices(call.signs);
    checkGatherRows(call, indices, signs);
    const out = this.#coefficients(call.out), matrix = this.#at(call.matrix);
    this.#kernel("gather_rows")(
      out,
      matrix,
      this.#base + indices.offset,
      this.#base + signs.offset,
      call.rows,
      call.columns,
    );
  }

  unitRows(call: UnitRows): void {
    checkUnitRows(call);
    const stride = paddedLength(call.columns);
    this.#coefficients(call.out);
    const [numbers, start] = this.#numbers(this.#live(call.out));
    writeUnitRows(numbers, start + call.first * stride, stride, call.places);
  }

  relaxRows(call: RelaxRows): void {
    const groups = this.#indices(call.groups);
    checkRows("relaxRows", call, groups, call.table, 4);
    const { stride } = windowOf(call);
    this.#kernel("relax_rows")(...this.#rows(call, groups), this.#at(call.table), ...this.#sums(call), stride);
  }

  absorbRows(call: AbsorbRows): void {
    const groups = this.#indices(call.groups);
    checkRows("absorbRows", call, groups, call.q, 1);
    if (call.bias !== null) checkBias(call.bias, call.columns);
    const bias = call.bias === null ? 0 : this.#at(call.bias);
    const { stride } = windowOf(call);
    this.#kernel("absorb_rows")(...this.#rows(call, groups), bias, this.#at(call.q), ...this.#sums(call), stride);
  }

  concretizeRows(call: ConcretizeRows): void {
    const groups = this.#indices(call.groups);
    checkRows("concretizeRows", call, groups, call.box, 2);
    this.#kernel("concretize_rows")(...this.#rows(call, groups), this.#at(call.box), ...this.#sums(call));
  }

  #rows(call: RelaxRows | AbsorbRows | ConcretizeRows, groups: WasmIndices): [number, number, number, number] {
    const { first } = windowOf(call);
    return [
      this.#coefficients(call.coefficients) + (first << this.#shift),
      call.rows,
      call.columns,
      this.#base + groups.offset,
    ];
  }

  #sums(call: RelaxRows | AbsorbRows | ConcretizeRows): [number, number] {
    return [this.#at(call.constants), this.#at(call.magnitudes)];
  }

  scaleColumns(call: ScaleColumns): void {
    checkScaleColumns(call);
    const a = this.#coefficients(call.coefficients), factors = this.#at(call.factors);
    this.#kernel("scale_columns")(a, call.rows, call.columns, factors, call.inverse ? 1 : 0);
  }

  addRows(call: AddRows): void {
    const places = call.places === undefined ? null : this.#indices(call.places);
    checkAddRows(call, places);
    const { rows, columns, outColumns = columns, sign, fresh } = call;
    const out = this.#coefficients(call.out), a = this.#coefficients(call.a);
    const placesAt = places === null ? 0 : this.#base + places.offset;
    this.#kernel("add_rows")(out, a, rows, columns, outColumns, placesAt, sign, fresh ? 1 : 0);
  }

  uploadBlocks(layout: BlockLayout): Blocks {
    const encoded = encodeBlocks(layout, this.precision), { integers } = encoded;
    const block = this.#arena.take(
      integers.byteLength,
      (total) => this.#host.reserve(total),
      (offset) =>
        new WasmBlocks(this.#arena, offset, layout.blocks.length, {
          ...encoded,
          blocks: [],
          integers: new Int32Array(),
        }),
    );
    this.#host.i32.set(integers, (this.#base + block.offset) / 4);
    return block;
  }

  gemmBlocks(call: GemmBlocks): void {
    const { encoded, offset } = this.#blocks(call.blocks);
    checkGemmBlocks(call, encoded);
    const [out, a, packed] = [call.out, call.a, call.packed].map((buffer) => this.#coefficients(buffer));
    const scratch = this.#borrow(encoded.scratchBytes);
    const { k, n, groups, exclusive, complete } = encoded;
    this.#kernel("gemm_blocks")(
      out,
      a,
      packed,
      this.#base + offset,
      groups,
      call.rows,
      k,
      n,
      call.accumulate || !exclusive ? 1 : 0,
      !call.accumulate && !(exclusive && complete) ? 1 : 0,
      scratch,
    );
  }

  packWindows(call: PackWindows): void {
    const { encoded, offset } = this.#blocks(call.blocks);
    const rows = this.#indices(call.rows), inputs = this.#indices(call.inputs);
    checkPackWindows(call, encoded, rows, inputs);
    const out = this.#coefficients(call.out), kernel = this.#at(call.kernel);
    const scratch = this.#borrow(packWindowsScratch(encoded, call.windows, call.transposed));
    this.#host.i32.set(encodeWindows(call.windows), scratch / 4);
    this.#kernel("pack_windows")(
      out,
      this.#base + offset,
      encoded.groups,
      encoded.widest,
      encoded.k,
      this.#base + rows.offset,
      this.#base + inputs.offset,
      kernel,
      call.transposed ? 1 : 0,
      scratch,
      scratch + WINDOWS_BYTES,
    );
  }

  windowsBox(call: WindowsBox): void {
    const rows = call.rows === null ? null : this.#indices(call.rows);
    const { count } = checkWindowsBox(call, rows);
    const out = this.#at(call.out), kernel = this.#at(call.kernel), box = this.#at(call.box);
    const { line, least, bytes } = spreadBox(call.windows, call.transposed), scratch = this.#borrow(bytes);
    this.#host.i32.set(encodeWindows(call.windows), scratch / 4);
    this.#host.run.windows_box_f64(
      out,
      rows === null ? 0 : this.#base + rows.offset,
      count,
      kernel,
      kernelSize(call.windows),
      call.transposed ? 1 : 0,
      box,
      call.groups,
      scratch,
      line,
      least,
      scratch + WINDOWS_BYTES,
    );
  }

  affineBox(call: AffineBox): void {
    checkAffineBox(call);
    const out = this.#at(call.out), matrix = this.#at(call.matrix), box = this.#at(call.box);
    this.#host.run.affine_box_f64(out, matrix, box, call.groups, call.rows, call.columns);
  }
}
