/** Backends with one mistake each; every one must be caught by the facts of `walks.ts` or by exact values. */
import {
  type AbsorbRows,
  type AffineBox,
  type Buffer,
  type ConcretizeRows,
  type Kernels,
  paddedLength,
  type RelaxRows,
} from "../../shared/kernels/kernels.ts";
import { WrappedKernels } from "./wrapped_kernels.ts";

/** Rounding is not paid for: every sum of magnitudes is read as 0. */
export class NoRadius extends WrappedKernels {
  readonly #magnitudes = new Set<Buffer>();
  readonly #images = new Map<Buffer, AffineBox>();

  override relaxRows(call: RelaxRows): void {
    this.#magnitudes.add(call.magnitudes);
    super.relaxRows(call);
  }
  override absorbRows(call: AbsorbRows): void {
    this.#magnitudes.add(call.magnitudes);
    super.absorbRows(call);
  }
  override concretizeRows(call: ConcretizeRows): void {
    this.#magnitudes.add(call.magnitudes);
    super.concretizeRows(call);
  }
  override affineBox(call: AffineBox): void {
    this.#images.set(call.out, call);
    super.affineBox(call);
  }

  override async read(buffer: Buffer, length?: number): Promise<Float64Array> {
    const values = await super.read(buffer, length);
    if (this.#magnitudes.has(buffer)) return values.fill(0);
    const image = this.#images.get(buffer);
    if (image !== undefined) {
      const width = paddedLength(image.rows);
      for (let table = 1; table < 4 * image.groups; table += 2) values.fill(0, table * width, (table + 1) * width);
    }
    return values;
  }
}

/** Preactivation bounds are half of what they should be: the sums of interval images are halved. */
export class HalvedBounds extends WrappedKernels {
  readonly #images = new Set<Buffer>();

  override affineBox(call: AffineBox): void {
    this.#images.add(call.out);
    super.affineBox(call);
  }
  override async read(buffer: Buffer, length?: number): Promise<Float64Array> {
    const values = await super.read(buffer, length);
    return this.#images.has(buffer) ? values.map((v) => v / 2) : values;
  }
}

/** The lines of activations are other lines: [groups][lower slope, lower intercept, upper slope, upper intercept]. */
abstract class ChangedLines extends WrappedKernels {
  readonly #uploads = new Map<Buffer, Float64Array>();

  protected abstract change(lines: readonly Float64Array[]): readonly Float64Array[];

  override upload(values: Float64Array): Buffer {
    const buffer = super.upload(values);
    this.#uploads.set(buffer, values.slice());
    return buffer;
  }

  override relaxRows(call: RelaxRows): void {
    const values = this.#uploads.get(call.table)!;
    const width = paddedLength(call.columns);
    const changed = new Float64Array(values.length);
    for (let group = 0; group < values.length; group += 4 * width) {
      const lines = [0, 1, 2, 3].map((t) => values.subarray(group + t * width, group + (t + 1) * width));
      this.change(lines).forEach((line, t) => changed.set(line, group + t * width));
    }
    super.relaxRows({ ...call, table: super.upload(changed) });
  }
}

/** Intercepts are forgotten. */
export class ZeroIntercepts extends ChangedLines {
  protected change([lowerSlope, lowerIntercept, upperSlope, upperIntercept]: readonly Float64Array[]) {
    const zero = (line: Float64Array) => new Float64Array(line.length);
    return [lowerSlope, zero(lowerIntercept), upperSlope, zero(upperIntercept)];
  }
}

/** A negative coefficient takes the lower line and a positive one the upper line. */
export class SwappedSign extends ChangedLines {
  protected change([lowerSlope, lowerIntercept, upperSlope, upperIntercept]: readonly Float64Array[]) {
    return [upperSlope, upperIntercept, lowerSlope, lowerIntercept];
  }
}

/** The charge of the matrices of one width is forgotten (their biases are not). */
export class ForgottenLayer extends WrappedKernels {
  constructor(inner: Kernels, readonly width: number) {
    super(inner);
  }

  override absorbRows(call: AbsorbRows): void {
    const magnitudes = call.columns === this.width ? this.inner.allocate(call.magnitudes.length) : call.magnitudes;
    super.absorbRows({ ...call, magnitudes });
  }
}

/** Coefficients are f32, but their roundings are paid for as if they were f64. */
export class UnpaidSingle extends WrappedKernels {
  override readonly precision = "f64";

  constructor(wide: Kernels) {
    super(wide.single);
  }

  /** A packed matrix of f32 may take more than the length that its caller counts for f64. */
  override allocateCoefficients(length: number): Buffer {
    return super.allocateCoefficients(2 * length);
  }
}
