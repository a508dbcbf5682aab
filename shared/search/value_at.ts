import { gradientOf, valuesAt } from "../condensed/plain.ts";
import type { Objective } from "./objective.ts";
import type { Region } from "./region.ts";

/** What an objective is at a point, in plain arithmetic; on a kink with the derivative 0. */
export function valueAt({ network }: Region, { aim }: Objective, point: Float64Array): number {
  const { h, outputs } = valuesAt(network, point);
  if (aim.kind === "value" && aim.among) return aim.among.reduce((least, k) => Math.min(least, outputs[k]), Infinity);
  if (aim.kind === "value") return outputs.reduce((sum, y, k) => sum + aim.row[k] * y, 0);
  const gradient = gradientOf(network, h.map((z) => (z > 0 ? 1 : 0)), aim.row);
  return aim.kind === "entry" ? gradient[aim.feature] : gradient.reduce((sum, g) => sum + Math.abs(g), 0);
}
