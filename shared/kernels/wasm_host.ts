/** What the kernels in WebAssembly run on: the linear memory, blocks of it, and the functions of the module. */
import { LipcertError } from "../errors.ts";
import { Arena, Block } from "./arena.ts";
import type { EncodedBlocks } from "./blocks.ts";
import type { Blocks, Precision } from "./kernels.ts";

/** A kernel of `wasm/kernels/`: addresses and counts in, nothing out. */
export type Kernel = (...addressesAndCounts: number[]) => void;

type KernelName =
  | `${CoefficientKernel}_${Precision}`
  | "affine_box_f64"
  | "windows_box_f64";

/** Kernels that there are for coefficients of both kinds. */
export type CoefficientKernel =
  | "absorb_rows"
  | "add_rows"
  | "concretize_rows"
  | "gather_matrix"
  | "gather_rows"
  | "gemm"
  | "gemm_blocks"
  | "pack"
  | "pack_windows"
  | "relax_rows"
  | "scale_columns";

export const PAGE = 65_536;
/** Most bytes of a linear memory: whole pages. */
export const ADDRESSABLE = 2 ** 32 - PAGE;

export class WasmBuffer extends Block {
  constructor(owner: Arena, offset: number, length: number, readonly precision: Precision) {
    super(owner, offset, length);
  }
}

export class WasmIndices extends Block {
  constructor(owner: Arena, offset: number, length: number, readonly least: number, readonly greatest: number) {
    super(owner, offset, length);
  }
}

export class WasmBlocks extends Block implements Blocks {
  readonly k: number;
  readonly n: number;
  readonly packedLength: number;
  readonly products: number;
  readonly deepest: number;
  readonly mostWrites: number;

  /** The integers of the layout lie in the arena; `encoded` is the rest of it, `length` the number of blocks. */
  constructor(owner: Arena, offset: number, length: number, readonly encoded: EncodedBlocks) {
    super(owner, offset, length);
    ({ k: this.k, n: this.n, packedLength: this.packedLength, products: this.products } = encoded);
    ({ deepest: this.deepest, mostWrites: this.mostWrites } = encoded);
  }
}

/** The memory, its arena and the compiled kernels. */
export class WasmHost {
  readonly arena = new Arena();
  readonly run: Readonly<Record<KernelName, Kernel>>;
  /** Address of the arena: what lies below belongs to the kernels. */
  readonly base: number;
  readonly #memory: WebAssembly.Memory;
  readonly maxPages: number;
  // Growing the memory detaches its views, so they are taken again after every growth.
  f64: Float64Array;
  f32: Float32Array;
  i32: Int32Array;

  constructor(module: WebAssembly.Module, maxPages: number) {
    this.maxPages = maxPages;
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: maxPages });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.run = exports as Record<KernelName, Kernel>;
    this.base = (exports.arena_start as WebAssembly.Global).value;
    this.f64 = new Float64Array(this.#memory.buffer);
    this.f32 = new Float32Array(this.#memory.buffer);
    this.i32 = new Int32Array(this.#memory.buffer);
  }

  /** Whether so many bytes may be held beside the arena as it is. */
  hasRoom(bytes: number): boolean {
    const { bytes: held } = this.arena.memory();
    return this.base + held + bytes <= this.maxPages * PAGE;
  }

  /**
   * Grows the memory so that the arena may hold `bytes`; by a quarter at least, so that many small blocks grow it rarely.
   * Only what is held counts, so that nothing depends on what was grown before.
   */
  reserve(bytes: number): void {
    const pages = this.#memory.buffer.byteLength / PAGE, beside = Math.ceil(this.arena.besideBytes / PAGE);
    const needed = Math.ceil((this.base + bytes) / PAGE);
    if (needed <= pages && beside === 0) return;
    const allowed = this.maxPages * PAGE;
    const figures = { bytes: (needed + beside) * PAGE, allowed_bytes: allowed };
    if (needed + beside > this.maxPages) {
      throw new LipcertError("over-budget", `Cannot hold ${figures.bytes} bytes: ${allowed} are allowed`, figures);
    }
    if (needed <= pages) return;
    const wanted = Math.min(Math.max(needed, Math.ceil(pages * 1.25)), this.maxPages);
    if (!this.#grow(wanted - pages) && !(needed < wanted && this.#grow(needed - pages))) {
      throw new LipcertError("over-budget", `Cannot hold ${figures.bytes} bytes: the host has no more memory`, figures);
    }
    this.f64 = new Float64Array(this.#memory.buffer);
    this.f32 = new Float32Array(this.#memory.buffer);
    this.i32 = new Int32Array(this.#memory.buffer);
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(pages);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}
