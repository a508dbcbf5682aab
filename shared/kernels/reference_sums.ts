/** The order of the sums of a matrix product: the definition for every other backend. */
import { chunkLength, packedPlace, panelWidth, type Precision } from "./packed.ts";

type Values = Float64Array | Float32Array;

/** Sum over i < k of row(i) times element (i, j) of the matrix [k, n] packed from `at` on. */
export type SumOfProducts = (row: (i: number) => number, packed: Values, at: number, j: number) => number;

export function sumOfProducts(precision: Precision, k: number, n: number): SumOfProducts {
  const chunk = chunkLength(k, n, precision), width = panelWidth(precision);
  return (row, packed, at, j) => {
    let sum = 0;
    for (let first = 0; first < k; first += chunk) {
      const end = Math.min(k, first + chunk);
      let place = at + packedPlace(k, n, first, j, precision);
      if (precision === "f64") {
        for (let i = first; i < end; i++, place += width) sum += row(i) * packed[place];
        continue;
      }
      // A product of two f32 is exact in f64, and rounding a sum of two f32 first to f64 changes nothing (53 >= 2 24 + 2).
      let part = 0;
      for (let i = first; i < end; i++, place += width) part = Math.fround(part + Math.fround(row(i) * packed[place]));
      sum = first === 0 ? part : Math.fround(sum + part);
    }
    return sum;
  };
}
