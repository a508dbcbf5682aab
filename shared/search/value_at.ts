import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";
import type { Workspace } from "./workspace.ts";

/** What an objective is at a point, in plain arithmetic; on a kink with the derivative 0. Overwrites the workspace. */
export function valueAt(
  { width, ranks, byUnit, byInput, vectors, network: { bias } }: Region,
  { aim, seed, direct, constant, among }: Objective,
  { corner, height, row, unit, gradient, gated, overInput }: Workspace,
  point: Float64Array,
): number {
  corner.set(point);
  vectors.products(height, 0, byUnit, corner, 0);
  for (const { from, end, lower } of ranks) {
    vectors.products(row, from, lower, unit, 0);
    for (let u = from; u < end; u++) {
      height[u] += bias[u] + row[u];
      unit[u] = height[u] > 0 ? height[u] : 0;
    }
  }
  if (aim.kind === "value" && among.length > 1) {
    return among.reduce(
      (least, one) => Math.min(least, one.constant + dot(one.direct, point) + dot(one.seed, unit)),
      Infinity,
    );
  }
  if (aim.kind === "value") return constant + dot(direct, point) + dot(seed, unit);
  for (let r = ranks.length - 1; r >= 0; r--) {
    const { from, end, upper } = ranks[r];
    vectors.products(gradient, from, upper, gated, end);
    for (let u = from; u < end; u++) gated[u] = height[u] > 0 ? seed[u] + gradient[u] : 0;
  }
  if (aim.kind === "entry") {
    const first = aim.feature * width;
    return direct[aim.feature] + dot(byInput.numbers.subarray(first, first + width), gated);
  }
  overInput.set(direct);
  vectors.combine(overInput, 0, byUnit, gated, 0);
  let sum = 0;
  for (let j = 0; j < overInput.length; j++) sum += Math.abs(overInput[j]);
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
