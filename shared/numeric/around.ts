import type { Box } from "./box.ts";
import { addDown, addUp } from "./rounding.ts";

/** The box center ± radius inside `limits`: ends rounded outward, exact ones not widened. Radii: [1] or [n]. */
export function around(center: Float64Array, radius: ArrayLike<number>, limits: Box): Box {
  const radiusAt = (i: number) => radius[radius.length === 1 ? 0 : i];
  return {
    lower: center.map((c, i) => Math.max(addDown(c, -radiusAt(i)), limits.lower[i])),
    upper: center.map((c, i) => Math.min(addUp(c, radiusAt(i)), limits.upper[i])),
  };
}

/** The least double that is not below the real l_inf distance of any of the points from the center. */
export function distanceAbove(center: ArrayLike<number>, points: readonly ArrayLike<number>[]): number {
  let most = 0;
  for (const point of points) {
    for (let i = 0; i < center.length; i++) {
      most = Math.max(most, addUp(point[i], -center[i]), addUp(center[i], -point[i]));
    }
  }
  return most;
}
