import type {
  AbsorbRows,
  Buffer,
  ConcretizeRows,
  Gemm,
  GemmBlocks,
  Indices,
  Kernels,
  RelaxRows,
} from "../../shared/kernels/kernels.ts";
import { WrappedKernels } from "./wrapped_kernels.ts";

/** One call of a walk as the backend saw it; matrices are [rows][paddedLength(columns)]. */
export interface RecordedCall {
  readonly kind: "relax" | "absorb" | "concretize" | "product";
  readonly rows: number;
  readonly columns: number;
  /** Coefficients after the call (for a product: the result; its rows have `columns` elements). */
  readonly coefficients: Float64Array;
  /** Sums of magnitudes before and after the call; empty for a product. */
  readonly magnitudesBefore: Float64Array;
  readonly magnitudesAfter: Float64Array;
  readonly constantsAfter: Float64Array;
}

/**
 * Keeps what the kernels leave behind at every step of a walk.
 *
 * The backend must compute at once (the reference does): a copy is taken right after each call.
 */
export class RecordingKernels extends WrappedKernels {
  #calls: Promise<RecordedCall>[] = [];

  constructor(inner: Kernels) {
    super(inner);
  }

  /** The calls since the last one to this function. */
  async take(): Promise<RecordedCall[]> {
    const calls = await Promise.all(this.#calls);
    this.#calls = [];
    return calls;
  }

  override relaxRows(call: RelaxRows): void {
    this.#record("relax", call, () => this.inner.relaxRows(call));
  }

  override absorbRows(call: AbsorbRows): void {
    this.#record("absorb", call, () => this.inner.absorbRows(call));
  }

  override concretizeRows(call: ConcretizeRows): void {
    this.#record("concretize", call, () => this.inner.concretizeRows(call));
  }

  override gemm(call: Gemm): void {
    this.inner.gemm(call);
    this.#recordProduct(call.out, call.rows, call.n);
  }

  override gemmBlocks(call: GemmBlocks): void {
    this.inner.gemmBlocks(call);
    this.#recordProduct(call.out, call.rows, call.blocks.n);
  }

  #recordProduct(out: Buffer, rows: number, columns: number): void {
    this.#calls.push(
      this.inner.read(out).then((coefficients) => ({
        kind: "product",
        rows,
        columns,
        coefficients,
        magnitudesBefore: new Float64Array(),
        magnitudesAfter: new Float64Array(),
        constantsAfter: new Float64Array(),
      })),
    );
  }

  #record(kind: RecordedCall["kind"], call: RowsCall, run: () => void): void {
    const { rows, columns } = call;
    const before = this.inner.read(call.magnitudes);
    run();
    const after = [call.coefficients, call.magnitudes, call.constants].map((buffer) => this.inner.read(buffer));
    this.#calls.push(
      Promise.all([before, ...after]).then(([magnitudesBefore, coefficients, magnitudesAfter, constantsAfter]) => ({
        kind,
        rows,
        columns,
        coefficients,
        magnitudesBefore,
        magnitudesAfter,
        constantsAfter,
      })),
    );
  }
}

interface RowsCall {
  readonly rows: number;
  readonly columns: number;
  readonly coefficients: Buffer;
  readonly groups: Indices;
  readonly constants: Buffer;
  readonly magnitudes: Buffer;
}
