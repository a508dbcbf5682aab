/** {@link Vectors} in plain TypeScript: the definition, on arrays of the host. */
import type { GatedRows, Part, Vectors } from "./vectors.ts";

export const plainVectors: Vectors = {
  name: "reference",
  take: (length) => new Float64Array(length),
  takeIndices: (length) => new Int32Array(length),
  release: () => {},

  combine(out, at, { numbers, at: start, stride, rows, columns }, coefficients, from) {
    for (let i = 0; i < rows; i++) {
      const c = coefficients[from + i];
      if (c === 0) continue;
      for (let j = 0, k = start + i * stride; j < columns; j++, k++) out[at + j] += c * numbers[k];
    }
  },

  products(out, at, { numbers, at: start, stride, rows, columns }, vector, from) {
    const whole = columns & ~3;
    for (let i = 0; i < rows; i++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, k = start + i * stride, j = 0;
      for (; j < whole; j += 4, k += 4) {
        s0 += numbers[k] * vector[from + j];
        s1 += numbers[k + 1] * vector[from + j + 1];
        s2 += numbers[k + 2] * vector[from + j + 2];
        s3 += numbers[k + 3] * vector[from + j + 3];
      }
      let sum = (s0 + s2) + (s1 + s3);
      for (; j < columns; j++, k++) sum += numbers[k] * vector[from + j];
      out[at + i] = sum;
    }
  },

  corner(out, c, lower, upper) {
    const n = c.length, whole = n & ~3, lanes = [0, 0, 0, 0];
    let sum = 0;
    for (let j = 0; j < n; j++) {
      const one = c[j], x = one > 0 ? upper[j] : one < 0 ? lower[j] : (lower[j] + upper[j]) * 0.5;
      out[j] = x;
      if (j < whole) lanes[j & 3] += one * x;
      if (j === whole - 1) sum = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
      if (j >= whole) sum += one * x;
    }
    return sum;
  },

  move(difference, from, to) {
    for (let j = 0; j < to.length; j++) {
      difference[j] = to[j] - from[j];
      from[j] = to[j];
    }
  },

  intervals(out, rows, count, { numbers, at: start, stride, columns }, lower, upper) {
    const whole = columns & ~3, low = new Float64Array(4), high = new Float64Array(4);
    for (let i = 0; i < count; i++) {
      const row = start + rows[i] * stride;
      low.fill(0);
      high.fill(0);
      for (let j = 0; j < whole; j++) {
        const p = numbers[row + j] * lower[j], q = numbers[row + j] * upper[j];
        low[j & 3] += q < p ? q : p;
        high[j & 3] += p < q ? q : p;
      }
      let least = (low[0] + low[2]) + (low[1] + low[3]), most = (high[0] + high[2]) + (high[1] + high[3]);
      for (let j = whole; j < columns; j++) {
        const p = numbers[row + j] * lower[j], q = numbers[row + j] * upper[j];
        least += q < p ? q : p;
        most += p < q ? q : p;
      }
      out[2 * i] = least;
      out[2 * i + 1] = most;
    }
  },

  gatedRows(call) {
    for (let i = 0; i < call.count; i++) {
      gatedRow(call, call.rows[i], 1, 4 * i, i & 3);
      gatedRow(call, call.rows[i], -1, 4 * i + 2, 4 + (i & 3));
    }
  },
};

function gatedRow(call: GatedRows, index: number, sign: number, to: number, lane: number): void {
  const { out, matrix, first, inner, stride, below, lines, seed, charges, slopes } = call, width = below.length;
  let sum = 0, mass = 0;
  for (let v = first; v < width; v++) {
    slopes[8 * v + lane] = 0;
    if (isZero(lines, width, v)) continue;
    let a = sign * matrix[index * width + v];
    for (let u = first, k = v * stride + first; u < below[v]; u++, k++) a += slopes[8 * u + lane] * inner[k];
    const line = a > 0 ? v : 2 * width + v, constant = a * lines[line + width], slope = a * lines[line];
    slopes[8 * v + lane] = v < stride ? slope : a;
    sum += constant;
    mass += Math.abs(constant);
    sum += slope * seed[v];
    mass += Math.abs(slope) * charges[v];
  }
  out[to] = sum;
  out[to + 1] = mass;
}

function isZero(lines: Float64Array, width: number, v: number): boolean {
  return lines[v] === 0 && lines[width + v] === 0 && lines[2 * width + v] === 0 && lines[3 * width + v] === 0;
}

/** Element (i, j) of a whole matrix at i columns + j. */
export function wholeOf(numbers: Float64Array, rows: number, columns: number): Part {
  return { numbers, at: 0, stride: columns, rows, columns };
}
