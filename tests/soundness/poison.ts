import type {
  AbsorbRows,
  AffineBox,
  Buffer,
  ConcretizeRows,
  Gemm,
  GemmBlocks,
  Kernels,
  PackWindows,
  RelaxRows,
  ScaleColumns,
  WindowsBox,
} from "../../shared/kernels/kernels.ts";
import { WrappedKernels } from "./wrapped_kernels.ts";

/** The tables that kernels read: by the call that reads them. */
export const TABLES = [
  "lines",
  "bias",
  "q",
  "box",
  "factors",
  "matrix",
  "coefficients",
  "image box",
  "image matrix",
] as const;
export type Table = typeof TABLES[number];

/**
 * A backend in which one number of a table is not finite.
 *
 * Every call that reads the table gets a copy with `value` at one place; for lines the place is one neuron in all four.
 * The backend must compute at once (the reference does), and tables must have been uploaded or are filled as a whole.
 */
export class PoisonedKernels extends WrappedKernels {
  readonly #uploads = new Map<Buffer, Float64Array>();
  /** Calls that were poisoned: a test that poisons nothing proves nothing. */
  poisoned = 0;

  constructor(inner: Kernels, readonly table: Table | null, readonly value: number, readonly place: number) {
    super(inner);
  }

  override upload(values: Float64Array): Buffer {
    const buffer = super.upload(values);
    this.#uploads.set(buffer, values.slice());
    return buffer;
  }

  /** The buffer itself, or its poisoned copy: in every stretch of `stride` elements the one at `place` (modulo `columns`). */
  #poison<B extends Buffer | null>(table: Table, buffer: B, columns: number, stride: number): B | Buffer {
    if (table !== this.table || buffer === null) return buffer;
    this.poisoned++;
    const values = this.#uploads.get(buffer)?.slice();
    if (values === undefined) {
      const filled = new Float64Array(buffer.length).fill(this.value);
      return table === "image matrix" ? super.upload(filled) : super.uploadCoefficients(filled);
    }
    for (let at = this.place % columns; at < values.length; at += stride) values[at] = this.value;
    return super.upload(values);
  }

  override relaxRows(call: RelaxRows): void {
    super.relaxRows({ ...call, table: this.#poison("lines", call.table, call.columns, padded(call.columns)) });
  }
  override absorbRows(call: AbsorbRows): void {
    const stride = padded(call.columns);
    super.absorbRows({
      ...call,
      bias: this.#poison("bias", call.bias, call.columns, stride),
      q: this.#poison("q", call.q, call.columns, stride),
    });
  }
  override concretizeRows(call: ConcretizeRows): void {
    super.concretizeRows({ ...call, box: this.#poison("box", call.box, call.columns, padded(call.columns)) });
  }
  override scaleColumns(call: ScaleColumns): void {
    // A quotient by an infinity is 0, not a hint: divisors are finite by the contract of Graph.
    const vanishes = call.inverse && Math.abs(this.value) === Infinity;
    const factors = vanishes ? call.factors : this.#poison("factors", call.factors, call.columns, padded(call.columns));
    super.scaleColumns({ ...call, factors });
  }
  override gemm(call: Gemm): void {
    super.gemm({
      ...call,
      packed: this.#poison("matrix", call.packed, call.n, padded(call.n)),
      a: this.#poison("coefficients", call.a, call.k, padded(call.k)),
    });
  }
  override gemmBlocks(call: GemmBlocks): void {
    super.gemmBlocks({
      ...call,
      packed: this.#poison("matrix", call.packed, call.packed.length, call.packed.length),
      a: this.#poison("coefficients", call.a, call.blocks.k, padded(call.blocks.k)),
    });
  }
  override packWindows(call: PackWindows): void {
    const { length } = call.kernel;
    super.packWindows({ ...call, kernel: this.#poison("matrix", call.kernel, length, length) });
  }
  override windowsBox(call: WindowsBox): void {
    const { windows: { batch, coarse, fine }, transposed, kernel } = call, inputs = transposed ? coarse : fine;
    const columns = batch * inputs.channels * inputs.height * inputs.width;
    super.windowsBox({
      ...call,
      box: this.#poison("image box", call.box, columns, padded(columns)),
      kernel: this.#poison("image matrix", kernel, kernel.length, kernel.length),
    });
  }
  override affineBox(call: AffineBox): void {
    super.affineBox({
      ...call,
      box: this.#poison("image box", call.box, call.columns, padded(call.columns)),
      matrix: this.#poison("image matrix", call.matrix, call.columns, padded(call.columns)),
    });
  }
}

function padded(columns: number): number {
  return (columns + 3) & ~3;
}
