/** An integer program small enough to try every vertex: rows a . x + b >= 0 over the box, all integers. */
export interface IntegerProgram {
  readonly rows: readonly (readonly number[])[];
  readonly constants: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/**
 * The sign of the largest t with a_i . x + b_i >= t for every row that moves over the box, x in the box: by trying every
 * vertex of the system, with Cramer's rule over the integers. -1 too where a row that does not move is missed.
 */
export function signOfRoom({ rows, constants, lower, upper }: IntegerProgram): -1 | 0 | 1 {
  const n = lower.length;
  const wide = lower.flatMap((l, j) => (l < upper[j] ? [j] : []));
  // Every constraint is (coefficients of x and t, constant) >= 0.
  const system: { a: bigint[]; b: bigint }[] = [];
  for (const [i, row] of rows.entries()) {
    const fixed = row.reduce((sum, a, j) => sum + (lower[j] === upper[j] ? a * lower[j] : 0), constants[i]);
    if (wide.every((j) => row[j] === 0)) {
      if (fixed < 0) return -1;
      continue;
    }
    system.push({ a: [...wide.map((j) => BigInt(row[j])), -1n], b: BigInt(fixed) });
  }
  if (system.length === 0) return 1;
  wide.forEach((j, k) => {
    const unit = (sign: bigint) => [...wide.map((_, other) => (other === k ? sign : 0n)), 0n];
    system.push({ a: unit(1n), b: BigInt(-lower[j]) }, { a: unit(-1n), b: BigInt(upper[j]) });
  });
  let best: [bigint, bigint] | null = null;
  for (const chosen of subsets(system.length, wide.length + 1)) {
    const matrix = chosen.map((c) => system[c].a), right = chosen.map((c) => -system[c].b);
    let determinant = determinantOf(matrix);
    if (determinant === 0n) continue;
    let solution = matrix[0].map((_, k) => determinantOf(matrix.map((row, r) => row.with(k, right[r]))));
    if (determinant < 0n) [determinant, solution] = [-determinant, solution.map((v) => -v)];
    if (system.some(({ a, b }) => a.reduce((sum, v, k) => sum + v * solution[k], b * determinant) < 0n)) continue;
    const t = solution[wide.length];
    if (best === null || t * best[1] > best[0] * determinant) best = [t, determinant];
  }
  if (best === null) throw new Error(`no vertex in ${n} coordinates`);
  return best[0] < 0n ? -1 : best[0] > 0n ? 1 : 0;
}

function* subsets(count: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) return yield [];
  for (let first = from; first <= count - size; first++) {
    for (const rest of subsets(count, size - 1, first + 1)) yield [first, ...rest];
  }
}

function determinantOf(matrix: readonly (readonly bigint[])[]): bigint {
  if (matrix.length === 1) return matrix[0][0];
  return matrix[0].reduce((sum, value, k) => {
    if (value === 0n) return sum;
    const minor = matrix.slice(1).map((row) => row.toSpliced(k, 1));
    return sum + (k % 2 === 0 ? value : -value) * determinantOf(minor);
  }, 0n);
}
