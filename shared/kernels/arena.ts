/** A piece of an arena's memory; a backend adds what it needs to reach the numbers. */
export class Block {
  /** False once the scope it was made in has ended. */
  live = true;

  /** `offset` is in bytes from the start of the arena, a multiple of 16. */
  constructor(readonly owner: Arena, readonly offset: number, readonly length: number) {}
}

interface Scope {
  readonly bytes: number;
  readonly blocks: number;
}

const ALIGNMENT = 16;

/**
 * Stack discipline for the memory of a backend: blocks are laid one after the other and freed scope by scope.
 *
 * It holds no numbers itself, so that every backend reports the same figures for the same calls.
 */
export class Arena {
  #bytes = 0;
  #peakBytes = 0;
  #besideBytes = 0;
  readonly #blocks: Block[] = [];
  readonly #scopes: Scope[] = [];

  /**
   * Takes `bytes` (rounded up to 16). `reserve` is called with the bytes held afterwards, before anything changes, and may
   * throw; `make` builds the block at its offset.
   */
  take<B extends Block>(bytes: number, reserve: (total: number) => void, make: (offset: number) => B): B {
    const offset = this.#bytes;
    const total = offset + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    reserve(total);
    const block = make(offset);
    this.#bytes = total;
    this.#note(total);
    this.#blocks.push(block);
    return block;
  }

  /** Bytes that are held beside the arena, in memory of their own. */
  get besideBytes(): number {
    return this.#besideBytes;
  }

  /** Counts bytes beside the arena as held until what is returned is called, once. */
  hold(bytes: number): () => void {
    this.#besideBytes += bytes;
    this.#note(this.#bytes);
    let isHeld = true;
    return () => {
      if (isHeld) this.#besideBytes -= bytes;
      isHeld = false;
    };
  }

  #note(total: number): void {
    this.#peakBytes = Math.max(this.#peakBytes, total + this.#besideBytes);
  }

  /**
   * Offset of `bytes` behind everything held, for one call: they count for the peak only, and the next block may lie on
   * them. What they hold is left over from before.
   */
  borrow(bytes: number, reserve: (total: number) => void): number {
    const total = this.#bytes + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    reserve(total);
    this.#note(total);
    return this.#bytes;
  }

  /** The block itself, if this arena made it and its scope has not ended; a `TypeError` otherwise. */
  check<B extends Block>(block: B): B {
    if (block.owner !== this) throw new TypeError("Cannot use buffer: it belongs to another backend");
    if (!block.live) throw new TypeError("Cannot use buffer: its scope has ended");
    return block;
  }

  /** Runs `body` and frees what it took, also when it throws; scopes must end in the reverse order of their starts. */
  async scope<T>(body: () => Promise<T>): Promise<T> {
    const scope = { bytes: this.#bytes, blocks: this.#blocks.length };
    this.#scopes.push(scope);
    try {
      return await body();
    } finally {
      this.#end(scope);
    }
  }

  #end(scope: Scope): void {
    const depth = this.#scopes.indexOf(scope);
    if (depth < 0) throw new TypeError("Cannot end scope: a scope around it has ended before");
    const innermost = depth === this.#scopes.length - 1;
    this.#scopes.length = depth;
    for (const block of this.#blocks.splice(scope.blocks)) block.live = false;
    this.#bytes = scope.bytes;
    if (!innermost) throw new TypeError("Cannot end scope: a scope inside it is still running");
  }

  memory(): { readonly bytes: number; readonly peakBytes: number } {
    return { bytes: this.#bytes + this.#besideBytes, peakBytes: this.#peakBytes };
  }

  resetPeak(): void {
    this.#peakBytes = this.#bytes + this.#besideBytes;
  }
}
