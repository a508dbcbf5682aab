/** Kernels that measure how long their calls take; what is left of a question's time is spent outside of them. */
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
  RelaxRows,
  ScaleColumns,
  WindowsBox,
} from "../../shared/kernels/kernels.ts";
import { WrappedKernels } from "../soundness/wrapped_kernels.ts";

export interface KernelTime {
  calls: number;
  ms: number;
}

export class TimedKernels extends WrappedKernels {
  /** By name of the call, since the last {@link TimedKernels.reset}. */
  readonly times: Map<keyof Kernels, KernelTime> = new Map();

  constructor(inner: Kernels) {
    super(inner);
  }

  reset(): void {
    this.times.clear();
  }

  #timed<T>(name: keyof Kernels, call: () => T): T {
    let time = this.times.get(name);
    if (!time) this.times.set(name, time = { calls: 0, ms: 0 });
    const start = performance.now();
    const result = call();
    time.ms += performance.now() - start;
    time.calls++;
    return result;
  }

  override allocate(length: number): Buffer {
    return this.#timed("allocate", () => super.allocate(length));
  }
  override upload(values: Float64Array): Buffer {
    return this.#timed("upload", () => super.upload(values));
  }
  override allocateCoefficients(length: number): Buffer {
    return this.#timed("allocateCoefficients", () => super.allocateCoefficients(length));
  }
  override uploadCoefficients(values: Float64Array): Buffer {
    return this.#timed("uploadCoefficients", () => super.uploadCoefficients(values));
  }
  override uploadIndices(values: Int32Array): Indices {
    return this.#timed("uploadIndices", () => super.uploadIndices(values));
  }
  /** The copy is made before the promise is handed out; waiting for it is not counted. */
  override read(buffer: Buffer, length?: number): Promise<Float64Array> {
    return this.#timed("read", () => super.read(buffer, length));
  }
  override gatherMatrix(call: GatherMatrix): void {
    this.#timed("gatherMatrix", () => super.gatherMatrix(call));
  }
  override packMatrix(call: PackMatrix): void {
    this.#timed("packMatrix", () => super.packMatrix(call));
  }
  override gemm(call: Gemm): void {
    this.#timed("gemm", () => super.gemm(call));
  }
  override gatherRows(call: GatherRows): void {
    this.#timed("gatherRows", () => super.gatherRows(call));
  }
  override relaxRows(call: RelaxRows): void {
    this.#timed("relaxRows", () => super.relaxRows(call));
  }
  override absorbRows(call: AbsorbRows): void {
    this.#timed("absorbRows", () => super.absorbRows(call));
  }
  override concretizeRows(call: ConcretizeRows): void {
    this.#timed("concretizeRows", () => super.concretizeRows(call));
  }
  override addRows(call: AddRows): void {
    this.#timed("addRows", () => super.addRows(call));
  }
  override scaleColumns(call: ScaleColumns): void {
    this.#timed("scaleColumns", () => super.scaleColumns(call));
  }
  override affineBox(call: AffineBox): void {
    this.#timed("affineBox", () => super.affineBox(call));
  }
  override uploadBlocks(layout: BlockLayout): Blocks {
    return this.#timed("uploadBlocks", () => super.uploadBlocks(layout));
  }
  override gemmBlocks(call: GemmBlocks): void {
    this.#timed("gemmBlocks", () => super.gemmBlocks(call));
  }
  override packWindows(call: PackWindows): void {
    this.#timed("packWindows", () => super.packWindows(call));
  }
  override windowsBox(call: WindowsBox): void {
    this.#timed("windowsBox", () => super.windowsBox(call));
  }
}
