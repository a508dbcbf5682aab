/** {@link Vectors} in WebAssembly: each has an instance and a memory of its own, so that no other growth moves its arrays. */
import { ALIGNED, bytesOfVectors, type GatedRows, type Part, type Vectors } from "./vectors.ts";
import { plainVectors } from "./vectors_reference.ts";
import { PAGE, type WasmHost } from "./wasm_host.ts";

/** Addresses and counts in; `corner_f64` alone gives a number. */
type Run = (...addressesAndCounts: number[]) => number;

interface Exports {
  readonly combine_f64: Run;
  readonly products_f64: Run;
  readonly corner_f64: Run;
  readonly move_f64: Run;
  readonly intervals_f64: Run;
  readonly gated_rows_f64: Run;
}

export type MakeVectors = (numbers: number) => Vectors | null;

/**
 * Vectors on `module`, null where `host` has no room for them; what is released is used again. Where the platform gives no
 * such memory the reference takes over: the same bits, slower.
 */
export function wasmVectors(module: WebAssembly.Module, host: WasmHost): MakeVectors {
  const free: WasmVectors[] = [];
  return (numbers) => {
    const bytes = bytesOfVectors(numbers);
    if (!host.hasRoom(bytes)) return null;
    const used = free.pop(), letGo = host.arena.hold(bytes);
    if (used?.reserve(bytes, letGo)) return used;
    const made = makeVectors(module, host.maxPages, bytes, (vectors) => free.push(vectors));
    if (made === null) return { ...plainVectors, release: letGo };
    made.reserve(bytes, letGo);
    return made;
  };
}

function makeVectors(
  module: WebAssembly.Module,
  maximum: number,
  bytes: number,
  give: (vectors: WasmVectors) => void,
): WasmVectors | null {
  const initial = Math.ceil((bytes + PAGE) / PAGE);
  if (initial > maximum) return null;
  try {
    const memory = new WebAssembly.Memory({ initial, maximum });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return new WasmVectors(
      memory,
      exports as unknown as Exports,
      (exports.arena_start as WebAssembly.Global).value,
      give,
    );
  } catch (error) {
    // The host has no such memory.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

class WasmVectors implements Vectors {
  readonly name = "wasm";
  readonly #memory: WebAssembly.Memory;
  readonly #run: Exports;
  readonly #base: number;
  readonly #give: (vectors: WasmVectors) => void;
  #next: number;
  #isFree = true;
  #letGo = () => {};

  constructor(memory: WebAssembly.Memory, run: Exports, base: number, give: (vectors: WasmVectors) => void) {
    this.#memory = memory;
    this.#run = run;
    this.#base = this.#next = base;
    this.#give = give;
  }

  /** Starts over with `bytes` zeros, to be let go of at the release; false where the memory cannot grow to them. */
  reserve(bytes: number, letGo: () => void): boolean {
    const missing = Math.ceil((this.#base + bytes - this.#memory.buffer.byteLength) / PAGE);
    try {
      if (missing > 0) this.#memory.grow(missing);
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    new Uint8Array(this.#memory.buffer, this.#base).fill(0);
    this.#next = this.#base;
    this.#isFree = false;
    this.#letGo = letGo;
    return true;
  }

  release(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#letGo();
    this.#give(this);
  }

  #place(bytes: number): number {
    const at = this.#next, next = at + Math.ceil(bytes / ALIGNED) * ALIGNED;
    if (this.#isFree || next > this.#memory.buffer.byteLength) {
      throw new RangeError(`Cannot take ${bytes} bytes: they were not asked for`);
    }
    this.#next = next;
    return at;
  }

  take(length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, this.#place(8 * length), length);
  }

  takeIndices(length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, this.#place(4 * length), length);
  }

  combine(out: Float64Array, at: number, matrix: Part, coefficients: Float64Array, from: number): void {
    const { numbers, at: start, stride, rows, columns } = matrix;
    this.#run.combine_f64(
      out.byteOffset + 8 * at,
      numbers.byteOffset + 8 * start,
      stride,
      rows,
      columns,
      coefficients.byteOffset + 8 * from,
    );
  }

  products(out: Float64Array, at: number, matrix: Part, vector: Float64Array, from: number): void {
    const { numbers, at: start, stride, rows, columns } = matrix;
    this.#run.products_f64(
      out.byteOffset + 8 * at,
      numbers.byteOffset + 8 * start,
      stride,
      rows,
      columns,
      vector.byteOffset + 8 * from,
    );
  }

  corner(out: Float64Array, c: Float64Array, lower: Float64Array, upper: Float64Array): number {
    return this.#run.corner_f64(out.byteOffset, c.byteOffset, lower.byteOffset, upper.byteOffset, c.length);
  }

  move(difference: Float64Array, from: Float64Array, to: Float64Array): void {
    this.#run.move_f64(difference.byteOffset, from.byteOffset, to.byteOffset, to.length);
  }

  intervals(
    out: Float64Array,
    rows: Int32Array,
    count: number,
    matrix: Part,
    lower: Float64Array,
    upper: Float64Array,
  ): void {
    this.#run.intervals_f64(
      out.byteOffset,
      rows.byteOffset,
      count,
      matrix.numbers.byteOffset + 8 * matrix.at,
      matrix.stride,
      matrix.columns,
      lower.byteOffset,
      upper.byteOffset,
    );
  }

  gatedRows(call: GatedRows): void {
    this.#run.gated_rows_f64(
      call.out.byteOffset,
      call.rows.byteOffset,
      call.count,
      call.matrix.byteOffset,
      call.below.length,
      call.first,
      call.inner.byteOffset,
      call.stride,
      call.below.byteOffset,
      call.lines.byteOffset,
      call.seed.byteOffset,
      call.charges.byteOffset,
      call.slopes.byteOffset,
    );
  }
}
