/** The machine's own limit: a register-only loop of products and sums, against which every time is scaled. */

/** The peak, in GFLOP/s, of the machine for which targets are stated. */
export const TARGET_PEAK = 35;

const ROUNDS = 20_000;
const OPERATIONS_PER_ROUND = 112;

export interface Peak {
  /** Floating point operations of one `run`. */
  readonly operations: number;
  run(): void;
}

/** The loop of `wasm/kernels/peak.ts`. */
export function openPeak(): Peak {
  const bytes = Deno.readFileSync(new URL("../../wasm/dist/peak.wasm", import.meta.url));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const loop = exports.peak_f64 as (rounds: number, x: number, y: number) => number;
  return { operations: ROUNDS * OPERATIONS_PER_ROUND, run: () => void loop(ROUNDS, 0.5, 1) };
}

/** Samples of the peak taken between other measurements: the machine's state while those ran. */
export class PeakSamples {
  readonly #peak = openPeak();
  readonly #rates: number[] = [];

  /** One sample of about 3 ms. */
  take(): void {
    const repeats = 50;
    const start = performance.now();
    for (let i = 0; i < repeats; i++) this.#peak.run();
    this.#rates.push(repeats * this.#peak.operations / ((performance.now() - start) * 1e6));
  }

  /** GFLOP/s. */
  get median(): number {
    const sorted = this.#sorted();
    return sorted[sorted.length >> 1];
  }

  get best(): number {
    return this.#sorted()[this.#rates.length - 1];
  }

  #sorted(): number[] {
    return [...this.#rates].sort((a, b) => a - b);
  }
}

/** A time as it would be on the machine of the targets: time x peak / 35 GFLOP/s. */
export function scaled(ms: number, peak: number): number {
  return ms * peak / TARGET_PEAK;
}
