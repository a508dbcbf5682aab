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
} from "../../shared/kernels/kernels.ts";
import type { Vectors } from "../../shared/kernels/vectors.ts";

/** A backend that hands every call on: what a test overrides is what it changes or watches. */
export class WrappedKernels implements Kernels {
  readonly name: string;
  readonly precision: Precision;

  constructor(protected readonly inner: Kernels) {
    this.name = inner.name;
    this.precision = inner.precision;
  }

  /** The backend's own, which nothing wraps: hand the wrapper single kernels to watch those. */
  get single(): Kernels {
    return this.precision === "f32" ? this : this.inner.single;
  }

  vectors(numbers: number): Vectors | null {
    return this.inner.vectors(numbers);
  }
  allocate(length: number): Buffer {
    return this.inner.allocate(length);
  }
  upload(values: Float64Array): Buffer {
    return this.inner.upload(values);
  }
  allocateCoefficients(length: number): Buffer {
    return this.inner.allocateCoefficients(length);
  }
  uploadCoefficients(values: Float64Array): Buffer {
    return this.inner.uploadCoefficients(values);
  }
  uploadIndices(values: Int32Array): Indices {
    return this.inner.uploadIndices(values);
  }
  read(buffer: Buffer, length?: number): Promise<Float64Array> {
    return this.inner.read(buffer, length);
  }
  scope<T>(body: () => Promise<T>): Promise<T> {
    return this.inner.scope(body);
  }
  memory(): { readonly bytes: number; readonly peakBytes: number } {
    return this.inner.memory();
  }
  resetPeak(): void {
    this.inner.resetPeak();
  }
  gatherMatrix(call: GatherMatrix): void {
    this.inner.gatherMatrix(call);
  }
  packMatrix(call: PackMatrix): void {
    this.inner.packMatrix(call);
  }
  gemm(call: Gemm): void {
    this.inner.gemm(call);
  }
  gatherRows(call: GatherRows): void {
    this.inner.gatherRows(call);
  }
  relaxRows(call: RelaxRows): void {
    this.inner.relaxRows(call);
  }
  absorbRows(call: AbsorbRows): void {
    this.inner.absorbRows(call);
  }
  concretizeRows(call: ConcretizeRows): void {
    this.inner.concretizeRows(call);
  }
  addRows(call: AddRows): void {
    this.inner.addRows(call);
  }
  scaleColumns(call: ScaleColumns): void {
    this.inner.scaleColumns(call);
  }
  affineBox(call: AffineBox): void {
    this.inner.affineBox(call);
  }
  uploadBlocks(layout: BlockLayout): Blocks {
    return this.inner.uploadBlocks(layout);
  }
  unitRows(call: UnitRows): void {
    this.inner.unitRows(call);
  }

  gemmBlocks(call: GemmBlocks): void {
    this.inner.gemmBlocks(call);
  }
  packWindows(call: PackWindows): void {
    this.inner.packWindows(call);
  }
  windowsBox(call: WindowsBox): void {
    this.inner.windowsBox(call);
  }
}
