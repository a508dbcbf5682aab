import { addUp, multiplyUp } from "../numeric/rounding.ts";
import type { Pass } from "./pass.ts";
import type { Path } from "./path.ts";
import type { RowSet } from "./rows.ts";
import { magnitudesAt } from "./steps.ts";

/**
 * What rows that start as combinations of values lose when their coefficients become f32: the sum of |c - fl32(c)| |value|,
 * rounded up; null where nothing is lost. (Rows of a matrix are paid for by their own q.)
 */
export function startLosses(
  pass: Pass,
  { target, startColumns }: Path,
  { groups, start }: RowSet,
): Float64Array | null {
  if (start.layout === "unit" || pass.run.kernels.precision === "f64") return null;
  const { coefficients } = start, width = coefficients.length / groups.length;
  if (coefficients.every((c) => Math.fround(c) === c)) return null;
  const sizes = magnitudesAt(pass, target);
  return Float64Array.from(groups, (group, r) => {
    let lost = 0;
    for (let j = 0; j < width; j++) {
      // The difference of a number and its rounding is exact.
      const c = coefficients[r * width + j], difference = Math.abs(c - Math.fround(c));
      if (difference > 0) {
        lost = addUp(lost, multiplyUp(difference, sizes[group][startColumns === null ? j : startColumns[j]]));
      }
    }
    return lost;
  });
}
