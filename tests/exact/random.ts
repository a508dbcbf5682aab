/** Seeded randomness: the same numbers on every machine, since only integer operations and exact scalings are used. */
export class Random {
  #state: number;

  /** Every pair (seed, stream) gives its own sequence. */
  constructor(seed: number, stream = 0) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0;
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** In [0, 1), all 53 bits random. */
  unit(): number {
    return ((this.#next() >>> 5) * 2 ** 26 + (this.#next() >>> 6)) * 2 ** -53;
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  sign(): 1 | -1 {
    return this.chance(0.5) ? 1 : -1;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)];
  }

  /** Bell-shaped around 0 with variance 1: a sum of twelve. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.unit();
    return sum;
  }
}
