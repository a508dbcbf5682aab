import type { HalfSpaces } from "../../../shared/linear/half_spaces.ts";
import type { Box } from "../../../shared/numeric/box.ts";
import type { Random } from "../../exact/random.ts";

/** Shapes that a linear program must survive. */
export const SHAPES = [
  "plain",
  "integers",
  "duplicated",
  "opposite",
  "thin",
  "empty",
  "wide",
  "flat box",
  "dead",
] as const;

export interface Polytope {
  readonly shape: typeof SHAPES[number];
  readonly halfSpaces: HalfSpaces;
  readonly box: Box;
}

/** A random polytope of `m` half-spaces in `n` coordinates, of one of the {@link SHAPES}. */
export function randomPolytope(random: Random, m: number, n: number): Polytope {
  const shape = random.pick(SHAPES);
  const integers = shape === "integers";
  const number = (): number =>
    integers ? random.integer(-2, 2) : random.normal() * (shape === "wide" ? 10 ** random.integer(-4, 4) : 1);
  const lower = Float64Array.from({ length: n }, () => integers ? random.integer(-2, 0) : random.between(-1, 0.5));
  const upper = lower.map((l) =>
    shape === "flat box" && random.chance(0.4) ? l : l + (integers ? random.integer(1, 3) : random.between(0.01, 2))
  );
  const inner = lower.map((l, j) => integers ? random.integer(l, upper[j]) : random.between(l, upper[j]));
  const rows = new Float64Array(m * n), constants = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    const row = Float64Array.from({ length: n }, () => random.chance(0.3) ? 0 : number());
    let constant = shape === "empty" && i > 0 ? -random.unit() : integers ? 0 : random.between(-0.2, 1);
    if (shape === "thin" && i > 0) constant = random.chance(0.5) ? 0 : 1e-9;
    for (let j = 0; j < n; j++) constant -= row[j] * inner[j];
    if (shape === "dead" && random.chance(0.4)) row.fill(0);
    const factor = { duplicated: random.pick([1, 2, 0.5]), opposite: -1 } as Record<string, number>;
    if (i % 2 === 1 && shape in factor) {
      for (let j = 0; j < n; j++) row[j] = factor[shape] * rows[(i - 1) * n + j];
      constant = factor[shape] * constants[i - 1] + (random.chance(0.3) ? 0.125 : 0);
    }
    rows.set(row, i * n);
    constants[i] = constant;
  }
  return { shape, halfSpaces: { rows, constants }, box: { lower, upper } };
}
